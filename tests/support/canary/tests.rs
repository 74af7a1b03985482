//! Each form is planted by hand (made with Python, not with the code under test) and found.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::{CHUNK, Canary};

const SECRET: &str = "Kq7&<t/9 w\"é+~x*Zz";

const PLANTED: &[(&str, &[u8])] = &[
    ("plain", b"Kq7&<t/9 w\"\xc3\xa9+~x*Zz"),
    ("base64 of b:password", b"YjpLcTcmPHQvOSB3IsOpK354Klp6"),
    ("base64url of b:password", b"YjpLcTcmPHQvOSB3IsOpK354Klp6Om1vcmU="),
    ("base64 of bo:password", b"Ym86S3E3Jjx0LzkgdyLDqSt+eCpaeg=="),
    ("base64url of bo:password", b"Ym86S3E3Jjx0LzkgdyLDqSt-eCpaejptb3Jl"),
    ("base64 of bob:password", b"Ym9iOktxNyY8dC85IHciw6krfngqWno="),
    ("base64url of bob:password", b"Ym9iOktxNyY8dC85IHciw6krfngqWno6bW9yZQ=="),
    ("base64 alone", b"S3E3Jjx0LzkgdyLDqSt+eCpaeg=="),
    ("url, lower", b"Kq7%26%3ct%2f9%20w%22%c3%a9%2b~x%2aZz"),
    ("url", b"Kq7%26%3Ct%2F9%20w%22%C3%A9%2B~x%2AZz"),
    ("form", b"Kq7%26%3Ct%2F9+w%22%C3%A9%2B%7Ex*Zz"),
    ("path", b"Kq7&%3Ct%2F9%20w%22%C3%A9+~x*Zz"),
    ("all", b"%4B%71%37%26%3C%74%2F%39%20%77%22%C3%A9%2B%7E%78%2A%5A%7A"),
    ("hex", b"4b7137263c742f39207722c3a92b7e782a5a7a"),
    ("HEX", b"4B7137263C742F39207722C3A92B7E782A5A7A"),
    ("utf16le", b"K\x00q\x007\x00&\x00<\x00t\x00/\x009\x00 \x00w\x00\"\x00\xe9\x00+\x00~\x00x\x00*\x00Z\x00z\x00"),
    ("utf16be", b"\x00K\x00q\x007\x00&\x00<\x00t\x00/\x009\x00 \x00w\x00\"\x00\xe9\x00+\x00~\x00x\x00*\x00Z\x00z"),
    ("json", b"{\"p\": \"Kq7&<t/9 w\\\"\xc3\xa9+~x*Zz\"}"),
    ("json py", b"{\"p\": \"Kq7&<t/9 w\\\"\\u00e9+~x*Zz\"}"),
    ("json go", b"{\"p\": \"Kq7\\u0026\\u003ct/9 w\\\"\xc3\xa9+~x*Zz\"}"),
    ("base64 of json go", b"eyJ1c2VybmFtZSI6ICJhIiwgInBhc3N3b3JkIjogIktxN1x1MDAyNlx1MDAzY3QvOSB3XCLDqSt-eCpaeiJ9"),
];

#[test]
fn every_form_is_found_in_a_file() {
    for (name, bytes) in PLANTED {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("deep").join("file");
        fs::create_dir(file.parent().expect("a parent")).expect("a folder");
        fs::write(&file, [b"before ", *bytes, b" after"].concat()).expect("a file");
        let report = Canary::new(SECRET).scan().root(folder.path()).report();
        assert_eq!(report.hits.len(), 1, "{name}: {report:?}");
        assert_eq!(report.hits[0].place, file.display().to_string());
        assert_eq!((report.files, report.bytes), (1, bytes.len() as u64 + 13));
        assert!(report.unread.is_empty());
    }
}

#[test]
fn what_is_not_the_secret_is_not_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let near = format!("{} {}", &SECRET[1..], &SECRET[..SECRET.len() - 1]);
    fs::write(folder.path().join("near"), near).expect("a file");
    let report = Canary::new(SECRET).scan().root(folder.path()).text("nothing", "x").assert_clean();
    assert_eq!(report.files, 1);
}

#[test]
fn a_copy_across_two_reads_is_found_once() {
    for shift in [0, 1, SECRET.len() / 2, SECRET.len() - 1, SECRET.len()] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bytes = vec![b'.'; CHUNK - shift];
        bytes.extend(SECRET.as_bytes());
        bytes.resize(3 * CHUNK, b'.');
        fs::write(folder.path().join("large"), &bytes).expect("a file");
        let report = Canary::new(SECRET).scan().root(folder.path()).report();
        assert_eq!((report.hits.len(), report.bytes), (1, bytes.len() as u64), "{shift}");
    }
}

#[test]
fn names_and_link_targets_are_searched_and_links_not_followed() {
    let secret = "canary-in-a-name";
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(secret), "").expect("a file");
    symlink(format!("/nowhere/{secret}"), folder.path().join("link")).expect("a link");
    symlink(folder.path(), folder.path().join("circle")).expect("a link");
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("pipe"), rustix::fs::Mode::RUSR)
        .expect("a pipe");
    let report = Canary::new(secret).scan().root(folder.path()).report();
    assert_eq!(report.hits.len(), 2, "{report:?}");
    assert_eq!(report.files, 1);
}

#[test]
fn what_is_not_there_to_be_searched_is_not_clean() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = Canary::new(SECRET).scan().root(&folder.path().join("absent")).report();
    assert_eq!((report.unread.len(), report.files), (1, 0));
}

#[test]
fn a_text_is_searched() {
    let text = format!("error: bad password {SECRET}");
    let report = Canary::new(SECRET).scan().text("stderr", &text).report();
    assert_eq!(report.hits[0].place, "stderr");
}

#[test]
fn arguments_and_environment_of_a_grandchild_are_seen() {
    let secret = "canary-on-a-command-line";
    for (argument, variable, place) in [(secret, "x", "cmdline"), ("x", secret, "environ")] {
        let canary = Canary::new(secret);
        let watch = canary.watch();
        // The shell learns the secret on stdin; only what it starts has it where all can see, and
        // waits there for the end of stdin.
        let mut shell = Command::new("sh")
            .args(["-c", "read a; read v; (V=$v sh -c 'read end; :' \"$a\")"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut stdin = shell.stdin.take().expect("a pipe");
        std::io::Write::write_all(&mut stdin, format!("{argument}\n{variable}\n").as_bytes())
            .expect("write to sh");
        watch.wait_for_hit();
        drop(stdin);
        assert!(shell.wait().expect("wait").success());
        let report = canary.scan().processes(watch).report();
        assert!(report.hits.iter().any(|hit| hit.place.starts_with(place)), "{report:?}");
        assert!(report.hits.iter().all(|hit| hit.place.starts_with(place)), "{report:?}");
    }
}

#[test]
fn processes_without_the_secret_are_clean() {
    let canary = Canary::new(SECRET);
    let watch = canary.watch();
    assert!(Command::new("sleep").arg("0.05").status().expect("sleep").success());
    thread::sleep(Duration::from_millis(10));
    let report = canary.scan().processes(watch).assert_clean();
    assert!(report.processes > 1, "{report:?}");
}
