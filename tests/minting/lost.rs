//! Answers that are lost: a token may be there of which nobody knows but its name.

use super::*;

/// Where a person deletes it.
fn page(place: &Place) -> String {
    match place.name {
        "docker-hub" => "https://app.docker.com/settings/personal-access-tokens".to_owned(),
        "artifactory" => format!("https://{}/ui/", place.host),
        _ => format!("https://{}/user/settings/applications", place.host),
    }
}

/// Only a token that may be there is spoken of, by its name; the next login finds it by that.
#[test]
fn a_token_that_may_have_been_made_is_named_and_the_next_login_deletes_it() {
    for place in everywhere() {
        let secret = match place.name {
            "docker-hub" => "token",
            "artifactory" => "access_token",
            _ => "sha1",
        };
        for (fault, is_made) in [
            (Fault::TruncatedBody, true),
            (Fault::Reset, false),
            (Fault::status(502), false),
            (Fault::OverlongBody, true),
            (Fault::CaptivePortal, false),
            (Fault::RemoveField(secret.into()), true),
        ] {
            place.server.set_fault(At::ApiCreate, fault.clone());
            let stored = place.user.store(&place.host, "alice", PASSWORD);
            let tokens = place.server.minted_tokens();
            // Artifactory's first answer is that a token does not last so long.
            let is_first = !matches!(fault, Fault::RemoveField(_)) && place.name == "artifactory";
            let is_made = is_made && !is_first;
            assert_eq!(tokens.len(), usize::from(is_made), "{}: {fault:?}", place.name);
            let named = tokens.first().map_or("docker-credential-refresh@", |token| &token.name);
            let named = format!("a token called \"{named}");
            let what = format!(
                "may have been made: the next login deletes it, or delete it at {}",
                page(&place)
            );
            stored.failed_with(&[&named, &what]);
            place.server.clear_faults();
            place.log_in();
            place.revoke();
        }
        for fault in [Fault::status(429), Fault::status(400), Fault::status(403)] {
            place.server.set_fault(At::ApiCreate, fault.clone());
            let stored = place.user.store(&place.host, "alice", PASSWORD);
            assert!(!stored.stdout.contains("may have been made"), "{fault:?}: {stored:?}");
            assert_eq!(place.server.minted_tokens(), []);
            place.server.clear_faults();
        }
    }
}

/// Artifactory lets only the new token see the others.
#[test]
fn one_that_is_made_first_and_cannot_be_deleted_is_named() {
    let place = of_artifactory();
    for at in [At::ApiList, At::ApiDelete] {
        place.server.set_fault(at, Fault::status(503));
    }
    let stored = place.user.store(&place.host, "alice", PASSWORD);
    let [token] = &place.server.minted_tokens()[..] else { panic!("{stored:?}") };
    let said = format!("the new token {:?} was not kept, and stays valid: ", token.name);
    let stored =
        stored.failed_with(&["answered the request about tokens with status 503"]).noted(&said);
    let next = format!("the next login deletes it, or delete it at {}", page(&place));
    stored.noted(&next);
    place.server.clear_faults();
    place.log_in();
}

/// A date that no calendar has is no reason to fail, and none to panic.
#[test]
fn an_absurd_expiry_is_no_expiry() {
    let far = json!(999_999_999_999_999_u64);
    for seconds in [far, json!(u64::MAX), json!(9e300), json!(-1), json!("soon")] {
        let place = of_artifactory();
        place.server.set_fault(At::ApiCreate, Fault::SetField("expires_in".into(), seconds));
        place.log_in();
        assert_eq!(place.user.records()[0]["expires"], Value::Null);
    }
    let place = of_docker_hub();
    let absurd = Fault::SetField("expires_at".into(), json!("99999-01-01T00:00:00Z"));
    place.server.set_fault(At::ApiCreate, absurd);
    place.log_in();
    assert_eq!(place.user.records()[0]["expires"], Value::Null);
}
