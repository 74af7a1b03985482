//! What a command of the user's prints: a token, or JSON with one.

use serde::Deserialize;

use super::jwt;
use crate::secret::{EntraToken, RefreshToken, check_token};

/// A token by its kind.
pub enum Printed {
    /// One that goes to the registry's token endpoint.
    Refresh(RefreshToken),
    /// One of Microsoft Entra, which is exchanged first.
    Entra(EntraToken),
}

/// Why it is none.
#[derive(Debug, PartialEq, Eq)]
pub enum NotPrinted {
    /// Nothing that could be a token.
    NoToken,
    /// JSON that is for another registry.
    OfAnother(String),
}

impl Printed {
    /// Reads what was printed for a registry's host.
    ///
    /// # Errors
    /// [`NotPrinted`], without any of it but a registry's name.
    pub fn read(output: &[u8], registry: &str) -> Result<Self, NotPrinted> {
        let text = std::str::from_utf8(output).map_err(|_| NotPrinted::NoToken)?.trim();
        let token = if text.starts_with('{') {
            of_json(text, registry)?
        } else {
            RefreshToken::new(text.to_owned())
        };
        let is_token = check_token(token.expose()).is_ok() && !token.expose().contains(' ');
        match is_token {
            false => Err(NotPrinted::NoToken),
            true if jwt::is_of_entra(token.expose()) => {
                Ok(Self::Entra(EntraToken::new(token.expose().to_owned())))
            }
            true => Ok(Self::Refresh(token)),
        }
    }
}

/// As `az acr login --expose-token` prints it: Azure CLI's `acr/custom.py` has the same token under
/// both names, and under the first alone in earlier versions. `az account get-access-token` has
/// `accessToken` too.
fn of_json(text: &str, registry: &str) -> Result<RefreshToken, NotPrinted> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Members {
        #[serde(alias = "access_token")]
        access_token: Option<RefreshToken>,
        #[serde(alias = "refresh_token")]
        refresh_token: Option<RefreshToken>,
        login_server: Option<String>,
    }
    let members: Members = serde_json::from_str(text).map_err(|_| NotPrinted::NoToken)?;
    match members.login_server {
        Some(other) if !other.eq_ignore_ascii_case(registry) => Err(NotPrinted::OfAnother(other)),
        _ => members.refresh_token.or(members.access_token).ok_or(NotPrinted::NoToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match Printed::read(text.as_bytes(), "acme.azurecr.io") {
            Ok(Printed::Refresh(token)) => format!("refresh {}", token.expose()),
            Ok(Printed::Entra(token)) => format!("entra {}", token.expose()),
            Err(why) => format!("{why:?}"),
        }
    }

    fn of_issuer(issuer: &str) -> String {
        use base64::Engine;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        format!("e30.{}.sig", engine.encode(format!(r#"{{"iss":"{issuer}"}}"#)))
    }

    #[test]
    fn a_token_or_the_json_of_the_azure_cli() {
        assert_eq!(read("tok\n"), "refresh tok");
        assert_eq!(read(" tok \r\n"), "refresh tok");
        let old = r#"{"accessToken":"tok","loginServer":"acme.azurecr.io"}"#;
        assert_eq!(read(old), "refresh tok");
        let new = r#"{"accessToken":"a","loginServer":"Acme.azurecr.io","refreshToken":"r","username":"u"}"#;
        assert_eq!(read(new), "refresh r");
        assert_eq!(read(r#"{"access_token":"a","refresh_token":"r"}"#), "refresh r");
        let entra = of_issuer("https://sts.windows.net/6f0c/");
        let json = format!(r#"{{"accessToken":"{entra}","tokenType":"Bearer","tenant":"t"}}"#);
        assert_eq!(read(&json), format!("entra {entra}"));
        assert_eq!(read(&entra), format!("entra {entra}"));
        let azures = of_issuer("Azure Container Registry");
        assert_eq!(read(&azures), format!("refresh {azures}"));
        for issuer in ["https://sts.windows.net.evil.example/", "https://evil.example/"] {
            let other = of_issuer(issuer);
            assert_eq!(read(&other), format!("refresh {other}"), "{issuer}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "\n",
            "Please run az login",
            "two\nlines",
            "<html></html> x",
            "{}",
            "{\"accessToken\":7}",
            "{\"accessToken\":\"\"}",
            "{\"accessToken\":\"a\"",
            "{\"accessToken\":\"a b\"}",
            "t\u{f6}ken",
        ] {
            assert_eq!(read(text), "NoToken", "{text}");
        }
        let other = r#"{"accessToken":"tok","loginServer":"evil.azurecr.io"}"#;
        assert_eq!(read(other), "OfAnother(\"evil.azurecr.io\")");
    }
}
