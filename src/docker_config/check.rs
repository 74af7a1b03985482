//! Whether a text is what the clients read, and has a shape in which one part can be changed.

use jsonc_parser::ast::{ObjectProp, Value};

use super::edit;

pub(super) const AUTHS: &str = "auths";
pub(super) const CREDS_STORE: &str = "credsStore";
pub(super) const CRED_HELPERS: &str = "credHelpers";

/// What is wrong with a text, which is never quoted.
pub(super) enum Wrong {
    /// This line is not JSON.
    Syntax(usize),
    /// A part is not what the clients expect; follows the file's name.
    Part(String),
}

/// Checks a whole file; a `.dockercfg` is what others have under `auths`.
pub(super) fn check(text: &str, legacy: bool) -> Result<(), Wrong> {
    let value = edit::parse(text).map_err(Wrong::Syntax)?;
    let root = match &value {
        None => return Ok(()),
        Some(whole @ Value::Object(_)) if legacy => return check_part(AUTHS, whole),
        Some(Value::Object(root)) => root,
        Some(_) => return Err(Wrong::Part("is not a JSON object".into())),
    };
    for name in [AUTHS, CREDS_STORE, CRED_HELPERS] {
        // Go takes the last of two, whatever their case: which one is meant is unknown.
        if root.properties.iter().filter(|property| edit::is_field(property, name)).count() > 1 {
            return Err(Wrong::Part(format!("has {name} twice")));
        }
        if let Some(property) = edit::find(root, name) {
            check_part(name, &property.value)?;
        }
    }
    Ok(())
}

fn check_part(name: &str, value: &Value<'_>) -> Result<(), Wrong> {
    let parts = match value {
        Value::NullKeyword(_) => return Ok(()),
        Value::StringLit(_) if name == CREDS_STORE => return Ok(()),
        Value::Object(parts) if name != CREDS_STORE => &parts.properties,
        _ => return Err(other_kind(name)),
    };
    let is_good = |part: &ObjectProp<'_>| match part.value {
        Value::NullKeyword(_) => true,
        Value::Object(_) => name == AUTHS,
        Value::StringLit(_) => name == CRED_HELPERS,
        _ => false,
    };
    if !parts.iter().all(is_good) {
        return Err(other_kind(name));
    }
    let mut names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Wrong::Part(format!("has one registry twice in {name}")));
    }
    Ok(())
}

fn other_kind(name: &str) -> Wrong {
    Wrong::Part(format!("has {name} of the wrong type"))
}
