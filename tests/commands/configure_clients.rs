//! `configure` beside all that the other clients read, and files that cannot be replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::{Value, json};

use super::server;
use crate::mock_token_server::TokenServer;
use crate::support::user::User;

mod paths;

/// `base64(alice:correct horse battery)`
const GOOD: &str = "YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5";
const DROP_IN: &str = ".config/containers/registries.conf.d/50-docker-credential-refresh.conf";

/// A user with this helper and a podman on PATH.
fn user(servers: &[&TokenServer]) -> User {
    let user = User::new();
    let bin = user.home().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let program = crate::support::tested_program();
    symlink(program, bin.join("docker-credential-refresh")).unwrap();
    user.program("podman", "#!/bin/sh\n");
    user.set("PATH", bin.to_str().unwrap());
    user.set("XDG_RUNTIME_DIR", user.home().join("run").to_str().unwrap());
    for server in servers {
        user.trust(&server.registry_host(), server);
    }
    user
}

fn put(user: &User, path: &str, content: &Value) {
    let path = user.home().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content.to_string()).unwrap();
}

fn read(user: &User, path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(user.home().join(path)).unwrap()).unwrap()
}

fn auth() -> Value {
    json!({"auth": GOOD})
}

#[test]
fn what_podman_reads_in_any_file_is_taken_over() {
    let server = server().start();
    let host = server.registry_host();
    for (path, content, left) in [
        (
            ".docker/config.json",
            json!({"auths": {host.as_str(): auth()}}),
            json!({"auths": {}, "credsStore": "refresh"}),
        ),
        (".dockercfg", json!({host.as_str(): auth()}), json!({})),
        (
            ".config/containers/auth.json",
            json!({"auths": {host.as_str(): auth()}}),
            json!({"auths": {}}),
        ),
    ] {
        let user = user(&[&server]);
        put(&user, path, &content);
        user.does(&["configure", "--fallback", "none"], "").succeeded();
        assert_eq!(read(&user, path), left, "{path}");
        assert!(user.home().join(DROP_IN).exists() && !user.token(&host).is_empty());
    }
}

/// podman looks for a login to log out only in the file that it writes to.
#[test]
fn a_login_that_cannot_be_taken_over_is_logged_out_where_it_is() {
    let server = server().start();
    let host = server.registry_host();
    let wrong = json!({host.as_str(): {"auth": "YWxpY2U6d3Jvbmc="}});
    let path = |user: &User, file: &str| user.home().join(file).display().to_string();
    let auth_file = ".config/containers/auth.json";
    for (file, content) in
        [(auth_file, json!({"auths": wrong.clone()})), (".dockercfg", wrong.clone())]
    {
        let user = user(&[&server]);
        put(&user, file, &content);
        let path = path(&user, file);
        let told = match file == auth_file {
            true => format!("podman logout --authfile {path} {host}"),
            false => format!("delete {host} from {path}"),
        };
        let refused = user.does(&["configure", "--fallback", "none"], "");
        refused.is(4, "", &told);
        assert_eq!(read(&user, file), content);
    }
}

/// Cloud helpers such as ecr-login are named there, and podman uses them.
#[test]
fn a_helper_that_gave_podman_its_logins_still_does() {
    let user = user(&[]);
    let script = "#!/bin/sh\ncase $1 in list) echo '{\"h.example\":\"AWS\"}';; get) read key; [ \"$key\" = h.example ] || { echo 'credentials not found in native keychain'; exit 1; }; echo '{\"ServerURL\":\"h.example\",\"Username\":\"AWS\",\"Secret\":\"s3cret\"}';; esac\n";
    user.program("docker-credential-ecr-login", script);
    put(&user, ".docker/config.json", &json!({"credHelpers": {"h.example": "ecr-login"}}));
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    assert!(user.home().join(DROP_IN).exists());
    assert!(user.get("h.example").succeeded().stdout.contains("s3cret"));
    user.get("other.example").not_found();
}

#[test]
fn for_one_registry_podmans_other_logins_stay() {
    let (server, other) = (server().start(), server().start());
    let (host, second) = (server.registry_host(), other.registry_host());
    let user = user(&[&server, &other]);
    let auths = json!({host.as_str(): auth(), second.as_str(): auth()});
    put(&user, ".docker/config.json", &json!({"auths": auths}));
    let arguments = ["configure", "--registry", &host, "--fallback", "none"];
    user.does(&[&arguments[..], &["--podman"]].concat(), "").is(1, "", "drop --registry");
    let done = user.does(&arguments, "").succeeded();
    done.noted("podman, skopeo and buildah are left as they are").noted(&second);
    assert!(!user.home().join(DROP_IN).exists());
    let now = read(&user, ".docker/config.json");
    assert_eq!(now["auths"], json!({second.as_str(): auth()}));
    assert_eq!(now["credHelpers"], json!({host.as_str(): "refresh"}), "podman finds it by this");
}

