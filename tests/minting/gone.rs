//! Minted tokens that are dead at the registry, or gone from the keychain.

use super::*;

#[test]
fn one_that_is_dead_at_the_registry_needs_no_password_to_be_revoked() {
    for place in everywhere() {
        for command in [&["revoke", &place.host][..], &["logout", "--revoke", &place.host]] {
            place.log_in();
            let key = place.key();
            place.server.delete_minted_tokens();
            let expected =
                format!("Removed the login for {}, whose token no longer works\n", place.host);
            place.user.does(command, "").is(0, &expected, "");
            assert!(place.user.records().is_empty());
            assert_eq!(place.user.kept(&key), None);
        }
    }
}

#[test]
fn one_that_is_gone_from_the_keychain_is_deleted_by_the_password() {
    for place in [of_gitea(), of_docker_hub()] {
        let gone = || {
            place.log_in();
            place.user.keychain().delete(&place.key()).unwrap();
        };
        gone();
        let revoke = ["revoke", "--password-stdin", &place.host];
        // What is known of it stays until it is deleted.
        place.user.does(&revoke, "wrong horse").code_is(4).noted("the login is still stored here");
        place.server.set_fault(At::ApiDelete, Fault::status(503));
        place.user.does(&revoke, PASSWORD).code_is(7).noted("the login is still stored here");
        place.server.clear_faults();
        assert_eq!((place.user.records().len(), place.server.minted_tokens().len()), (1, 1));
        place.user.does(&revoke, PASSWORD).is(
            0,
            &format!("Revoked and removed the login for {}\n", place.host),
            "",
        );
        assert_eq!((place.user.records(), place.server.minted_tokens()), (vec![], vec![]));
        // Without it, whoever can delete it is told where.
        gone();
        let name = place.server.minted_tokens()[0].name.clone();
        let revoked = place.user.does(&["revoke", &place.host], "").code_is(3);
        revoked.noted(&format!("its record was removed; delete {name:?} at https://"));
        assert!(place.user.records().is_empty());
        place.log_in();
    }
}

/// Docker's logout finds nothing to revoke, and is none the worse for it.
#[test]
fn one_that_is_gone_from_the_keychain_is_erased_without_a_word() {
    let place = of_gitea();
    place.user.set("DOCKER_CREDENTIAL_REFRESH_REVOKE_ON_ERASE", "true");
    place.log_in();
    place.user.keychain().delete(&place.key()).unwrap();
    let erased = place.user.erase(&place.host).succeeded();
    assert_eq!((erased.stdout.as_str(), erased.stderr.as_str()), ("", ""));
    assert!(place.user.records().is_empty());
    place.log_in();
}

/// A registry that is out of order refuses everybody, and a live token with them.
#[test]
fn only_a_refusal_of_the_token_shows_that_it_is_deleted() {
    let place = of_gitea();
    place.log_in();
    for fault in [Fault::status(404), Fault::status(501), Fault::oauth(400, "invalid_request")] {
        place.server.set_fault(At::ExchangeGet, fault.clone());
        place.server.add_fault(At::ApiDelete, Fault::status(204), None);
        let revoke = ["revoke", "--password-stdin", &place.host];
        let revoked = place.user.does(&revoke, PASSWORD).code_is(9);
        revoked.noted("deleted the token (").noted("the login is still stored here");
        place.server.clear_faults();
        place.only_one();
    }
}

/// Nothing tells a wrong password from one that wants a second factor beside it.
#[test]
fn a_password_that_is_refused_may_want_a_second_factor() {
    for place in [of_gitea(), of_docker_hub()] {
        place.log_in();
        let name = place.server.minted_tokens()[0].name.clone();
        place.server.set_two_factor();
        let revoke = ["revoke", "--password-stdin", &place.host];
        let revoked = place.user.does(&revoke, PASSWORD).code_is(4);
        let next =
            format!("if the account has two-factor authentication, delete {name:?} at https://");
        revoked.noted("or wants a second factor; the login is still stored here; ").noted(&next);
        place.only_one();
    }
}
