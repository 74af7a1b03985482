//! Redirects: GHSA-vh4v-2xq2-g5cg, CVE-2023-45289, go-containerregistry #2292.

use super::{Attacker, PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault};
use crate::support::user::User;

const ALL: [u16; 5] = [301, 302, 303, 307, 308];

#[test]
fn ghsa_vh4v_2xq2_g5cg_a_credential_follows_no_redirect() {
    // A redirect of the token endpoint repeats the password, in a form or a header, elsewhere.
    let attacker = Attacker::listen();
    let friend = server().start();
    for at in [At::ExchangePost, At::ExchangeGet, At::Proof] {
        let mut builder = server();
        if at == At::ExchangeGet {
            builder = builder.post_status(404);
        }
        let server = builder.authority_of(&friend).start();
        let user = User::trusting(&server);
        let previous = Previous::login(&user, &server.registry_host());
        for status in ALL {
            for to in [
                format!("https://127.0.0.2:{}/token", attacker.port()),
                format!("http://127.0.0.1:{}/token", attacker.port()),
                format!("//127.0.0.2:{}/token", attacker.port()),
                // Not even to the same host, where a token would be had.
                friend.token_endpoint(),
                "/token/again".to_owned(),
            ] {
                server.set_fault(at, Fault::Redirect(status, to));
                server.clear_journal();
                let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
                outcome.failed_with(&[&format!("status {status}"), "redirects are not followed"]);
                let lines = server.journal().lines();
                assert!(!lines.iter().any(|line| line.contains("again")), "{lines:?}");
                // Nor is the token server asked again, but where it revokes what it issued.
                let mut asked = lines.iter().rev().filter(|line| line.contains("/token"));
                assert!(asked.next().unwrap().ends_with(&format!(" {status}")), "{lines:?}");
            }
        }
        previous.survives(&user);
    }
    attacker.saw_nothing("redirects of the token endpoint");
    assert!(friend.journal().is_empty() && friend.journal().connections().is_empty());
}

#[test]
fn cve_2023_45289_the_challenge_is_fetched_from_the_registrys_site_alone() {
    // A redirect of the first request makes a stranger the one who names the realm.
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    let port = attacker.port();
    for status in ALL {
        for (to, why) in [
            (format!("https://127.0.0.2:{port}/v2/"), "is on another site"),
            (format!("https://localhost:{port}/v2/"), "is on another site"),
            (format!("https://[::1]:{port}/v2/"), "is on another site"),
            (format!("//127.0.0.2:{port}/v2/"), "is on another site"),
            (format!("https://2130706434:{port}/v2/"), "is on another site"),
            (format!("https://evil.example:{port}/v2/"), "is on another site"),
            (format!("http://127.0.0.1:{port}/v2/"), "would downgrade to plain http"),
            (format!("http://127.0.0.2:{port}/v2/"), "would downgrade to plain http"),
            (format!("https://u:p@127.0.0.1:{port}/v2/"), "has a username"),
            (format!("https://127.0.0.1:{port}/v2/#x"), "has a fragment"),
            (format!("https:\\\\127.0.0.1:{port}\\v2\\"), "is not a URL"),
            (format!("ftp://127.0.0.1:{port}/v2/"), "is not an absolute"),
            ("data:text/plain,x".to_owned(), "is not an absolute"),
            (String::new(), "is not a URL"),
        ] {
            server.set_fault(At::Challenge, Fault::Redirect(status, to.clone()));
            let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
            assert!(outcome.stdout.contains(why), "{status} {to}: {outcome:?}");
            outcome.failed_with(&["redirects to"]);
            attacker.saw_nothing(&to);
        }
    }
    previous.survives(&user);
    assert_eq!(server.journal().passwords_sent(), 0);
}

#[test]
fn a_chain_of_redirects_ends() {
    // A chain without end holds the client, or leads it elsewhere at the last step.
    let (server, attacker) = (server().start(), Attacker::listen());
    let user = User::trusting(&server);
    let previous = Previous::login(&user, &server.registry_host());
    server.set_fault(At::Challenge, Fault::Redirect(307, "/v2/".into()));
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    outcome.failed_with(&["redirects more than 5 times"]);
    assert_eq!(server.journal().len(), 6);

    server.clear_faults();
    server.clear_journal();
    server.add_fault(At::Challenge, Fault::Redirect(302, "/v2/".into()), Some(4));
    let evil = format!("https://127.0.0.2:{}/v2/", attacker.port());
    server.add_fault(At::Challenge, Fault::Redirect(302, evil), None);
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    outcome.failed_with(&["another site"]);
    previous.survives(&user);

    server.clear_faults();
    server.add_fault(At::Challenge, Fault::Redirect(308, "/v2/".into()), Some(5));
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    attacker.saw_nothing("a chain");
}

#[test]
fn a_redirected_challenge_is_judged_by_the_host_that_was_typed() {
    // Whoever answers after a redirect on the site still cannot send the login off the site.
    let attacker = Attacker::listen();
    let second = server().start();
    let first = server().authority_of(&second).start();
    let user = User::trusting(&first);
    let previous = Previous::login(&user, &first.registry_host());
    first.set_fault(At::Challenge, Fault::Redirect(307, format!("{}/v2/", second.registry_url())));
    second.set_realm(&format!("https://127.0.0.2:{}/token", attacker.port()));
    let outcome = user.store(&first.registry_host(), "alice", PASSWORD);
    outcome.failed_with(&["sends its logins to https://127.0.0.2", "nothing was sent"]);
    previous.survives(&user);
    attacker.saw_nothing("a realm after a redirect");

    second.set_realm(&second.token_endpoint());
    user.store(&first.registry_host(), "alice", PASSWORD).succeeded();
    assert_eq!(first.journal().passwords_sent(), 0);
    assert_eq!(second.journal().passwords_sent(), 1);
}