#[test]
fn podman_is_left_alone_and_loses_nothing() {
    let server = server().start();
    let host = server.registry_host();
    let user = user(&[&server]);
    let url = format!("https://{host}/v1/");
    put(&user, ".docker/config.json", &json!({"auths": {url.as_str(): auth()}}));
    user.does(&["configure", "--fallback", "none", "--no-podman"], "").succeeded();
    assert!(!user.home().join(DROP_IN).exists());
    let wanted =
        json!({"auths": {}, "credsStore": "refresh", "credHelpers": {host.as_str(): "refresh"}});
    assert_eq!(read(&user, ".docker/config.json"), wanted);
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(read(&user, ".docker/config.json"), json!({"auths": {}}));
    // Where it asks another helper and reads no file, there is nothing to lose.
    let folder = user.home().join(".config/containers/registries.conf.d");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("00-other.conf"), "credential-helpers = [\"other\"]\n").unwrap();
    put(&user, ".docker/config.json", &json!({"auths": {url.as_str(): auth()}}));
    user.does(&["configure", "--fallback", "none", "--no-podman"], "").succeeded();
    let wanted = json!({"auths": {}, "credsStore": "refresh"});
    assert_eq!(read(&user, ".docker/config.json"), wanted);
}

/// Until it is taken back, or all is undone.
#[test]
fn podman_is_left_alone_by_later_runs_as_well() {
    let user = user(&[]);
    let configure = |options: &[&str]| {
        let all = [&["configure", "--fallback", "none"], options].concat();
        let done = user.does(&all, "").succeeded();
        (done.stderr.contains("as --no-podman said before"), user.home().join(DROP_IN).exists())
    };
    assert_eq!(configure(&["--no-podman"]), (false, false));
    assert_eq!(configure(&["--keep-tokens"]), (true, false));
    assert_eq!(configure(&["--podman"]), (false, true));
    fs::remove_file(user.home().join(DROP_IN)).unwrap();
    assert_eq!(configure(&[]), (false, true));
    user.does(&["unconfigure"], "").succeeded();
    assert_eq!(configure(&["--no-podman"]), (false, false));
    user.does(&["unconfigure"], "").succeeded();
    assert!(!user.state().join("configured.json").exists());
    assert_eq!(configure(&[]), (false, true));
}

/// podman fails at `{"HOST": ""}`.
#[test]
fn a_login_kept_plain_for_docker_is_not_taken_from_podman() {
    let user = user(&[]);
    let config = json!({"auths": {"h.example": auth()}});
    put(&user, ".docker/config.json", &config);
    let arguments = ["configure", "--fallback", "none", "--keep-plain", "h.example"];
    user.does(&arguments, "").is(1, "", "podman login h.example, and add --no-podman");
    // Then podman login would write docker's file, and drop what it does not know.
    user.set("DOCKER_CONFIG", user.home().join(".docker").to_str().unwrap());
    let refused = user.does(&arguments, "").code_is(1);
    assert!(!refused.stderr.contains("podman login"), "{refused:?}");
    user.set("DOCKER_CONFIG", "");
    put(&user, "run/containers/auth.json", &config);
    user.does(&[&arguments[..], &["--no-podman"]].concat(), "").succeeded();
    let now = read(&user, ".docker/config.json");
    assert_eq!(now["credHelpers"], json!({"h.example": "", "h.example:443": ""}));
    assert_eq!(read(&user, "run/containers/auth.json"), config);
}

/// For Go a null is an empty text: docker keeps such a login in its file.
#[test]
fn a_null_in_cred_helpers_keeps_the_login_plain() {
    let user = user(&[]);
    let config = json!({"auths": {"h.example": auth()}, "credHelpers": {"h.example": null}});
    put(&user, ".docker/config.json", &config);
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    let now = read(&user, ".docker/config.json");
    assert_eq!(now["auths"], config["auths"]);
}

#[test]
fn a_name_that_docker_would_look_up_is_there_in_every_spelling() {
    for (named, names) in [
        ("h.example:443", vec!["h.example", "h.example:443"]),
        ("HOST.example", vec!["host.example", "host.example:443", "HOST.example"]),
        (
            "https://h.example:443/v2/",
            vec!["h.example", "h.example:443", "https://h.example:443/v2/"],
        ),
        (
            "docker.io",
            vec![
                "docker.io",
                "https://index.docker.io/v1/",
                "index.docker.io",
                "registry-1.docker.io",
            ],
        ),
        ("[0:0::1]:5000", vec!["[0:0::1]:5000", "[::1]:5000"]),
        ("127.0.0.1:5000", vec!["127.0.0.1:5000"]),
    ] {
        let user = user(&[]);
        let done = user.does(&["configure", "--registry", named, "--fallback", "none"], "");
        done.succeeded().noted("docker matches names exactly");
        let helpers = read(&user, ".docker/config.json")["credHelpers"].take();
        let mut written: Vec<_> = helpers.as_object().unwrap().keys().cloned().collect();
        let mut names = names.clone();
        written.sort();
        names.sort();
        assert_eq!(written, names, "{named}");
    }
}

