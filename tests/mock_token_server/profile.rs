//! What the registries in the field do, as data: one profile each, one field per quirk.

/// Declares the profiles with their names for the command line.
macro_rules! profiles {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// How the server behaves; each documented with what was recorded of the real one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Profile {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Profile {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What was recorded of the real one, for `--help`.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

profiles! {
    /// The token specification to the letter: RFC 6749 errors on POST (a wrong password is 400 `invalid_grant`), both names of the access token, any other `service` refused.
    Specification = "specification",
    /// distribution token-server 2.8: opaque tokens by GET and POST, refresh echoes the same; wrong credentials 401 with the registry's `errors` JSON; route `/token/`; `access_token` only.
    Distribution = "distribution",
    /// artifact-keeper: not rotating; GET only for `offline_token=true` exactly; bad 401, missing 400, other `service` 400; an API token as password gives 200 and no refresh token.
    ArtifactKeeper = "artifact-keeper",
    /// Azure: Basic GET gives an access token, refresh grant 200, password grant 400; the user of the null GUID has a refresh token (an expiring JWT) as password.
    Acr = "acr",
    /// A rotating registry: each refresh gives a new token and the old one is dead (second use 401).
    RotatingSingleUse = "rotating-single-use",
    /// A rotating registry with grace: each refresh gives a new token and the old one works for a while.
    RotatingWithGrace = "rotating-with-grace",
    /// Harbor: no refresh tokens, ignores `offline_token`, POST 405.
    Harbor = "harbor",
    /// The Harbor deployment that answers 401 when `offline_token` is sent.
    HarborRefusesOfflineToken = "harbor-refuses-offline-token",
    /// Quay: `token` only, POST 405.
    Quay = "quay",
    /// Gitea: no refresh tokens, POST 404 on purpose; two `WWW-Authenticate` headers, Bearer without service and Basic.
    Gitea = "gitea",
    /// GitLab: `token` only, POST 404.
    Gitlab = "gitlab",
    /// Keycloak docker-v2: no refresh tokens; an unknown user is a 500.
    Keycloak = "keycloak",
    /// docker_auth: POST takes username and password, ignores `grant_type`; where anonymous access is allowed, a refresh grant gives 200 with an anonymous token.
    DockerAuth = "docker_auth",
    /// Pulp: a missing `service` is 400, POST 405.
    Pulp = "pulp",
    /// Artifactory: no refresh token found, POST 401.
    Artifactory = "artifactory",
    /// Google (GCR, AR): no refresh tokens, POST 404.
    Google = "google",
    /// GHCR: no refresh tokens, no expiry in the answer (POST is not recorded: 405 here).
    Ghcr = "ghcr",
    /// Aliyun: no refresh tokens; 400 where `scope=` is present but empty.
    Aliyun = "aliyun",
    /// Nexus, private ECR: a Basic challenge only, nothing to exchange.
    BasicOnly = "basic-only",
    /// A registry that asks for no login: 200 to `/v2/`.
    NoLogin = "no-login",
    /// Refresh tokens by POST only; GET ignores `offline_token`.
    PostOnly = "post-only",
    /// Refresh tokens by GET only, and no refresh grant either: POST 404.
    GetOnly = "get-only",
    /// Refuses a refresh grant that names no scope: 400 `invalid_scope`.
    RefreshNeedsScope = "refresh-needs-scope",
    /// Issues refresh tokens that never work (some OAuth implementations do; regclient stopped asking).
    DeadRefreshTokens = "dead-refresh-tokens",
    /// No refresh tokens by GET; POST answers whatever status was set (404 unless it was).
    NoRefreshTokens = "no-refresh-tokens",
}

impl Profile {
    /// The profile of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|profile| profile.name() == name)
    }

    /// Its quirks.
    pub fn behaviour(self) -> Behaviour {
        let standard = Behaviour::default();
        // What most registries without refresh tokens share.
        let token_only = Behaviour {
            get_refresh: false,
            token_names: TokenNames::Token,
            other_service: ServiceRule::Ignored,
            ..standard
        };
        match self {
            Self::Specification => standard,
            Self::Distribution => Behaviour {
                token_path: "/token/",
                post_errors: ErrorStyle::Registry,
                token_names: TokenNames::AccessToken,
                other_service: ServiceRule::Ignored,
                ..standard
            },
            Self::ArtifactKeeper => Behaviour {
                token_path: "/v2/token",
                post_errors: ErrorStyle::Registry,
                offline_token_exactly_true: true,
                ..standard
            },
            Self::Acr => Behaviour {
                token_path: "/oauth2/token",
                post_errors: ErrorStyle::Registry,
                token_names: TokenNames::AccessToken,
                get_refresh: false,
                password_grant: false,
                null_guid: true,
                ..standard
            },
            Self::RotatingSingleUse => Behaviour {
                rotation: Rotation::SingleUse,
                post_errors: ErrorStyle::Registry,
                ..standard
            },
            Self::RotatingWithGrace => Behaviour { rotation: Rotation::Grace, ..standard },
            Self::Harbor => Behaviour {
                token_path: "/service/token",
                post: Post::Refused(405),
                token_names: TokenNames::Both,
                ..token_only
            },
            Self::HarborRefusesOfflineToken => {
                Behaviour { get_refuses_offline: true, ..Self::Harbor.behaviour() }
            }
            Self::Quay => {
                Behaviour { token_path: "/v2/auth", post: Post::Refused(405), ..token_only }
            }
            Self::Gitea => Behaviour {
                token_path: "/v2/token",
                challenge: Challenge::BearerWithoutServiceAndBasic,
                post: Post::Refused(404),
                ..token_only
            },
            Self::Gitlab => {
                Behaviour { token_path: "/jwt/auth", post: Post::Refused(404), ..token_only }
            }
            Self::Keycloak => Behaviour {
                token_path: "/realms/test/protocol/docker-v2/auth",
                post: Post::Refused(405),
                unknown_user_500: true,
                ..token_only
            },
            Self::DockerAuth => Behaviour {
                token_path: "/auth",
                post: Post::CredentialsOnly,
                token_names: TokenNames::Both,
                ..token_only
            },
            Self::Pulp => Behaviour {
                post: Post::Refused(405),
                other_service: ServiceRule::Required,
                ..token_only
            },
            Self::Artifactory => Behaviour {
                token_path: "/artifactory/api/docker/null/v2/token",
                post: Post::Refused(401),
                ..token_only
            },
            Self::Google => {
                Behaviour { token_path: "/v2/token", post: Post::Refused(404), ..token_only }
            }
            Self::Ghcr => Behaviour { post: Post::Refused(405), expires_in: false, ..token_only },
            Self::Aliyun => Behaviour {
                token_path: "/auth",
                post: Post::CredentialsOnly,
                empty_scope_400: true,
                token_names: TokenNames::Both,
                ..token_only
            },
            Self::BasicOnly => Behaviour {
                challenge: Challenge::Basic,
                get: false,
                post: Post::Refused(404),
                ..token_only
            },
            Self::NoLogin => Behaviour { challenge: Challenge::None, ..token_only },
            Self::PostOnly => Behaviour { get_refresh: false, ..standard },
            Self::GetOnly => Behaviour { post: Post::Refused(404), ..standard },
            Self::RefreshNeedsScope => Behaviour { refresh_needs_scope: true, ..standard },
            Self::DeadRefreshTokens => Behaviour { rotation: Rotation::Dead, ..standard },
            Self::NoRefreshTokens => Behaviour { post: Post::Refused(404), ..token_only },
        }
    }
}

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
    /// Whether the answer says how long the access token lasts.
    pub expires_in: bool,
    /// What is done about a `service` that is missing or another one's.
    pub other_service: ServiceRule,
    /// `scope=` with nothing in it is an error.
    pub empty_scope_400: bool,
    /// A user that does not exist is an internal error.
    pub unknown_user_500: bool,
    /// Azure's user without a name, whose password is a refresh token.
    pub null_guid: bool,
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
            expires_in: true,
            other_service: ServiceRule::Refused,
            empty_scope_400: false,
            unknown_user_500: false,
            null_guid: false,
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

/// Under which names GET gives the access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenNames {
    /// `token`, the older one.
    Token,
    /// `access_token`, OAuth2's.
    AccessToken,
    /// Both.
    Both,
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
