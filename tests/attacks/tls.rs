//! Certificates that do not hold, and trust that must not go further than it was given
//! (CVE-2019-10214).

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};

use super::{PASSWORD, Previous, server};
use crate::mock_token_server::{At, Fault, Origin, Pair, TokenServer};
use crate::support::user::User;

fn registry_table(host: &str, setting: &str) -> String {
    format!("[registry.\"{host}\"]\n{setting}\n")
}

/// The login fails in TLS, before anything was said.
#[track_caller]
fn refused(server: &TokenServer, user: &User, what: &str) {
    let previous = Previous::login(user, &server.registry_host());
    server.clear_journal();
    let outcome = user.store(&server.registry_host(), "alice", PASSWORD);
    assert!(outcome.stdout.contains("TLS"), "{what}: {outcome:?}");
    outcome.failed_with(&[]);
    assert_eq!(server.journal().passwords_sent(), 0, "{what}");
    previous.survives(user);
}

const BAD: [Fault; 4] = [
    Fault::ExpiredCertificate,
    Fault::WrongHostCertificate,
    Fault::UnknownCa,
    // Plain HTTP in the place of TLS.
    Fault::TlsOff,
];

#[test]
fn cve_2019_10214_a_token_server_has_to_prove_who_it_is() {
    // The registry's certificate is good, the one that gets the password has none that holds.
    for bad in BAD {
        let server = server().separate_registry().fault(At::Exchange, bad.clone()).start();
        refused(&server, &User::trusting(&server), &format!("{bad:?}"));
        let journal = server.journal();
        assert!(journal.iter().all(|request| request.listener == Origin::Registry));
        assert_eq!(journal.len(), 1);
    }
}

#[test]
fn a_registry_has_to_prove_who_it_is() {
    // Whoever answers for the registry names the realm.
    for bad in &BAD[..3] {
        let server = server().fault(At::Challenge, bad.clone()).start();
        refused(&server, &User::trusting(&server), &format!("{bad:?}"));
        assert!(server.journal().is_empty());
    }
}

#[test]
fn insecure_does_not_disable_certificate_checks() {
    // "insecure" is read as "take any certificate", and a stranger's is taken.
    for bad in &BAD[..3] {
        for at in [At::Challenge, At::Exchange] {
            let server = server().separate_registry().fault(at, bad.clone()).start();
            let (registry, token) = (server.registry_host(), server.token_origin());
            let user = User::trusting(&server);
            let token = token.strip_prefix("https://").unwrap();
            user.settings(
                &[&registry, token].map(|h| registry_table(h, "insecure = true")).concat(),
            );
            refused(&server, &user, &format!("{bad:?} at {at:?}"));
        }
    }
    let server = server().start();
    let user = User::new();
    user.set("DOCKER_CREDENTIAL_REFRESH_INSECURE", &server.registry_host());
    refused(&server, &user, "an unknown CA");
}

#[test]
fn a_ca_holds_for_the_registry_that_it_was_given_for() {
    // A CA for one registry vouches for any other host, and its key opens them all.
    let (server, other) = (server().start(), server().start());
    for host in ["127.0.0.1:1", "127.0.0.1", "localhost", &other.registry_host()] {
        let user = User::new();
        user.trust(host, &server);
        user.settings(&registry_table(
            host,
            &format!("ca_file = {:?}", server.ca_file().display().to_string()),
        ));
        refused(&server, &user, host);
    }
    let user = User::new();
    let ca_file = format!("ca_file = {:?}", server.ca_file().display().to_string());
    user.settings(&registry_table(&server.registry_host(), &ca_file));
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}

#[test]
fn a_registrys_ca_does_not_hold_on_another_site() {
    // A realm elsewhere is trusted by name; the registry's own CA could make anyone of that name.
    let server = server().separate_registry().start();
    let (registry, token) = (server.registry_host(), server.token_origin());
    let trusted = token.replace("127.0.0.1", "localhost");
    server.set_realm(&server.token_endpoint().replace("127.0.0.1", "localhost"));
    let user = User::trusting(&server);
    let setting = format!("{registry}={trusted}");
    user.set("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM", &setting);
    refused(&server, &user, "a realm on another site");

    user.trust(trusted.strip_prefix("https://").unwrap(), &server);
    user.store(&registry, "alice", PASSWORD).succeeded();
}

#[test]
fn a_client_certificate_is_shown_to_its_own_host_alone() {
    // A stranger that asks for a certificate learns who the user is, and can pass the proof on.
    let server = server().separate_registry().require_client_certificate().start();
    let (registry, token) = (server.registry_host(), server.token_origin());
    let user = User::trusting(&server);
    let pair = server.client_certificate().unwrap();
    let give_pair = |host: &str| {
        let folder = user.certs_d(host);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("client.cert"), &pair.certificate).unwrap();
        std::fs::write(folder.join("client.key"), &pair.key).unwrap();
    };
    give_pair(&registry);
    let trusted = token.replace("127.0.0.1", "localhost");
    let trusted_host = trusted.strip_prefix("https://").unwrap();
    user.trust(trusted_host, &server);
    user.set("DOCKER_CREDENTIAL_REFRESH_TRUST_REALM", &format!("{registry}={trusted}"));

    let own_realm = server.token_endpoint();
    server.set_realm(&own_realm.replace("127.0.0.1", "localhost"));
    let outcome = user.store(&registry, "alice", PASSWORD);
    outcome.failed_with(&["cannot log in at https://localhost"]);
    assert_eq!(server.journal().passwords_sent(), 0);
    assert!(server.journal().iter().all(|request| request.listener == Origin::Registry));

    // To another port of its own host it goes, and to the other host once it is given for it.
    server.set_realm(&own_realm);
    user.store(&registry, "alice", PASSWORD).succeeded();
    give_pair(trusted_host);
    server.set_realm(&own_realm.replace("127.0.0.1", "localhost"));
    user.store(&registry, "alice", PASSWORD).succeeded();
}

