//! What is known not to work, why, and what the client says then.

/// A "no" of the tables.
pub struct Limit {
    pub client: &'static str,
    /// The columns it is in, of either table; none for all.
    pub columns: &'static [&'static str],
    /// Part of what the client says.
    pub said: &'static str,
    /// For the page: a sentence whose subject is the client.
    pub because: &'static str,
}

/// Where a registry's certificates are in `certs.d` alone.
const FOLDERS: &[&str] = &["private CA", "client certificate"];

/// Before the more general ones of the same client.
pub const LIMITS: &[Limit] = &[
    Limit {
        client: "docker build with BuildKit",
        columns: FOLDERS,
        said: "x509: certificate signed by unknown authority",
        because: "asks the token server itself, and looks for its CA among the system's alone",
    },
    Limit {
        client: "Helm",
        columns: FOLDERS,
        said: "x509: certificate signed by unknown authority",
        because: "looks into no `certs.d`; it has options for certificates",
    },
    Limit {
        client: "oras for Python",
        columns: FOLDERS,
        said: "CERTIFICATE_VERIFY_FAILED",
        because: "looks into no `certs.d`",
    },
    Limit {
        client: "oras for Python",
        columns: &["personal token", "minted token"],
        said: "Issue retrieving session url",
        because: "asks for one access token, to read, and pushes with that",
    },
    Limit {
        client: "oras for Python",
        columns: &[],
        said: "Cannot respond to request for authentication",
        because: "sends an identity token as a password",
    },
    Limit {
        client: "aioregistry",
        columns: FOLDERS,
        said: "CERTIFICATE_VERIFY_FAILED",
        because: "looks into no `certs.d`",
    },
    Limit {
        client: "aioregistry",
        columns: &[],
        said: "Failed to generate authentication token",
        because: "sends an identity token as a password",
    },
    Limit {
        client: "@devcontainers/cli",
        columns: FOLDERS,
        said: "unable to verify the first certificate",
        because: "looks into no `certs.d`",
    },
    Limit {
        client: "@devcontainers/cli",
        columns: &["http on loopback"],
        said: "EPROTO",
        because: "speaks TLS only",
    },
    Limit {
        client: "cdxgen",
        columns: &[],
        said: "Unable to pull",
        because: "hands an identity token to the engine as a password",
    },
    Limit {
        client: "oci-client with docker_credential",
        columns: FOLDERS,
        said: "InvalidCertificate(UnknownIssuer)",
        because: "looks into no `certs.d`",
    },
    Limit {
        client: "oci-client with docker_credential",
        columns: &[],
        said: "UnauthorizedError",
        because: "has no word for an identity token; an access token of `docker-credential-refresh token` works",
    },
];

pub fn find(client: &str, column: &str, text: &str) -> Option<usize> {
    LIMITS.iter().position(|limit| {
        limit.client == client
            && (limit.columns.is_empty() || limit.columns.contains(&column))
            && text.contains(limit.said)
    })
}

/// All of them, by number.
pub fn notes() -> String {
    let note = |(at, limit): (usize, &Limit)| {
        format!("{}. {} {}: `{}`\n", at + 1, limit.client, limit.because, limit.said)
    };
    LIMITS.iter().enumerate().map(note).collect()
}
