//! What an answer says: its content and its headers.

use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::{Failure, Response, coding};

impl Response {
    /// The body without its coding.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] and [`Failure::Coding`].
    pub fn content(&self) -> std::result::Result<Zeroizing<Vec<u8>>, Failure> {
        coding::decode(&self.header_bytes("content-encoding"), &self.body)
    }

    /// A header as printable text, for messages and redirects.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// All headers of one name as bytes.
    pub fn header_bytes(&self, name: &str) -> Vec<&[u8]> {
        self.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
    }

    /// The status, and when to come back if the server says so (RFC 9110 section 10.2.3). What is
    /// neither seconds nor a date is not repeated: it could echo what the server was sent.
    pub fn describe(&self) -> String {
        let status = self.status;
        let after = self.header("retry-after").map(str::trim).unwrap_or_default();
        if let Ok(seconds) = after.parse::<u32>() {
            return format!("status {status}, and asks to try again in {seconds} s");
        }
        match jiff::fmt::rfc2822::parse(after) {
            Ok(date) => {
                let at = date.timestamp();
                format!("status {status}, and asks to try again after {at:.0}")
            }
            Err(_) => format!("status {status}"),
        }
    }
}
