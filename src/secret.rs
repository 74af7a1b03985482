//! Passwords and tokens: no `Display`, a redacted `Debug`, wiped when dropped.
//!
//! ```compile_fail
//! let secret = docker_credential_refresh::secret::Password::new("hunter2".into());
//! println!("{secret}"); // there is no Display
//! ```
//!
//! ```
//! let secret = docker_credential_refresh::secret::Password::new("hunter2".into());
//! assert_eq!(format!("{secret:?}"), "Password(..)");
//! ```

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

pub mod disguise;

/// What a token may be: 1 byte to 16 KiB of printable ASCII (RFC 6749 appendix A.12 and A.17).
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What is sent where a password is asked for, or looked for in what came back, whichever kind it is.
pub trait Secret {
    /// The text itself.
    fn expose(&self) -> &str;
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Takes the text; the caller keeps no copy.
            pub fn new(text: String) -> Self {
                Self(Zeroizing::new(text))
            }

            /// The text itself: the one way out, so that every use can be found.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl Secret for $name {
            fn expose(&self) -> &str {
                self.expose()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(Self::new)
            }
        }
    };
}

secret! {
    /// What a person typed or a script piped in. It is sent to the registry and its token
    /// endpoint, and handed to a fallback; it is never kept here. Where it is a token in truth, it goes
    /// on as a [`RefreshToken`], by [`Password::as_token`] alone.
    Password
}
secret! {
    /// What keychains keep: what a token server issues for offline access, or a personal token.
    RefreshToken
}
secret! {
    /// A Microsoft Entra access token: it is exchanged for a registry's refresh token, and never kept.
    EntraToken
}
secret! {
    /// The short-lived bearer token.
    AccessToken
}
secret! {
    /// What a token server exchanges for tokens once a person has approved the login (RFC 8628).
    DeviceCode
}
secret! {
    /// What opens the logins of the `file` keychain.
    AgeIdentity
}

/// Why a text cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenShape {
    /// Nothing at all.
    #[error("is empty")]
    Empty,
    /// More than [`MAX_TOKEN_BYTES`].
    #[error("is longer than 16 KiB")]
    TooLong,
    /// A byte outside 0x20 to 0x7E.
    #[error("has characters other than printable ASCII")]
    NotPrintable,
}

/// Checks the shape of a token, without telling its content.
///
/// # Errors
/// The first rule of [`MAX_TOKEN_BYTES`] that it breaks.
pub fn check_token(text: &str) -> Result<(), TokenShape> {
    match text.len() {
        0 => Err(TokenShape::Empty),
        n if n > MAX_TOKEN_BYTES => Err(TokenShape::TooLong),
        _ if !text.bytes().all(|b| (0x20..=0x7e).contains(&b)) => Err(TokenShape::NotPrintable),
        _ => Ok(()),
    }
}

impl Password {
    /// The token that this is, as its username (`<token>`, the null GUID), its server URL (Docker Hub's
    /// own pairs) or its form (a personal token) says. A password has none of these.
    pub fn as_token(&self) -> RefreshToken {
        RefreshToken::new(self.expose().to_owned())
    }
}

impl RefreshToken {
    /// Takes bytes from a keychain, and wipes them if they are no token.
    ///
    /// # Errors
    /// What [`check_token`] says, or [`TokenShape::NotPrintable`] for bytes that are not UTF-8.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, TokenShape> {
        let token = match String::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(error) => {
                error.into_bytes().zeroize();
                return Err(TokenShape::NotPrintable);
            }
        };
        check_token(token.expose()).map(|()| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_a_length_and_an_alphabet() {
        assert_eq!(check_token(""), Err(TokenShape::Empty));
        assert_eq!(check_token(&"x".repeat(MAX_TOKEN_BYTES)), Ok(()));
        assert_eq!(check_token(&"x".repeat(MAX_TOKEN_BYTES + 1)), Err(TokenShape::TooLong));
        assert_eq!(check_token("a\nb"), Err(TokenShape::NotPrintable));
        assert_eq!(check_token("é"), Err(TokenShape::NotPrintable));
        assert!(RefreshToken::from_bytes(vec![0xff]).is_err());
    }
}
