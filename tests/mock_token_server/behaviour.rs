//! The quirks in which token servers differ, one field or variant each.

use super::wording::Words;

/// The quirks of a profile.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// What `GET /v2/` asks for.
    pub challenge: Challenge,
    /// Where the token endpoint is.
    pub token_path: &'static str,
    /// Whether the token endpoint answers GET at all.
    pub get: bool,
    /// GET gives a refresh token for `offline_token=true`.
    pub get_refresh: bool,
    /// GET answers 401 when `offline_token` is sent.
    pub get_refuses_offline: bool,
    /// Only the word `true` counts, where others take `1`, `t` and `True` too.
    pub offline_token_exactly_true: bool,
    /// What POST does.
    pub post: Post,
    /// How POST words its errors.
    pub post_errors: ErrorStyle,
    /// Whether there is a password grant.
    pub password_grant: bool,
    /// What a refresh does to the token.
    pub rotation: Rotation,
    /// A refresh grant without a scope is refused.
    pub refresh_needs_scope: bool,
    /// Under which names the access token is given by GET.
    pub token_names: TokenNames,
    /// And by POST.
    pub post_token_names: TokenNames,
    /// How the answer writes the scopes that were granted.
    pub scopes: ScopeList,
    /// Whether GET says what was granted.
    pub get_scopes: bool,
    /// Whether a grant of POST does.
    pub post_scopes: PostScopes,
    /// Whether there are revocation and metadata at all.
    pub revocation: bool,
    /// Whether the answer says how long the access token lasts.
    pub expires_in: bool,
    /// What is done about a `service` that is missing or another one's.
    pub other_service: ServiceRule,
    /// `scope=` with nothing in it is an error.
    pub empty_scope_400: bool,
    /// A user that does not exist is an internal error.
    pub unknown_user_500: bool,
    /// A wrong password on GET is 403 `DENIED`.
    pub get_denies_403: bool,
    /// Azure's user without a name, whose password is a refresh token.
    pub null_guid: bool,
    /// The registry's own API for tokens.
    pub token_api: TokenApi,
    /// How it words what it says.
    pub words: Words,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            challenge: Challenge::Bearer,
            token_path: "/token",
            get: true,
            get_refresh: true,
            get_refuses_offline: false,
            offline_token_exactly_true: false,
            post: Post::OAuth2,
            post_errors: ErrorStyle::OAuth2,
            password_grant: true,
            rotation: Rotation::Same,
            refresh_needs_scope: false,
            token_names: TokenNames::Both,
            post_token_names: TokenNames::AccessToken,
            scopes: ScopeList::Spaces,
            get_scopes: false,
            post_scopes: PostScopes::Always,
            revocation: true,
            expires_in: true,
            other_service: ServiceRule::Refused,
            empty_scope_400: false,
            unknown_user_500: false,
            get_denies_403: false,
            null_guid: false,
            token_api: TokenApi::None,
            words: Words::STANDARD,
        }
    }
}

/// What `GET /v2/` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// One header with realm and service.
    Bearer,
    /// Two headers, the first without a service.
    BearerWithoutServiceAndBasic,
    /// Passwords at the registry itself.
    Basic,
    /// Nothing: 200.
    None,
}

/// What POST to the token endpoint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// Grants as in the OAuth2 part of the specification.
    OAuth2,
    /// Looks at username and password alone, whatever the grant type; no refresh tokens.
    CredentialsOnly,
    /// This status, whatever is sent.
    Refused(u16),
}

/// How errors are worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorStyle {
    /// RFC 6749 section 5.2: `{"error": …}`, a bad grant is 400.
    OAuth2,
    /// The registry's `{"errors": […]}`, bad credentials are 401.
    Registry,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Nothing: the same one comes back.
    Same,
    /// A new one, the old one is dead at once.
    SingleUse,
    /// A new one, the old one works for the configured grace.
    Grace,
    /// The tokens never work.
    Dead,
}

/// Under which names the access token is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNames {
    /// `token`, the older one.
    Token,
    /// `access_token`, OAuth2's.
    AccessToken,
    /// Both.
    Both,
    /// `token`, beside an `access_token` with nothing in it.
    TokenAndEmpty,
}

/// Whether a POST is told what was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostScopes {
    /// Always, even if that is nothing.
    Always,
    /// If anything was granted.
    IfAny,
    /// Never.
    Never,
}

/// How several scopes are written in one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeList {
    /// Separated by spaces, as the specification has it.
    Spaces,
    /// Separated by commas, each with one action.
    CommasOneActionEach,
}

/// The registry's own API for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenApi {
    /// There is none.
    None,
    /// Gitea's, which says that it is of this version.
    Gitea(&'static str),
    /// Docker Hub's.
    DockerHub,
    /// JFrog's.
    Artifactory,
}

/// What is done about a `service` that is missing or another one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceRule {
    /// Nothing: the token is for whatever was named. A POST must name one.
    Ignored,
    /// Another one's is 400; missing is this server's on GET, 400 on POST.
    Refused,
    /// Missing is 400 on GET as well.
    Required,
}
