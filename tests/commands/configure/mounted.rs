//! Files of clients that are mount points, as in a container.

use super::*;

/// Runs a command where a file is mounted over Docker's. The directory's name is one that the kernel's list of
/// mounts writes in another way.
fn with_a_mounted_file(user: &User, arguments: &[&str]) -> Outcome {
    let home = user.home().to_str().unwrap();
    let script =
        format!("/bin/mount --bind '{home}/mounted' '{home}/con fig/config.json'; exec \"$@\"");
    let wrapper = ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-ec", &script, "sh"];
    user.does_under(&wrapper, arguments, b"")
}

#[test]
fn a_target_that_is_a_mount_point_is_written_in_place_and_put_back() {
    let server = server().start();
    let (user, host) = (trusting(&server), server.registry_host());
    let [mounted, folder] = ["mounted", "con fig"].map(|name| user.home().join(name));
    let previous = format!("{{\"auths\":{{\"{host}\":{{\"auth\":\"{GOOD}\"}}}}}}\n");
    fs::write(&mounted, &previous).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("config.json"), "{}").unwrap();
    user.set("DOCKER_CONFIG", folder.to_str().unwrap());
    let inode = fs::metadata(&mounted).unwrap().ino();

    let done = with_a_mounted_file(&user, &["configure", "--fallback", "none"]);
    done.succeeded().noted("is a mount point");
    let text = fs::read_to_string(&mounted).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&config["credsStore"], text.contains(GOOD)), (&json!("refresh"), false));
    assert_eq!(fs::metadata(&mounted).unwrap().ino(), inode);
    assert!(!user.token(&host).is_empty());

    with_a_mounted_file(&user, &["unconfigure"]).succeeded();
    let config: Value = serde_json::from_slice(&fs::read(&mounted).unwrap()).unwrap();
    assert_eq!(
        (&config["credsStore"], fs::metadata(&mounted).unwrap().ino()),
        (&Value::Null, inode)
    );
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["config.json"], "and nothing beside it");
    assert_eq!(fs::read_to_string(folder.join("config.json")).unwrap(), "{}");
}

/// What a killed run left may hold passwords: one that cannot be deleted is told.
#[test]
fn a_leftover_that_is_a_mount_point_is_told() {
    let user = user();
    write(&user, "{\"credsStore\": \"refresh\"}");
    let left = config_file(&user).with_file_name(".docker-credential-refresh-left");
    fs::write(&left, "{}").unwrap();
    let script = format!("/bin/mount --bind '{0}' '{0}'; exec \"$@\"", left.display());
    let wrapper = ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-ec", &script, "sh"];
    let outcome = user.does_under(&wrapper, &["unconfigure"], b"");
    outcome.code_is(1).noted("cannot delete what a killed run may have left next to");
    user.does(&["unconfigure"], "").succeeded();
    assert!(!left.exists());
}
