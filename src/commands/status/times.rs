//! Times as a person reads them.

use jiff::Timestamp;

use crate::text::span::{MINUTE, span};

/// `3 days ago`, `in 7 days`; to the nearest of the largest unit that fits.
pub(super) fn relative(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_second().saturating_sub(now.as_second());
    let away = seconds.saturating_abs();
    if away < MINUTE {
        return if seconds > 0 { "in a moment" } else { "just now" }.to_owned();
    }
    if seconds > 0 { format!("in {}", span(away)) } else { format!("{} ago", span(away)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::span::{DAY, HOUR};

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