#[test]
fn what_named_this_helper_before_is_kept_by_unconfigure() {
    for (before, arguments) in [
        (json!({"credHelpers": {"h.example": "refresh"}}), vec!["--fallback", "none"]),
        (json!({"credsStore": "refresh"}), vec!["--fallback", "none"]),
        (
            json!({"credHelpers": {"h.example": "refresh"}}),
            vec!["--registry", "i.example", "--fallback", "none"],
        ),
    ] {
        let user = user(&[]);
        put(&user, ".docker/config.json", &before);
        user.does(&[&["configure"], &arguments[..]].concat(), "").succeeded();
        user.does(&["unconfigure"], "").succeeded();
        assert_eq!(read(&user, ".docker/config.json"), before);
    }
}

/// Nobody can write to /proc, root neither.
#[test]
fn what_cannot_be_written_is_found_out_before_a_password_is_sent() {
    let server = server().start();
    let host = server.registry_host();
    let user = user(&[&server]);
    put(&user, ".docker/config.json", &json!({"auths": {host.as_str(): auth()}}));
    let containers = user.home().join(".config/containers");
    fs::create_dir_all(&containers).unwrap();
    symlink("/proc/self/fdinfo", containers.join("registries.conf.d")).unwrap();
    let why = "cannot be changed: No such file or directory; nothing was changed; make it and its";
    user.does(&["configure", "--fallback", "none"], "").is(1, "", why);
    assert_eq!(server.journal().passwords_sent(), 0);
    assert_eq!(read(&user, ".docker/config.json")["auths"], json!({host.as_str(): auth()}));
    assert!(!user.settings_file().exists() && user.records().is_empty());
}

/// The key is made before the passwords are exchanged, since the tokens are kept by it.
#[test]
fn a_key_that_was_made_for_nothing_is_taken_back_and_not_told() {
    if !rustix::process::getuid().is_root() {
        return crate::support::left_out("rootless podman's user", "it needs root");
    }
    let uid = "3000000007";
    let user = user(&[]);
    user.set("DOCKER_CREDENTIAL_REFRESH_KEYCHAIN", "auto");
    let program = user.home().join("bin/docker-credential-refresh");
    fs::remove_file(&program).unwrap();
    fs::copy(crate::support::tested_program(), &program).unwrap();
    // Nobody listens there.
    put(&user, ".docker/config.json", &json!({"auths": {"127.0.0.1:1": auth()}}));
    assert!(
        Command::new("chown")
            .args(["-R", &format!("{uid}:{uid}")])
            .arg(user.home())
            .status()
            .unwrap()
            .success()
    );
    let key = user.home().join(".config/docker-credential-refresh/age-identity.txt");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--reuid", uid, "--regid", uid, "--clear-groups", "--"]).arg(&program);
        let helper = user.command();
        let environment = helper.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.env_clear().envs(environment);
        command.args(arguments).output().unwrap()
    };
    let configure = ["configure", "--fallback", "none"];
    let failed = run(&configure);
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(failed.status.code() == Some(7) && said.contains("nothing was changed"), "{said}");
    assert!(!said.contains("encrypted files") && !key.exists(), "{said}");
    put(&user, ".docker/config.json", &json!({}));
    let said = String::from_utf8(run(&configure).stderr).unwrap();
    assert!(said.contains("new logins are kept in encrypted files") && key.exists(), "{said}");
    let said = String::from_utf8(run(&["unconfigure"]).stderr).unwrap();
    let stays =
        format!("{} stays, the key that configure made for the file keychain", key.display());
    assert!(said.contains(&stays) && key.exists(), "{said}");
}

/// What somebody wrote under the name of our drop-in, or where a link in its place leads.
#[test]
fn a_drop_in_that_somebody_changed_is_neither_replaced_nor_deleted() {
    const OWN: &str = "# mine\ncredential-helpers = [\"vault\"]\n";
    let user = user(&[]);
    let drop_in = user.home().join(DROP_IN);
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    let target = user.home().join("elsewhere");
    for is_link in [false, true] {
        match is_link {
            false => fs::write(&drop_in, OWN).unwrap(),
            true => {
                fs::rename(&drop_in, &target).unwrap();
                symlink(&target, &drop_in).unwrap();
            }
        }
        let refused = user.does(&["configure", "--fallback", "none"], "");
        refused.is(1, "", "is not as configure writes it; nothing was changed; move it away");
        assert!(!user.home().join(".docker/config.json").exists(), "nothing else was changed");
        assert_eq!(fs::read_to_string(&drop_in).unwrap(), OWN);
    }
    fs::remove_file(&drop_in).unwrap();
    user.does(&["configure", "--fallback", "none"], "").succeeded();
    fs::write(&drop_in, OWN).unwrap();
    let undone = user.does(&["unconfigure"], "").succeeded();
    let undone = undone.noted("is not as configure wrote it, and was left as it is");
    assert!(
        undone.stdout.contains("- \"credsStore\": \"refresh\""),
        "the rest is undone: {undone:?}"
    );
    assert_eq!(fs::read_to_string(&drop_in).unwrap(), OWN);
}
