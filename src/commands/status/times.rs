//! Times as a person reads them.

use jiff::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 31_556_952;
const MONTH: i64 = YEAR / 12;

/// `3 days ago`, `in 7 days`; to the nearest of the largest unit that fits.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    let away = seconds.saturating_abs();
    if away < MINUTE {
        return if seconds > 0 { "in a moment" } else { "just now" }.to_owned();
    }
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
    if seconds > 0 {
        format!("in {count} {name}{plural}")
    } else {
        format!("{count} {name}{plural} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        for (seconds, text) in [
            (0, "just now"),
            (-59, "just now"),
            (30, "in a moment"),
            (-60, "1 minute ago"),
            (90, "in 2 minutes"),
            (-3540, "59 minutes ago"),
            (3590, "in 1 hour"),
            (-5 * HOUR, "5 hours ago"),
            (DAY - 1, "in 1 day"),
            (-3 * DAY - 100, "3 days ago"),
            (7 * DAY - 5, "in 7 days"),
            (29 * DAY, "in 29 days"),
            (-31 * DAY, "1 month ago"),
            (90 * DAY, "in 3 months"),
            (-364 * DAY, "1 year ago"),
            (10 * 365 * DAY, "in 10 years"),
        ] {
            let at = Timestamp::from_second(now.as_second() + seconds).unwrap();
            assert_eq!(relative(at, now), text, "{seconds}");
        }
        assert_eq!(relative(Timestamp::MIN, now), "12025 years ago");
    }
}
