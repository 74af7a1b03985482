//! What every keychain promises. By itself this runs on the memory keychain; the other tests start
//! it again in a process of its own for each real one.

use std::env;
use std::thread;

use docker_credential_refresh::keychain::{Error, Keychain, KeychainName, Listed, Options};
use docker_credential_refresh::secret::RefreshToken;

use crate::support::keychains::agent::{Agent, answer, answers, told};
use crate::support::keychains::memory::Memory;

/// Processes that use it together.
const AT_ONCE: usize = 50;

/// Opens the keychain under test, each time anew.
type Open<'a> = &'a dyn Fn(&str) -> Keychain;

#[test]
fn holds() {
    let name = env::var("AGENT_KEYCHAIN").unwrap_or_else(|_| "memory".to_owned());
    let memory = Memory::new();
    let options = Options {
        encrypted_session: env::var_os("AGENT_ENCRYPTED").is_some(),
        ..Options::default()
    };
    let open = |profile: &str| match name.as_str() {
        "memory" => memory.keychain(KeychainName::Kernel, profile),
        name => Keychain::open(&name.parse().unwrap(), profile, &options).unwrap(),
    };
    // A profile for each process, so that runs do not meet in a keychain that they share.
    let profile = format!("test-{}", std::process::id());
    keeps_replaces_and_deletes(&open, &profile);
    keeps_tokens_of_every_size(&open, &profile);
    keeps_names_apart(&open, &profile);
    keeps_profiles_apart(&open, &profile);
    // What the library's writers do one after the other a helper need not stand at once: for those,
    // `keychain::pass` starts the library itself so often.
    if !name.starts_with("helper:") {
        serves_fifty_processes_at_once(&open, &name, &profile);
    }
    assert_eq!(listed(&open(&profile)), [], "nothing is left");
}

fn token(text: &str) -> RefreshToken {
    RefreshToken::new(text.to_owned())
}

fn listed(keychain: &Keychain) -> Vec<Listed> {
    let listing = keychain.list().unwrap();
    assert_eq!(listing.older, [], "never two items");
    listing.complete().unwrap()
}

fn keys(keychain: &Keychain) -> Vec<String> {
    listed(keychain).into_iter().map(|login| login.key).collect()
}

/// What is left of an account: another helper has a place for it only where it is the username.
fn kept<'a>(keychain: &Keychain, key: &str, account: &'a str) -> &'a str {
    let keeps = !matches!(keychain.name(), KeychainName::Helper(_)) || key.ends_with("-token");
    if keeps { account } else { "" }
}

/// KeePassXC alone cannot tell it from a login in a database that is closed.
fn not_there() -> &'static str {
    if env::var_os("AGENT_IS_KEEPASSXC").is_some() { "elsewhere: " } else { "absent: " }
}

fn is_absent<T>(result: Result<T, Error>) -> bool {
    result.is_err_and(|error| told(&error).starts_with(not_there()))
}

fn keeps_replaces_and_deletes(open: Open, profile: &str) {
    let keychain = open(profile);
    keychain.unlock().unwrap();
    assert!(is_absent(keychain.get("registry.example.com")));
    assert!(is_absent(keychain.delete("registry.example.com")));
    keychain.put("registry.example.com", "alice", &token("first")).unwrap();
    for (account, text) in [("alice", "second"), ("bob", "third"), ("", "fourth")] {
        open(profile).put("registry.example.com", account, &token(text)).unwrap();
        let item = open(profile).get("registry.example.com").unwrap();
        let account = kept(&keychain, "registry.example.com", account);
        assert_eq!((item.account.as_str(), item.token.expose()), (account, text));
        assert_eq!(keys(&keychain), ["registry.example.com"], "never two items");
    }
    keychain.delete("registry.example.com").unwrap();
    assert!(is_absent(keychain.get("registry.example.com")));
    assert!(is_absent(open(profile).delete("registry.example.com")));
    assert_eq!(listed(&keychain), []);
}

fn keeps_tokens_of_every_size(open: Open, profile: &str) {
    let keychain = open(profile);
    // Every character that a token may have, in an order that shows cuts.
    let text: String = (0x20..=0x7e_u8).cycle().map(char::from).take(16_384).collect();
    for size in [1, 2_560, 2_561, 4_096, 16_384, 10] {
        keychain.put("k", "alice", &token(&text[..size])).unwrap();
        assert!(keychain.get("k").unwrap().token.expose() == &text[..size], "{size} bytes");
    }
    let larger = keychain.put("k", "alice", &token(&format!("{text}x")));
    assert!(matches!(larger, Err(Error::TooLarge { size: 16_385, limit: 16_384, .. })));
    assert!(matches!(keychain.put("k", "alice", &token("a\nb")), Err(Error::Failed { .. })));
    assert!(matches!(keychain.put("k", "alice", &token("")), Err(Error::Failed { .. })));
    assert_eq!(keychain.get("k").unwrap().token.expose(), &text[..10], "the previous one stays");
    keychain.delete("k").unwrap();
}

