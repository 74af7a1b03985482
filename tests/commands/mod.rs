//! The commands for people and scripts: arguments and stdin to stdout, stderr and exit status.

mod another_user;
mod check;
mod completions;
mod configure;
mod configure_clients;
mod configure_sweep;
mod doctor;
mod elsewhere;
mod help;
mod import;
mod import_configure;
mod import_sweep;
mod keygen;
mod keygen_sweep;
mod login;
mod login_left_plain;
mod login_tokens;
mod login_unchecked;
mod login_web;
mod logout;
mod migrate;
mod on_a_terminal;
mod preconditions;
mod revoke;
mod revoke_races;
mod status;
mod status_remembered;
mod token;
mod trace;
mod typed_secrets;

use crate::mock_token_server::{Builder, Profile, TokenServer};
use crate::support::user::User;

pub const PASSWORD: &str = "correct horse battery";

pub fn server() -> Builder {
    TokenServer::builder().profile(Profile::Specification).user("alice", PASSWORD)
}

/// A user who is logged in.
pub fn logged_in(server: &TokenServer) -> User {
    let user = User::trusting(server);
    log_in(&user, server);
    user
}

pub fn log_in(user: &User, server: &TokenServer) {
    log_in_to(user, server, "kernel");
}

/// The same, where another keychain is set.
pub fn log_in_to(user: &User, server: &TokenServer, keychain: &str) {
    user.secret(PASSWORD);
    let login = ["login", &server.registry_host(), "-u", "alice", "--password-stdin"];
    user.does(&login, PASSWORD).is(
        0,
        "Login Succeeded\n",
        &format!("stored in the {keychain} keychain"),
    );
}
