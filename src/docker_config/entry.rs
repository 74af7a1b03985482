//! One entry of `auths`: a login as clients write it in plain text.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jsonc_parser::ast::Object;
use zeroize::{Zeroize, Zeroizing};

use super::edit;
use crate::secret::Password;

/// The fields that hold a login; anything else in an entry stays.
pub(super) const LOGIN_FIELDS: [&str; 4] = ["auth", "username", "password", "identitytoken"];

/// What clients read of an entry.
const READ_FIELDS: [&str; 5] = ["auth", "username", "password", "identitytoken", "registrytoken"];

/// A login in a file. Its secret stays there until [`Document::secret_of`](super::Document::secret_of)
/// asks for it, so that nobody holds one while a keychain is waited for. Only where a token was made of
/// a password by Gitea's API, which deletes the previous token for nothing else, it is held until then.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The server URL, as the file spells it.
    pub server_url: String,
    /// The username, empty if there is none.
    pub account: String,
    /// What it is worth.
    pub kind: EntryKind,
    mark: Mark,
}

/// Tells whether a secret is still the same. It means nothing outside this process: the key of the hash
/// is random, and never shown.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u64);

/// What an entry of `auths` holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A password.
    Password,
    /// A refresh token that a client got by itself.
    IdentityToken,
    /// A short-lived bearer token, which no helper can give to a client.
    RegistryToken,
    /// Nothing that a client could use, and why.
    Damaged(&'static str),
}

impl EntryKind {
    /// What it is called in messages.
    pub fn noun(self) -> &'static str {
        match self {
            // What cannot be read as one may still be one.
            Self::Password | Self::Damaged(_) => "password",
            Self::IdentityToken | Self::RegistryToken => "token",
        }
    }
}

impl Mark {
    fn of(secret: &Password) -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self(KEY.hash_one(secret.expose()))
    }
}

impl Entry {
    fn new(
        server_url: &str,
        account: String,
        kind: EntryKind,
        secret: Password,
    ) -> (Self, Password) {
        let (server_url, mark) = (server_url.to_owned(), Mark::of(&secret));
        (Self { server_url, account, kind, mark }, secret)
    }

    /// Whether both give a client the same username and secret.
    pub fn has_same_login(&self, other: &Self) -> bool {
        (&self.account, self.kind, self.mark) == (&other.account, other.kind, other.mark)
    }

    /// Reads an entry as docker does (docker/cli `cli/config/configfile`), and its secret; none if no
    /// login is in it.
    pub(super) fn read(server_url: &str, fields: &Object<'_>) -> Option<(Self, Password)> {
        let none = || Password::new(String::new());
        // Go takes the last of two. Which one another program takes is unknown, so neither is touched.
        let is_twice = |field: &str| {
            fields.properties.iter().filter(|property| edit::is_field(property, field)).count() > 1
        };
        if READ_FIELDS.iter().any(|field| is_twice(field)) {
            let kind = EntryKind::Damaged("one of its fields appears twice");
            return Some(Self::new(server_url, String::new(), kind, none()));
        }
        let text = |name| {
            let value = edit::find(fields, name)?.value.as_string_lit()?.value.as_ref();
            (!value.is_empty()).then_some(value)
        };
        let (account, kind, password) = match text("auth").map(decode) {
            Some(Err(why)) => (String::new(), EntryKind::Damaged(why), none()),
            Some(Ok((account, password))) => (account, EntryKind::Password, password),
            None => {
                let password = Password::new(text("password").unwrap_or_default().to_owned());
                (text("username").unwrap_or_default().to_owned(), EntryKind::Password, password)
            }
        };
        let (kind, secret) = match (kind, text("identitytoken"), text("registrytoken")) {
            (_, Some(token), _) => (EntryKind::IdentityToken, Password::new(token.to_owned())),
            (EntryKind::Password, None, token) if password.expose().is_empty() => {
                // Docker leaves an empty entry for each login that a helper keeps.
                token.map(|_| (EntryKind::RegistryToken, none()))?
            }
            (kind, ..) => (kind, password),
        };
        Some(Self::new(server_url, account, kind, secret))
    }
}

