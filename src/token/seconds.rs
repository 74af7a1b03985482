//! Numbers of seconds, as token servers write them.

use serde_json::Value;

/// A number of seconds. Some servers write a fraction, and Azure's older endpoints a string.
pub(crate) fn seconds(told: &Value) -> Option<i64> {
    let number = match told {
        Value::Number(number) => {
            number.as_i64().map_or_else(|| number.as_f64(), |n| Some(n as f64))
        }
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // Far beyond any date, and a float holds it exactly.
    number.filter(|n: &f64| n.abs() < 1e15).map(|n| n as i64)
}
