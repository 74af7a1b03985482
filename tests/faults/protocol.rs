//! What is wrong with stdin and stdout.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::attacks::Previous;
use crate::support::user::User;

const KEY: &str = "registry.example.com";

fn payload(token: &str) -> String {
    format!("{{\"ServerURL\":\"{KEY}\",\"Username\":\"<token>\",\"Secret\":\"{token}\"}}")
}

#[test]
fn payloads_of_store_that_are_none() {
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    let good = payload("x");
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let not_json = "standard input is not a JSON object";
    for (stdin, why) in [
        (String::new(), not_json),
        ("\n".into(), not_json),
        ("\0".into(), not_json),
        ("{".into(), not_json),
        ("[]".into(), not_json),
        ("null".into(), not_json),
        ("\"x\"".into(), not_json),
        ("store".into(), not_json),
        (format!("\u{feff}{good}"), not_json),
        (format!("{good}{good}"), not_json),
        (format!("{good} x"), not_json),
        (format!("{good}\0"), not_json),
        (format!("[{good}]"), not_json),
        (good.replace('}', ",}"), not_json),
        (good.replace('"', "'"), not_json),
        (good.replace('}', ",\"Secret\":\"y\"}"), not_json),
        (good.replace('}', ",\"secret\":\"y\"}"), not_json),
        (good.replace('}', ",\"SERVERURL\":\"other\"}"), not_json),
        (good.replace('}', ",\"\\u0053ecret\":\"y\"}"), not_json),
        (good.replace("\"x\"", "1"), not_json),
        (good.replace("\"x\"", "[\"x\"]"), not_json),
        (good.replace("\"x\"", "\"\\ud800\""), not_json),
        (good.replace("\"x\"", "\"a\nb\""), not_json),
        (good.replace("\"x\"", "\"a\\nb\""), "the token has characters"),
        (good.replace("\"x\"", "\"\""), "the token is empty"),
        (good.replace("\"x\"", "null"), "the token is empty"),
        (good.replace(KEY, "h\\u0000"), "the server URL has a character"),
        (deep.clone(), not_json),
        (objects.clone(), "no credentials server URL"),
        (good.replace("{\"S", &format!("{{\"x\":{deep}x,\"S")), not_json),
        ("{}".into(), "no credentials server URL"),
        (good.replace("ServerURL", "Server URL"), "no credentials server URL"),
        (good.replace("Username", "User"), "no credentials username"),
        ("a".repeat(10 * 1024 * 1024), "longer than 1 MiB"),
        (good.replace("\"x\"", &format!("\"{}\"", "x".repeat(1024 * 1024))), "longer than 1 MiB"),
        (format!("{good}{}", " ".repeat(1024 * 1024)), "longer than 1 MiB"),
    ] {
        let outcome = user.run("store", stdin.as_bytes());
        assert!(outcome.stdout.contains(why), "{stdin:.80}: {outcome:?}");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (1, ""), "{stdin:.80}");
        previous.survives(&user);
    }
    for bytes in [&b"{\"Secret\":\"\xff\"}"[..], b"\xff\xfe{", b"\xc3", b"{\"Se\xc0\xafcret\":1}"] {
        user.run("store", bytes).failed_with(&[not_json]);
    }
    previous.survives(&user);
}

#[test]
fn what_store_takes_all_the_same() {
    let user = User::new();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (number, form) in [
        r#"{"ServerURL":"HOST","Username":"\u003ctoken\u003e","Secret":"TOKEN"}"#,
        r#"{"serverurl":"HOST","USERNAME":"<token>","sEcReT":"TOKEN"}"#,
        r#" { "Secret" : "TOKEN" , "ServerURL" : "HOST\n", "Username" : "<token>" }  "#,
        r#"{"Secret":"TOKEN","x":DEEP,"ServerURL":"HOST","Username":"<token>","x":1,"x":2}"#,
        "\r\n\t{\"Secret\":\"TOKEN\",\n\"ServerURL\":\"HOST\",\"Username\":\"<token>\"}\r\n\n",
    ]
    .into_iter()
    .enumerate()
    {
        let token = format!("token number {number}");
        let json = form.replace("HOST", KEY).replace("TOKEN", &token).replace("DEEP", &deep);
        user.run("store", json.as_bytes()).succeeded();
        assert_eq!(user.token(KEY), token);
    }
}