fn keeps_names_apart(open: Open, profile: &str) {
    let keychain = open(profile);
    let names = [
        "registry.example.com",
        "registry.example.com:5000",
        "registry.example.com/team/app",
        "registry.example.co",
        "registry-1.example.com",
        "[::1]:5000",
        "127.0.0.1:5000",
        "https://index.docker.io/v1/access-token",
        "https://index.docker.io/v1/refresh-token",
        "http://h:443",
        "h/a_b-c.d~e!f$g&h'i(j)k*l+m,n;o=p@q",
    ];
    // `pass` has a file name of 255 bytes for key and profile in base64.
    let length = if matches!(keychain.name(), KeychainName::Helper(_)) { 150 } else { 1_000 };
    let long = format!("h/{}", "x".repeat(length));
    let names: Vec<&str> = names.into_iter().chain([long.as_str()]).collect();
    for name in &names {
        keychain.put(name, "al ice@example.com\\d\u{e9}", &token(&format!("of {name}"))).unwrap();
    }
    for name in &names {
        let item = keychain.get(name).unwrap();
        assert_eq!(item.token.expose(), format!("of {name}"));
        assert_eq!(item.account, kept(&keychain, name, "al ice@example.com\\d\u{e9}"));
    }
    let mut sorted: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    sorted.sort();
    assert_eq!(keys(&keychain), sorted);
    assert!(is_absent(keychain.get("registry.example")), "a prefix is another name");
    assert!(is_absent(keychain.get("REGISTRY.example.com")), "so is another case");
    for name in &names {
        keychain.delete(name).unwrap();
    }
}

fn keeps_profiles_apart(open: Open, profile: &str) {
    let others = [format!("{profile}x"), format!("{profile}:k"), format!("{profile} \u{e9}%")];
    let profiles: Vec<&str> =
        [profile].into_iter().chain(others.iter().map(String::as_str)).collect();
    for profile in &profiles {
        open(profile).put("k:5", profile, &token(&profile.replace('\u{e9}', "e"))).unwrap();
    }
    assert!(is_absent(open(profile).get("k:k:5")));
    for profile in &profiles {
        let keychain = open(profile);
        let item = keychain.get("k:5").unwrap();
        assert_eq!(item.account, kept(&keychain, "k:5", profile));
        assert_eq!(item.token.expose(), profile.replace('\u{e9}', "e"));
        let listed = listed(&keychain);
        assert_eq!(listed.len(), 1);
        let Listed { key, account } = &listed[0];
        assert_eq!(key, "k:5");
        assert!(account == profile || account.is_empty());
        keychain.delete("k:5").unwrap();
    }
}

fn serves_fifty_processes_at_once(open: Open, name: &str, profile: &str) {
    // GNOME Keyring 42 aborts now and then if one client reads an item's attributes while another
    // deletes it (g_variant_new gets no value), as when clients remove the duplicates of a first
    // login. And a Secret Service takes the account and the token in two calls. The library's
    // writers hold the lock of the login records; these do not, so what they share is a login that
    // is there, of one account, and each deletes only its own.
    open(profile).put("k", "user", &token("token")).unwrap();
    let steps = |i: usize| {
        [
            format!("put k user token{i}"),
            "get k".to_owned(),
            format!("put own{i} user{i} token{i}"),
            format!("get own{i}"),
        ]
    };
    let told: Vec<_> = if name == "memory" {
        let run = |i| {
            let keychain = open(profile);
            move || steps(i).map(|step| answer(Ok(&keychain), &step)).to_vec()
        };
        thread::scope(|scope| {
            let running: Vec<_> = (0..AT_ONCE).map(|i| scope.spawn(run(i))).collect();
            running.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    } else {
        at_once(name, profile, steps)
    };
    let tokens: Vec<_> = (0..AT_ONCE).map(|i| format!("user token{i}")).collect();
    for (i, told) in told.iter().enumerate() {
        assert_eq!([&told[0], &told[2]], ["ok", "ok"], "{i}: {told:?}");
        assert!(tokens.contains(&told[1]), "{i}: {told:?}");
        assert_eq!(told[3], format!("user{i} token{i}"), "{i}: {told:?}");
    }
    let keychain = open(profile);
    let item = keychain.get("k").unwrap();
    assert!(tokens.contains(&format!("{} {}", item.account, item.token.expose())));
    let mut expected: Vec<_> = (0..AT_ONCE).map(|i| format!("own{i}")).collect();
    expected.push("k".to_owned());
    expected.sort();
    assert_eq!(keys(&keychain), expected, "none lost");
    // What is left after one delete would be a second item.
    keychain.delete("k").unwrap();
    assert!(is_absent(keychain.get("k")));
    if name == "memory" {
        (0..AT_ONCE).for_each(|i| keychain.delete(&format!("own{i}")).unwrap());
    } else {
        let steps = |i: usize| [format!("delete own{i}"), format!("get own{i}")];
        for (i, told) in at_once(name, profile, steps).iter().enumerate() {
            assert!(told[0] == "ok" && told[1].starts_with(not_there()), "{i}: {told:?}");
        }
    }
}

/// What so many processes are answered, each one with steps of its own.
fn at_once<const N: usize>(
    name: &str,
    profile: &str,
    steps: impl Fn(usize) -> [String; N],
) -> Vec<Vec<String>> {
    // They share the processors with the service: the deadline of one is not for fifty.
    let mut agent = Agent::new(name, profile).inherit().set("AGENT_DEADLINE", "60");
    if name == "secret-service" {
        // And that of one call, 2 s, is the library's: so the service goes first.
        agent = agent.under(&["nice", "-n", "19"]);
    }
    let start = |i| agent.command(&steps(i).each_ref().map(String::as_str)).spawn().unwrap();
    let running: Vec<_> = (0..AT_ONCE).map(start).collect();
    running.into_iter().map(|process| answers(&process.wait_with_output().unwrap())).collect()
}
