//! An image of many layers that nothing compresses, as `docker save` writes one.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};

/// How many layers: no client sends more than six at once, so that requests come all the time.
const LAYERS: usize = 24;

/// Writes one of about so many bytes in all, by this name, to `folder`.
pub fn write(folder: &Path, name: &str, bytes: u64) -> PathBuf {
    fs::create_dir(folder).expect("a folder");
    let random = fs::File::open("/dev/urandom").expect("random bytes");
    let layers: Vec<String> = (0..LAYERS).map(|number| format!("{number}.tar")).collect();
    let mut digests = Vec::new();
    for layer in &layers {
        let mut content = Vec::new();
        let length = bytes / LAYERS as u64;
        (&random).take(length).read_to_end(&mut content).expect("random bytes");
        fs::write(folder.join("file"), content).expect("a file");
        tar(folder, layer, &["file"]);
        let digest = Sha256::digest(fs::read(folder.join(layer)).expect("a layer"));
        digests
            .push(digest.iter().fold("sha256:".to_owned(), |text, b| text + &format!("{b:02x}")));
    }
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": layers}]);
    for (file, content) in [("config.json", config), ("manifest.json", manifest)] {
        fs::write(folder.join(file), content.to_string()).expect("a file");
    }
    let layers = layers.iter().map(String::as_str);
    let members: Vec<_> = ["config.json", "manifest.json"].into_iter().chain(layers).collect();
    tar(folder, "image.tar", &members);
    folder.join("image.tar")
}

fn tar(folder: &Path, archive: &str, members: &[&str]) {
    let mut tar = Command::new("tar");
    tar.current_dir(folder).args(["--create", "--file", archive]).args(members);
    assert!(tar.status().expect("tar").success());
}
