//! The settings and logins that a user may have before.

use base64::Engine;
use serde_json::{Value, json};

use super::clients::PASSWORD;

/// A helper that the user had before.
pub const OTHER: &str = "other";

/// One of them.
pub struct Shape {
    pub number: usize,
    /// For the table.
    pub name: &'static str,
    /// Files below the user's folder.
    pub files: Vec<(&'static str, String)>,
    /// Variables.
    pub environment: Vec<(&'static str, &'static str)>,
    /// Whether the other helper has the login.
    pub in_other: bool,
    /// Whether docker is told to keep the login in its file.
    pub is_pinned: bool,
    /// Whether the login is an identity token.
    pub is_token: bool,
    /// Where logins are to go that cannot be exchanged.
    pub fallback: &'static str,
}

const DOCKER: &str = "home/.docker/config.json";
const AUTH: &str = "home/.config/containers/auth.json";
const RUNTIME_AUTH: &str = "runtime/containers/auth.json";
const DROP_IN: &str = "home/.config/containers/registries.conf.d/10-own.conf";

/// All of them; variables name files in the user's folder, which is the current one.
pub fn shapes(host: &str) -> Vec<Shape> {
    let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
    let auth = encode(format!("alice:{PASSWORD}"));
    let entry = |name: &str| -> Value { json!({ name: {"auth": auth} }) };
    let auths = |name: &str| json!({"auths": entry(name)}).to_string();
    let wrong = json!({"auths": {host: {"auth": encode("alice:wrong".into())}}}).to_string();
    let url = format!("http://{host}/v1/");
    let with = |mut config: Value, key: &str, value: Value| {
        config[key] = value;
        config.to_string()
    };
    let store = json!({"auths": {host: {}}, "credsStore": OTHER}).to_string();
    let helper = |helper: &str| json!({"credHelpers": {host: helper}});
    let plain = json!({"auths": entry(host)});
    let token =
        json!({"auths": {host: {"auth": encode("alice:".into()), "identitytoken": "TOKEN"}}});
    let mut all = Vec::new();
    let mut add = |name, files: &[(&'static str, String)]| {
        let (number, files) = (all.len(), files.to_vec());
        let environment = Vec::new();
        let shape = Shape {
            number,
            name,
            files,
            environment,
            in_other: false,
            is_pinned: false,
            is_token: false,
            fallback: "none",
        };
        all.push(shape);
    };
    add("none", &[]);
    add("`config.json`: password", &[(DOCKER, auths(host))]);
    add("`config.json`: password under a URL", &[(DOCKER, auths(&url))]);
    add("`config.json`: identity token", &[(DOCKER, token.to_string())]);
    add(
        "`config.json`: password, `credHelpers` with an empty name",
        &[(DOCKER, with(plain.clone(), "credHelpers", json!({host: ""})))],
    );
    add("`config.json` in `DOCKER_CONFIG`: password", &[("elsewhere/config.json", auths(host))]);
    add("`credsStore` with another helper", &[(DOCKER, store.clone())]);
    add("`credHelpers` with another helper", &[(DOCKER, helper(OTHER).to_string())]);
    add(
        "`credHelpers` with this helper, and a password",
        &[(DOCKER, with(plain, "credHelpers", json!({host: "refresh"})))],
    );
    add("`.dockercfg`: password", &[("home/.dockercfg", entry(host).to_string())]);
    add("`auth.json`: password", &[(AUTH, auths(host))]);
    add("`auth.json` in `XDG_RUNTIME_DIR`: password", &[(RUNTIME_AUTH, auths(host))]);
    add(
        "two `auth.json`, the first with the right password",
        &[(RUNTIME_AUTH, auths(host)), (AUTH, wrong.clone())],
    );
    add(
        "two `auth.json`, the second with the right password",
        &[(RUNTIME_AUTH, wrong), (AUTH, auths(host))],
    );
    add("`REGISTRY_AUTH_FILE`: password", &[("own.json", auths(host))]);
    add("`auth.json`: `credHelpers` with another helper", &[(AUTH, helper(OTHER).to_string())]);
    add(
        "a drop-in that names another helper",
        &[(DROP_IN, format!("credential-helpers = [\"{OTHER}\"]\n"))],
    );
    add(
        "a drop-in that names `auth.json` and another helper",
        &[
            (DROP_IN, format!("credential-helpers = [\"containers-auth.json\", \"{OTHER}\"]\n")),
            (AUTH, auths(host)),
        ],
    );
    add(
        "passwords in `config.json` and in `auth.json`",
        &[(DOCKER, auths(host)), (AUTH, auths(host))],
    );
    for shape in &mut all {
        shape.is_pinned = shape.name.contains("empty name");
        shape.is_token = shape.name.contains("token");
        shape.in_other =
            shape.name.contains("another helper") && !shape.name.contains("auth.json` and");
        if shape.name.contains("another helper") {
            shape.fallback = OTHER;
        }
        if shape.name.contains("DOCKER_CONFIG") {
            shape.environment.push(("DOCKER_CONFIG", "elsewhere"));
        }
        if shape.name.contains("REGISTRY_AUTH_FILE") {
            shape.environment.push(("REGISTRY_AUTH_FILE", "own.json"));
        }
    }
    all
}