/// `base64(user:password)`.
fn decode(auth: &str) -> Result<(String, Password), &'static str> {
    // Go's decoder skips line ends and demands the padding.
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    let plain: Zeroizing<String> =
        Zeroizing::new(auth.chars().filter(|c| !matches!(c, '\r' | '\n')).collect());
    let bytes = GeneralPurpose::new(&STANDARD, config)
        .decode(plain.as_bytes())
        .map_err(|_| "its auth is not base64")?;
    let text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        "its auth is not UTF-8"
    })?;
    let text = Zeroizing::new(text);
    let (account, password) = text.split_once(':').ok_or("its auth has no colon")?;
    if account.is_empty() {
        return Err("its auth has no username");
    }
    // Docker writes and strips NUL bytes there.
    let password = Password::new(password.trim_matches('\0').to_owned());
    Ok((account.to_owned(), password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(String, String)> {
        let value = edit::parse(json).unwrap().unwrap();
        Entry::read("h", value.as_object().unwrap()).map(|(entry, secret)| {
            let login = match entry.kind {
                EntryKind::Password => format!("password {}", secret.expose()),
                EntryKind::IdentityToken => format!("token {}", secret.expose()),
                EntryKind::RegistryToken => "registry token".into(),
                EntryKind::Damaged(why) => why.to_owned(),
            };
            (entry.account, login)
        })
    }

    #[test]
    fn entries_are_read_as_docker_reads_them() {
        for (json, account, login) in [
            (r#"{"auth":"YTpiOmM="}"#, "a", "password b:c"),
            (r#"{"Auth":"YTpiOmM=\n","email":"e"}"#, "a", "password b:c"),
            (r#"{"auth":"YTpiAAA=","username":"x","password":"y"}"#, "a", "password b"),
            (r#"{"username":"x","password":"y"}"#, "x", "password y"),
            (r#"{"auth":"YTo=","identitytoken":"t"}"#, "a", "token t"),
            (r#"{"identitytoken":"t"}"#, "", "token t"),
            (r#"{"registrytoken":"r"}"#, "", "registry token"),
            (r#"{"auth":"YTpi","registrytoken":"r"}"#, "a", "password b"),
            (r#"{"auth":"?"}"#, "", "its auth is not base64"),
            (r#"{"auth":"YTo"}"#, "", "its auth is not base64"),
            (r#"{"auth":"YWI="}"#, "", "its auth has no colon"),
            (r#"{"auth":"OmI="}"#, "", "its auth has no username"),
            (r#"{"auth":"/zph"}"#, "", "its auth is not UTF-8"),
            (r#"{"auth":"YTpi","Auth":"YTpj"}"#, "", "one of its fields appears twice"),
            (r#"{"auth":"YTpi","auth":null}"#, "", "one of its fields appears twice"),
            (r#"{"password":"b","pa\u017f\u017fword":"c"}"#, "", "one of its fields appears twice"),
            (
                r#"{"identitytoken":"t","identityto\u212aen":"u"}"#,
                "",
                "one of its fields appears twice",
            ),
        ] {
            assert_eq!(read(json), Some((account.into(), login.into())), "{json}");
        }
        for json in ["{}", r#"{"email":"e"}"#, r#"{"auth":""}"#, r#"{"username":"x"}"#] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn two_entries_have_the_same_login_if_a_client_gets_the_same_from_both() {
        let entry = |json: &str| {
            let value = edit::parse(json).unwrap().unwrap();
            Entry::read("h", value.as_object().unwrap()).unwrap().0
        };
        let one = entry(r#"{"auth":"YTpi"}"#);
        assert!(one.has_same_login(&entry(r#"{"username":"a","password":"b"}"#)));
        for other in
            [r#"{"auth":"YTpj"}"#, r#"{"auth":"Yjpi"}"#, r#"{"auth":"YTo=","identitytoken":"b"}"#]
        {
            assert!(!one.has_same_login(&entry(other)), "{other}");
        }
        let nouns =
            ["{\"auth\":\"?\"}", r#"{"identitytoken":"t"}"#].map(|json| entry(json).kind.noun());
        assert_eq!(nouns, ["password", "token"]);
    }
}
