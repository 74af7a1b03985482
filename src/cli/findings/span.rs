//! Lengths of time, as options have them.

/// A whole number of seconds, minutes, hours or days.
pub(super) fn parse(text: &str) -> Result<jiff::SignedDuration, &'static str> {
    const FORM: &str = "expected a whole number with s, m, h or d, such as 24h";
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(FORM)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(FORM),
    };
    let number: u32 = number.parse().map_err(|_| FORM)?;
    Ok(jiff::SignedDuration::from_secs(i64::from(number) * seconds))
}
