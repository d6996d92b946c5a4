//! This cluster's clock beside the gateway's: certificates have dates, so a clock that is off is told before it hurts.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use tracing::{info, warn};

/// How far apart the clocks may be, in seconds.
const TOLERATED: u64 = 30;

/// Whether the clocks were found apart.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    apart: AtomicBool,
}

impl Clock {
    /// Compares this machine's clock with a gateway's, in seconds since 1970. Says it once when they are apart, and
    /// once when they no longer are.
    pub(crate) fn compare(&self, theirs: i64) {
        let difference = difference(Timestamp::now().as_second(), theirs);
        let apart = difference.is_some();
        if self.apart.swap(apart, Ordering::Relaxed) == apart {
            return;
        }
        match difference {
            Some(difference) => warn!("{difference}; set it by NTP: certificates are judged by it"),
            None => info!("this cluster's clock agrees with the gateway's again"),
        }
    }
}

/// How two clocks differ, in words, when they differ by more than is tolerated.
fn difference(ours: i64, theirs: i64) -> Option<String> {
    let apart = ours.abs_diff(theirs);
    let direction = if ours < theirs { "behind" } else { "ahead of" };
    (apart > TOLERATED).then(|| format!("this cluster's clock is {} {direction} the gateway's", span(apart)))
}

/// A number of seconds in the unit that people would take.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// The moment that an HTTP date names, in seconds since 1970.
pub(super) fn date(text: &str) -> Option<i64> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(parsed.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t39_a_clock_that_is_off_is_told_in_words() {
        assert_eq!(difference(1_000, 1_030), None);
        let behind = difference(1_000, 1_000 + 14 * 60).unwrap();
        assert_eq!(behind, "this cluster's clock is 14 min behind the gateway's");
        assert!(difference(1_031, 1_000).unwrap().contains("31 s ahead of"));
        assert!(difference(0, i64::MAX).unwrap().contains("days behind"));
    }

    #[test]
    fn an_http_date_is_read() {
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("yesterday"), None);
    }
}
