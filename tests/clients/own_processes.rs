//! What the tests start must end with them, also when they panic.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::docker_engine::DockerEngine;

#[test]
fn an_engine_ends_with_a_panic_and_leaves_no_process_with_a_daemon() {
    let mut root = String::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let engine = DockerEngine::start(None);
        root = engine.root().display().to_string();
        assert!(running_with(&root) >= 2, "dockerd and its containerd");
        panic!("on purpose");
    }));
    assert!(panicked.is_err() && !root.is_empty());
    assert_eq!(running_with(&root), 0);
    assert!(!fs::exists(&root).expect("look for the folder"), "{root} is left behind");
}

/// How many processes name this folder in their arguments.
fn running_with(root: &str) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let arguments = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    arguments.filter(|bytes| String::from_utf8_lossy(bytes).contains(root)).count()
}
