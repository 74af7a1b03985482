//! The table of docs/registries.md, cell by cell.

use super::*;

const PAGE: &str = include_str!("../../docs/registries.md");
/// As long as Gitea's, without a prefix: nothing tells it from a password.
const OF_NO_FORM: &str = "0123456789abcdef0123456789abcdef01234567";

/// Behind each row of the table, the mock's profile and the registry's own kind of token. What is done
/// at Docker Hub itself is in `docker_hub.rs`.
const ROWS: [(&str, Profile, &str); 17] = [
    ("distribution token server 2.8", Profile::Distribution, OF_NO_FORM),
    ("artifact-keeper", Profile::ArtifactKeeper, OF_NO_FORM),
    ("Azure (ACR)", Profile::Acr, OF_NO_FORM),
    ("Single-use refresh tokens", Profile::RotatingSingleUse, OF_NO_FORM),
    ("Docker Hub", Profile::DockerHub, concat!("dckr_pat", "_0123456789abcdefghijABCDEFG")),
    ("GitLab", Profile::Gitlab, GITLAB),
    ("GHCR", Profile::Ghcr, GITHUB),
    ("Artifactory", Profile::Artifactory, ARTIFACTORY),
    ("Harbor", Profile::Harbor, OF_NO_FORM),
    ("Quay", Profile::Quay, OF_NO_FORM),
    ("Gitea, Forgejo, Codeberg", Profile::Gitea, OF_NO_FORM),
    ("Keycloak (docker-v2)", Profile::Keycloak, OF_NO_FORM),
    ("docker_auth", Profile::DockerAuth, OF_NO_FORM),
    ("Pulp", Profile::Pulp, OF_NO_FORM),
    ("Google (GCR, AR)", Profile::Google, OF_NO_FORM),
    ("Aliyun", Profile::Aliyun, OF_NO_FORM),
    ("Nexus, private ECR", Profile::BasicOnly, OF_NO_FORM),
];

/// What comes of a login, in the words of the page: what is kept, handed out and revoked.
fn comes_of(server: &TokenServer, name: &str, secret: &str) -> &'static str {
    comes_to(server, keeping(server), name, secret)
}

fn comes_to(server: &TokenServer, user: User, name: &str, secret: &str) -> &'static str {
    let host = server.registry_host();
    let stored = user.store(&host, name, secret);
    if stored.code != 0 {
        nothing(&user, server, stored, &["the password was not stored"]);
        return "nothing";
    }
    let answer = got(&user, &host);
    let removed = format!("Revoked and removed the login for {host}\n");
    let is_minted = user.records()[0].get("minted").is_some();
    let revoked = match is_minted {
        true => user.does(&["revoke", "--password-stdin", &host], secret),
        false => user.does(&["revoke", &host], ""),
    };
    assert!(user.records().is_empty());
    assert_eq!(user.kept(&host), None);
    if answer["Username"] == "<token>" {
        assert!(answer["Secret"] != secret || name == NULL_GUID);
        match revoked.code {
            0 => revoked.is(0, &removed, ""),
            _ => revoked.is(9, "", "no revocation endpoint is known"),
        };
        return "refresh token";
    }
    if is_minted {
        assert_eq!((&answer["Username"], server.minted_tokens().len()), (&json!(name), 0));
        assert_ne!(answer["Secret"], secret);
        revoked.is(0, &removed, "");
        return "minted token";
    }
    assert_eq!(answer, json!({"ServerURL": host, "Username": name, "Secret": secret}));
    revoked.is(9, "", "cannot be revoked from here").noted("revoke it where it was made");
    let asked = server.journal();
    assert!(asked.requests().iter().all(|r| r.path != "/revoke"), "it is no OAuth token");
    "as it is"
}

#[test]
fn every_cell_of_the_table_is_so() {
    let table = PAGE.split("\n\n").find(|part| part.starts_with("| Registry |")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ROWS.map(|row| row.0));
    for (row, (name, profile, token)) in rows.iter().zip(ROWS) {
        println!("{name}");
        let server = with_token(profile, token).start();
        assert_eq!(comes_of(&server, "alice", PASSWORD), row[2]);
        let minting = keeping(&server);
        minting.set("DOCKER_CREDENTIAL_REFRESH_MINT", "auto");
        let minted = comes_to(&server, minting, "alice", PASSWORD);
        // Its API is at an address of its own (`tests/minting/docker_hub.rs`).
        assert_eq!(if name == "Docker Hub" { "minted token" } else { minted }, row[3]);
        let personal = comes_of(&server, "alice", token);
        match token {
            OF_NO_FORM => assert_eq!((row[4], personal), ("no form known", "nothing")),
            _ => assert_eq!(row[4], personal),
        }
        let other = row[5].rsplit_once(": ").map(|(_, what)| what);
        if profile == Profile::Acr {
            let token = server.issue_refresh_token("alice", "docker");
            assert_eq!(other, Some(comes_of(&server, NULL_GUID, &token)));
        } else if name != "Docker Hub" {
            assert_eq!(other, None);
        }
    }
}

/// The form decides which secret is one, and the registry whether it is good.
#[test]
fn any_registry_without_refresh_tokens_may_take_one() {
    for profile in [
        Profile::Gitlab,
        Profile::Ghcr,
        Profile::Harbor,
        Profile::HarborRefusesOfflineToken,
        Profile::Quay,
        Profile::Gitea,
        Profile::Keycloak,
        Profile::DockerAuth,
        Profile::Pulp,
        Profile::Artifactory,
        Profile::Google,
        Profile::Aliyun,
        Profile::BasicOnly,
        Profile::NoRefreshTokens,
        Profile::ArtifactKeeper,
        Profile::Acr,
    ] {
        println!("{}", profile.name());
        let server = with_token(profile, GITHUB).start();
        assert_eq!(comes_of(&server, "alice", GITHUB), "as it is");
        assert_eq!(
            comes_of(&server, "alice", PASSWORD) == "refresh token",
            profile == Profile::ArtifactKeeper
        );
    }
}
