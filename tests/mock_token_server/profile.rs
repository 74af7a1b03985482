//! What the registries in the field do, as data: one profile each.

use super::behaviour::{
    Behaviour, Challenge, ErrorStyle, Post, PostScopes, Rotation, ScopeList, ServiceRule, TokenApi,
    TokenNames,
};
use super::wording::Words;

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
    /// distribution token-server 2.8: opaque tokens by GET only (password grant 400), refresh echoes the same; errors as the registry's `errors` JSON, wrong credentials 401; route `/token/` alone, no revocation; `scope` in answers joined by commas.
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
    /// Gitea: no refresh tokens, POST 404 on purpose; two `WWW-Authenticate` headers, Bearer without service and Basic; an API that makes tokens.
    Gitea = "gitea",
    /// Forgejo: as Gitea, and says so in its version.
    Forgejo = "forgejo",
    /// GitLab: `token` only, POST 404.
    Gitlab = "gitlab",
    /// Docker Hub, as far as it is known: no refresh tokens by GET, POST not recorded (404 here); an API that makes tokens.
    DockerHub = "docker-hub",
    /// Keycloak docker-v2: no refresh tokens; an unknown user is a 500.
    Keycloak = "keycloak",
    /// docker_auth: POST takes username and password, ignores `grant_type`; where anonymous access is allowed, a refresh grant gives 200 with an anonymous token.
    DockerAuth = "docker_auth",
    /// Pulp: a missing `service` is 400, POST 405.
    Pulp = "pulp",
    /// Artifactory: no refresh token found, POST 401; an API that makes tokens.
    Artifactory = "artifactory",
    /// Google (GCR, AR): no refresh tokens, POST 404.
    Google = "google",
    /// GHCR: no refresh tokens, no expiry in the answer, a wrong password is 403 `DENIED` (POST is not recorded: 405 here).
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
                password_grant: false,
                token_names: TokenNames::Both,
                scopes: ScopeList::CommasOneActionEach,
                get_scopes: true,
                post_scopes: PostScopes::IfAny,
                words: Words::DISTRIBUTION,
                revocation: false,
                other_service: ServiceRule::Ignored,
                ..standard
            },
            Self::ArtifactKeeper => Behaviour {
                token_path: "/v2/token",
                post_errors: ErrorStyle::Registry,
                offline_token_exactly_true: true,
                post_token_names: TokenNames::Both,
                post_scopes: PostScopes::Never,
                words: Words::ARTIFACT_KEEPER,
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
                token_names: TokenNames::TokenAndEmpty,
                words: Words::HARBOR,
                ..token_only
            },
            Self::HarborRefusesOfflineToken => {
                Behaviour { get_refuses_offline: true, ..Self::Harbor.behaviour() }
            }
            Self::Quay => Behaviour {
                token_path: "/v2/auth",
                post: Post::Refused(405),
                expires_in: false,
                words: Words::QUAY,
                ..token_only
            },
            Self::Gitea => Behaviour {
                token_path: "/v2/token",
                challenge: Challenge::BearerWithoutServiceAndBasic,
                post: Post::Refused(404),
                expires_in: false,
                token_api: TokenApi::Gitea("1.22.6"),
                words: Words::GITEA,
                ..token_only
            },
            Self::Forgejo => Behaviour {
                token_api: TokenApi::Gitea("11.0.1+gitea-1.22.0"),
                words: Words::FORGEJO,
                ..Self::Gitea.behaviour()
            },
            Self::Gitlab => Behaviour {
                token_path: "/jwt/auth",
                post: Post::Refused(404),
                expires_in: false,
                words: Words::GITLAB,
                ..token_only
            },
            Self::DockerHub => {
                Behaviour { post: Post::Refused(404), token_api: TokenApi::DockerHub, ..token_only }
            }
            Self::Keycloak => Behaviour {
                token_path: "/realms/test/protocol/docker-v2/auth",
                post: Post::Refused(405),
                unknown_user_500: true,
                words: Words::KEYCLOAK,
                ..token_only
            },
            Self::DockerAuth => Behaviour {
                token_path: "/auth",
                post: Post::CredentialsOnly,
                token_names: TokenNames::Both,
                expires_in: false,
                post_token_names: TokenNames::Both,
                words: Words::DOCKER_AUTH,
                ..token_only
            },
            Self::Pulp => Behaviour {
                post: Post::Refused(405),
                token_names: TokenNames::Both,
                other_service: ServiceRule::Required,
                words: Words::PULP,
                ..token_only
            },
            Self::Artifactory => Behaviour {
                token_path: "/artifactory/api/docker/null/v2/token",
                post: Post::Refused(401),
                token_api: TokenApi::Artifactory,
                ..token_only
            },
            Self::Google => {
                Behaviour { token_path: "/v2/token", post: Post::Refused(404), ..token_only }
            }
            Self::Ghcr => Behaviour {
                post: Post::Refused(405),
                expires_in: false,
                get_denies_403: true,
                ..token_only
            },
            Self::Aliyun => Behaviour {
                token_path: "/auth",
                post: Post::CredentialsOnly,
                empty_scope_400: true,
                token_names: TokenNames::Both,
                post_token_names: TokenNames::Both,
                ..token_only
            },
            Self::BasicOnly => Behaviour {
                challenge: Challenge::Basic,
                get: false,
                post: Post::Refused(404),
                words: Words::REGISTRY_2,
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
