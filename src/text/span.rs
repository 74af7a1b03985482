//! Spans of time as a person reads them.

/// In seconds.
pub const MINUTE: i64 = 60;
/// In seconds.
pub const HOUR: i64 = 60 * MINUTE;
/// In seconds.
pub const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 31_556_952;
const MONTH: i64 = YEAR / 12;

/// `3 days`, `1 hour`: to the nearest of the largest unit that fits, at least a minute.
pub fn span(seconds: i64) -> String {
    let away = seconds.saturating_abs();
    // What rounds up to a whole next unit is shown in that one: 59.6 minutes are an hour.
    let units = [
        ("minute", MINUTE, HOUR),
        ("hour", HOUR, DAY),
        ("day", DAY, MONTH),
        ("month", MONTH, YEAR),
    ];
    let nearest = |size: i64| (away + size / 2) / size;
    let (name, count) = units
        .into_iter()
        .map(|(name, size, next)| (name, nearest(size), next / size))
        .find(|(_, count, whole)| count < whole)
        .map_or(("year", nearest(YEAR)), |(name, count, _)| (name, count));
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {name}{plural}")
}