#[test]
fn a_client_certificate_follows_no_redirect_to_another_origin() {
    // Whoever answers on another port of the host asks for a certificate as well, and learns who
    // the user is.
    let server = server().separate_registry().require_client_certificate().start();
    let (registry, token) = (server.registry_host(), server.token_origin());
    let user = User::trusting(&server);
    let pair = server.client_certificate().unwrap();
    let give_pair = |host: &str| {
        let folder = user.certs_d(host);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("client.cert"), &pair.certificate).unwrap();
        std::fs::write(folder.join("client.key"), &pair.key).unwrap();
    };
    give_pair(&registry);
    for status in [301, 302, 303, 307, 308] {
        server.clear_journal();
        server.set_fault(At::Challenge, Fault::Redirect(status, format!("{token}/v2/")));
        user.store(&registry, "alice", PASSWORD).failed_with(&["cannot reach"]);
        let journal = server.journal();
        assert!(journal.iter().all(|request| request.listener == Origin::Registry), "{status}");
    }
    // One of its own it is shown, and the registry's own origin is shown the registry's.
    give_pair(token.strip_prefix("https://").unwrap());
    user.store(&registry, "alice", PASSWORD).failed_with(&["redirects more than 5 times"]);
    assert!(server.journal().iter().any(|request| request.listener == Origin::Token));
    server.clear_faults();
    server.set_fault(At::Challenge, Fault::Redirect(307, "/v2/x/tags/list".to_owned()));
    user.store(&registry, "alice", PASSWORD).succeeded();
}

/// What `openssl req -x509` makes, unless the change says otherwise.
fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Pair {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Pair { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// A server that shows `shown`, and a user who trusts `trusted` for it.
fn shows(shown: &Pair, trusted: &str) -> (TokenServer, User) {
    let (server, user) = (server().certificate(shown).start(), User::new());
    let folder = user.certs_d(&server.registry_host());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("server.crt"), trusted).unwrap();
    (server, user)
}

#[test]
fn a_self_signed_certificate_that_is_itself_trusted_holds() {
    for pair in [
        self_signed(|_| {}),
        self_signed(|params| params.is_ca = IsCa::ExplicitNoCa),
        self_signed(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any]),
        self_signed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0))),
    ] {
        let (server, user) = shows(&pair, &pair.certificate);
        user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    }
    // Wherever it is trusted.
    let pair = self_signed(|_| {});
    let server = server().certificate(&pair).start();
    let user = User::new();
    let file = user.home().join("server.crt");
    std::fs::write(&file, &pair.certificate).unwrap();
    let file = file.display().to_string();
    let setting = registry_table(&server.registry_host(), &format!("ca_file = {file:?}"));
    user.settings(&setting);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
    user.settings("");
    refused(&server, &user, "trusted nowhere");
    user.set("SSL_CERT_FILE", &file);
    user.store(&server.registry_host(), "alice", PASSWORD).succeeded();
}

#[test]
fn nothing_else_about_a_self_signed_certificate_is_forgiven() {
    // The exception for one kind of certificate lets in others.
    let trusted = self_signed(|_| {});
    let expired = self_signed(|params| params.not_after = date_time_ymd(2020, 1, 1));
    let future = self_signed(|params| params.not_before = date_time_ymd(2999, 1, 1));
    let elsewhere = self_signed(|params| {
        *params = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let nameless = self_signed(|params| params.subject_alt_names.clear());
    let for_clients = self_signed(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    let twin = self_signed(|_| {});
    let stolen = Pair { certificate: trusted.certificate.clone(), key: twin.key.clone() };
    // Signed by a CA that is trusted, and marked as one itself.
    let ca_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, ca_key).unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &ca).unwrap().pem();
    let below = Pair { certificate, key: key.serialize_pem() };
    for (what, shown, trusted) in [
        ("expired", &expired, &expired.certificate),
        ("not valid yet", &future, &future.certificate),
        ("another host's", &elsewhere, &elsewhere.certificate),
        ("without a name", &nameless, &nameless.certificate),
        ("a client's", &for_clients, &for_clients.certificate),
        ("another key of the same name", &twin, &trusted.certificate),
        ("shown without its key", &stolen, &trusted.certificate),
        ("a CA below the trusted one", &below, &ca.pem()),
    ] {
        let (server, user) = shows(shown, trusted);
        refused(&server, &user, what);
    }
    // For one registry it says nothing of another.
    let (server, user) = shows(&trusted, &trusted.certificate);
    let other = user.certs_d("127.0.0.1:1");
    std::fs::rename(user.certs_d(&server.registry_host()), other).unwrap();
    refused(&server, &user, "of another registry");
}
