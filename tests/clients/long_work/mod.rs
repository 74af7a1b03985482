//! Work that lasts, and work that comes all at once, with real clients and a real registry:
//!
//! ```sh
//! FULL_SIZE=1 cargo test --test clients -- long_work --nocapture --test-threads=1
//! ```
//!
//! Without `FULL_SIZE` everything is shorter and less; what it prints is in docs/development.md.

mod beside;
mod image;
mod jobs;
mod link;
mod pulls;
mod tokens;
mod traces;

/// One of the two sizes: of each run, and of a long one.
fn size<T>(short: T, full: T) -> T {
    if std::env::var_os("FULL_SIZE").is_some() { full } else { short }
}
