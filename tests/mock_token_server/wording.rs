//! How servers word answers that mean the same: content types, challenges, and texts for people.

use super::shared::Shared;
use super::wire::Answer;

const JSON_IN_UTF8: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// What an answer has instead of the standard one: `None` leaves that, and an empty text takes it out.
#[derive(Clone, Copy, Debug)]
pub struct Wording {
    content_type: Option<&'static str>,
    challenge: Option<&'static str>,
    body: Option<&'static str>,
}

/// The answers of a server that are worded in a way of its own.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// The registry's 401 to `/v2/`.
    pub login_needed: Wording,
    /// A token response.
    pub granted: Wording,
    /// The token endpoint's 401 for a wrong username or password.
    pub denied: Wording,
    /// The answer to a grant type that it does not have.
    pub unsupported: Wording,
    /// The answer to a POST where there is only GET.
    pub no_post: Wording,
}

impl Wording {
    const STANDARD: Self = Self { content_type: None, challenge: None, body: None };
    const EMPTY: Self = Self::STANDARD.content_type("").body("");

    const fn content_type(self, text: &'static str) -> Self {
        Self { content_type: Some(text), ..self }
    }

    /// With the token endpoint for REALM and the service for SERVICE, as in the body.
    const fn challenge(self, text: &'static str) -> Self {
        Self { challenge: Some(text), ..self }
    }

    const fn body(self, text: &'static str) -> Self {
        Self { body: Some(text), ..self }
    }

    /// The answer, in these words.
    pub fn of(self, shared: &Shared, mut answer: Answer) -> Answer {
        let named = |text: &str| {
            text.replace("REALM", &shared.token_endpoint())
                .replace("SERVICE", &shared.config().service)
        };
        for (name, value) in
            [("Content-Type", self.content_type), ("WWW-Authenticate", self.challenge)]
        {
            answer = match value {
                None => answer,
                Some("") => answer.without(name),
                Some(value) => answer.replace(name, named(value)),
            };
        }
        if let Some(body) = self.body {
            answer.body = named(body).into_bytes();
        }
        answer
    }
}

impl Words {
    /// As the specification words them.
    pub const STANDARD: Self = Self {
        login_needed: Wording::STANDARD,
        granted: Wording::STANDARD,
        denied: Wording::STANDARD,
        unsupported: Wording::STANDARD,
        no_post: Wording::STANDARD,
    };
    /// Of a registry that is distribution 2.8 itself.
    pub const REGISTRY_2: Self = Self {
        login_needed: Wording::STANDARD.content_type(JSON_IN_UTF8).body(
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":null}]}"#,
        ),
        ..Self::STANDARD
    };
    /// Of distribution's token server.
    pub const DISTRIBUTION: Self = Self {
        denied: Wording::STANDARD.content_type(JSON_IN_UTF8).body(
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":"basic authentication challenge for realm \"REALM\": authentication failure"}]}"#,
        ),
        unsupported: Wording::STANDARD.content_type(JSON_IN_UTF8),
        ..Self::REGISTRY_2
    };
    /// Of artifact-keeper.
    pub const ARTIFACT_KEEPER: Self = Self {
        login_needed: Wording::STANDARD.body(NO_DETAIL),
        denied: Wording::STANDARD.challenge("").body(
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"invalid username or password"}]}"#,
        ),
        ..Self::STANDARD
    };
    /// Of Harbor.
    pub const HARBOR: Self = Self {
        login_needed: Wording::STANDARD
            .content_type(JSON_IN_UTF8)
            .body(r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: unauthorized"}]}"#),
        granted: Wording::STANDARD.content_type(JSON_IN_UTF8),
        denied: Wording::EMPTY.challenge(""),
        no_post: Wording::STANDARD.body("Method Not Allowed\n"),
        ..Self::STANDARD
    };
    /// Of Quay.
    pub const QUAY: Self = Self {
        login_needed: Wording::STANDARD.content_type("text/html; charset=utf-8").body("true"),
        denied: Wording::STANDARD.challenge(r#"Bearer realm="REALM",service="SERVICE""#).body(
            r#"{"errors":[{"code":"UNAUTHORIZED","detail":{},"message":"Invalid Username or Password"}]}"#,
        ),
        ..Self::STANDARD
    };
    /// Of Gitea.
    pub const GITEA: Self = Self {
        login_needed: Wording::STANDARD.body(NO_DETAIL),
        granted: Wording::STANDARD.content_type("application/json;charset=utf-8"),
        no_post: Wording::EMPTY,
        ..Self::STANDARD
    };
    /// Of Forgejo.
    pub const FORGEJO: Self = Self {
        granted: Wording::STANDARD,
        denied: Wording::STANDARD.content_type(TEXT).challenge("").body("authGroup.Verify\n"),
        ..Self::GITEA
    };
    /// Of GitLab.
    pub const GITLAB: Self = Self {
        denied: Wording::STANDARD.challenge(""),
        no_post: Wording::EMPTY,
        ..Self::REGISTRY_2
    };
    /// Of Keycloak, in front of distribution.
    pub const KEYCLOAK: Self = Self { denied: Wording::STANDARD.challenge(""), ..Self::REGISTRY_2 };
    /// Of docker_auth, in front of distribution.
    pub const DOCKER_AUTH: Self = Self {
        denied: Wording::STANDARD
            .content_type(TEXT)
            .challenge(r#"Basic realm="REALM""#)
            .body("Auth failed.\n"),
        ..Self::REGISTRY_2
    };
    /// Of Pulp.
    pub const PULP: Self = Self {
        login_needed: Wording::STANDARD.body(
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"Authentication credentials were not provided.","detail":{}}]}"#,
        ),
        denied: Wording::STANDARD
            .challenge(r#"Basic realm="api""#)
            .body(r#"{"detail":"Invalid username/password."}"#),
        no_post: Wording::STANDARD
            .content_type("application/json")
            .body(r#"{"detail":"Method \"POST\" not allowed."}"#),
        ..Self::STANDARD
    };
}

const NO_DETAIL: &str =
    r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
