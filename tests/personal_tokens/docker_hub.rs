//! Docker Hub's own login, in Docker's order (docker/cli `internal/oauth/manager`): an access token, a
//! refresh token, and then a personal token.

use super::*;
use crate::support::tunnel;

const HUB: &str = "https://index.docker.io/v1/";
const ACCESS: &str = "https://index.docker.io/v1/access-token";
const REFRESH: &str = "https://index.docker.io/v1/refresh-token";
const TOKEN: &str = concat!("dckr_pat", "_0123456789abcdefghijABCDEFG");
const PAIR: [(&str, &str); 2] =
    [(ACCESS, "eyJh.access.token"), (REFRESH, "v1.refresh-token..client-id")];

/// Docker Hub, as far as logins see it.
fn hub() -> (TokenServer, User) {
    let server = with_token(Profile::NoRefreshTokens, TOKEN)
        .realm("https://auth.docker.io/token")
        .service("registry.docker.io")
        .start();
    let user = User::new();
    user.set("HTTPS_PROXY", &tunnel::to(&server.registry_host()));
    user.set("SSL_CERT_FILE", server.ca_file().to_str().unwrap());
    (server, user)
}

fn store_pair(user: &User) {
    for (key, secret) in PAIR {
        user.store(key, "alice", secret).succeeded();
    }
}

#[test]
fn the_three_stores_need_no_setting_and_the_logout_reads_the_pair_first() {
    let (server, user) = hub();
    store_pair(&user);
    assert!(server.journal().is_empty(), "the pair is Docker's own");
    user.store(HUB, "alice", TOKEN).succeeded().noted("personal token for");
    assert_eq!(steps(&server.journal()), ["ping", "post", "get-offline"]);
    handed_out(&user, HUB, "alice", TOKEN);
    for (key, secret) in PAIR {
        handed_out(&user, key, "alice", secret);
    }
    assert_eq!(user.list(), json!({HUB: "alice", ACCESS: "alice", REFRESH: "alice"}));
    // docker logout.
    handed_out(&user, REFRESH, "alice", PAIR[1].1);
    for key in [ACCESS, REFRESH, HUB] {
        user.erase(key).succeeded();
    }
    assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
}

#[test]
fn without_the_pair_the_setting_decides() {
    let (_server, user) = hub();
    let offer = "to keep a Docker access token as it is";
    user.store(HUB, "alice", TOKEN).failed_with(&[offer]);
    // Half a pair, or another account's, is none of this login.
    user.store(ACCESS, "alice", PAIR[0].1).succeeded();
    user.store(HUB, "alice", TOKEN).failed_with(&[offer]);
    user.store(REFRESH, "bob", PAIR[1].1).succeeded();
    user.store(HUB, "alice", TOKEN).failed_with(&[offer]);
    assert_eq!(user.records().len(), 2, "they are nobody's that failed");
    user.set("DOCKER_CREDENTIAL_REFRESH_PERSONAL_TOKENS", "keep");
    user.store(HUB, "alice", TOKEN).succeeded();
    handed_out(&user, HUB, "alice", TOKEN);
}

#[test]
fn when_the_third_store_fails_the_pair_does_not_stay_behind() {
    let (server, user) = hub();
    for (secret, fault) in [
        (PASSWORD, None),
        (GITLAB, None),
        (TOKEN, Some(Fault::status(503))),
        (TOKEN, Some(Fault::status(401))),
    ] {
        store_pair(&user);
        if let Some(fault) = fault {
            server.set_fault(At::ExchangeGet, fault);
        }
        let stored = user.store(HUB, "alice", secret);
        assert_eq!(stored.code, 1, "{stored:?}");
        stored.noted("refresh-token was removed again, since the login failed");
        server.clear_faults();
        assert!(user.records().is_empty() && user.keychain().list().unwrap().logins.is_empty());
        user.get(REFRESH).not_found();
    }
}

#[test]
fn a_pair_that_belongs_to_an_earlier_login_stays_with_it() {
    let (_server, user) = hub();
    store_pair(&user);
    user.store(HUB, "alice", TOKEN).succeeded();
    user.store(HUB, "alice", PASSWORD).failed_with(&["the password was not stored"]);
    handed_out(&user, HUB, "alice", TOKEN);
    handed_out(&user, REFRESH, "alice", PAIR[1].1);
    // The next login of that kind: its own pair goes, and the token of the first stays.
    store_pair(&user);
    user.store(HUB, "alice", PASSWORD).failed_with(&["the password was not stored"]);
    handed_out(&user, HUB, "alice", TOKEN);
    user.get(REFRESH).not_found();
}

#[test]
fn our_own_logout_takes_all_three_and_revoking_names_the_page() {
    let (_server, user) = hub();
    store_pair(&user);
    user.store(HUB, "alice", TOKEN).succeeded();
    let details = user.does(&["status", REFRESH], "").succeeded();
    assert!(details.stdout.contains("Kind:        Docker's own OAuth token\n"), "{details:?}");
    let page = "https://app.docker.com/settings/personal-access-tokens";
    let revoked = user.does(&["logout", "--revoke"], "").code_is(9).noted(page);
    assert!(revoked.stderr.contains("docker logout revokes it first"), "{revoked:?}");
    assert!(user.records().is_empty());
    store_pair(&user);
    user.store(HUB, "alice", TOKEN).succeeded();
    let removed = user.does(&["logout"], "").succeeded();
    assert_eq!(removed.stdout.lines().count(), 3, "{removed:?}");
    assert!(user.records().is_empty());
}