#[test]
fn server_urls_of_get_and_erase_that_are_none() {
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    for verb in ["get", "erase"] {
        for (stdin, why) in [
            (&b""[..], "no credentials server URL"),
            (b"\n", "no credentials server URL"),
            (b" \t\r\n", "no credentials server URL"),
            (b"\0", "the server URL"),
            (b"registry.example.com\0", "the server URL"),
            (b"\xef\xbb\xbfregistry.example.com", "the server URL"),
            (b"registry.example.com\xff", "not UTF-8"),
            (b"\"registry.example.com\"", "the server URL"),
            (b"{\"ServerURL\":\"registry.example.com\"}", "the server URL"),
            (b"registry.example.com\nother.example.com", "the server URL"),
        ] {
            user.run(verb, stdin).failed_with(&[why]);
        }
        user.run(verb, "a".repeat(3000).as_bytes()).failed_with(&["longer than 2048 bytes"]);
        user.run(verb, &vec![b'a'; 10 * 1024 * 1024]).failed_with(&["longer than 1 MiB"]);
    }
    previous.survives(&user);
    // `list` and `version` read nothing at all.
    for stdin in [&b""[..], b"unused", b"\xff\0", &[b'{'; 100_000]] {
        assert!(user.run("list", stdin).succeeded().stdout.contains(KEY));
        user.run("version", stdin).succeeded();
    }
}

#[test]
fn never_ending_input_is_left_after_a_mebibyte() {
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    for verb in ["store", "get", "erase"] {
        let mut child = user
            .command()
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut pipe, start, mut written) = (child.stdin.take().unwrap(), Instant::now(), 0_usize);
        // It ends, which breaks the pipe, long before this would.
        while pipe.write_all(&[b'{'; 64 * 1024]).is_ok() {
            written += 64 * 1024;
            assert!(start.elapsed() < Duration::from_secs(20) && written < 64 << 20, "{verb}");
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(output.stdout, b"standard input is longer than 1 MiB\n");
    }
    previous.survives(&user);
}

/// The helper behind a shell's redirections.
fn redirected(user: &User, verb: &str, redirections: &str, stdin: &str) -> Output {
    let helper = user.command();
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec \"$0\" {verb} {redirections}")])
        .arg(helper.get_program())
        .env_clear()
        .envs(helper.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have closed its end.
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    child.wait_with_output().unwrap()
}

#[test]
fn closed_and_full_ends() {
    let user = User::new();
    user.secret("the-token-of-closed-ends");
    let stdin = payload("the-token-of-closed-ends");
    let code = |verb, redirections, stdin: &str| {
        redirected(&user, verb, redirections, stdin).status.code()
    };
    for verb in ["store", "get", "erase"] {
        let output = redirected(&user, verb, "<&-", "");
        assert_eq!(output.status.code(), Some(1), "{verb}: {output:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    }
    for redirections in [">/dev/full", ">&-", "2>/dev/full", "2>&-", ">&- 2>&-", "> /dev/full 2>&-"]
    {
        // It answers nothing on stdout, so that nothing can be lost there.
        assert_eq!(code("store", redirections, &stdin), Some(0), "store {redirections}");
        assert_eq!(user.token(KEY), "the-token-of-closed-ends");
        let lost = redirections.contains(">/dev/full") && !redirections.starts_with('2')
            || redirections.contains("> /dev/full");
        for (verb, stdin) in [("get", KEY), ("list", ""), ("version", "")] {
            let got = code(verb, redirections, stdin);
            assert!(if lost { got == Some(1) } else { got.is_some() }, "{verb} {redirections}");
        }
        assert_eq!(code("get", redirections, "absent.example"), Some(1), "{redirections}");
        assert_eq!(code("erase", redirections, "absent.example"), Some(0), "{redirections}");
        assert_eq!(code("nonsense", redirections, ""), Some(1), "{redirections}");
    }
    for verb in ["list", "version", "get"] {
        let lost = redirected(&user, verb, ">/dev/full", KEY);
        let told = String::from_utf8(lost.stderr).unwrap();
        assert!(told.contains("cannot write the answer") && told.lines().count() == 1, "{told}");
    }
    // All three closed: the files it opens must not become its stdout.
    assert!(matches!(code("store", "<&- >&- 2>&-", ""), Some(1)));
    assert_eq!(code("erase", "<&- >&- 2>&-", ""), Some(1));
    assert_eq!(user.token(KEY), "the-token-of-closed-ends");
}

#[test]
fn a_reader_that_is_gone() {
    let user = User::new();
    let previous = Previous::login(&user, KEY);
    for verb in ["get", "list", "version"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = user
            .command()
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(writer)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // `list` and `version` may not wait for it.
        child.stdin.take().unwrap().write_all(KEY.as_bytes()).ok();
        // By exit, not by SIGPIPE.
        assert_eq!(child.wait().unwrap().code(), Some(1), "{verb}");
    }
    previous.survives(&user);
}
