//! The UTC day on which a record was spooled: what an index, and with it retention, goes by.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

const MILLISECONDS: i64 = 24 * 60 * 60 * 1000;

/// Days since 1970-01-01, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u32);

impl Day {
    /// The day in which a moment lies, given in milliseconds since 1970; what is before that is its first day, and what is
    /// beyond all days is the last.
    pub fn of(milliseconds: i64) -> Self {
        Self(u32::try_from(milliseconds.div_euclid(MILLISECONDS).max(0)).unwrap_or(u32::MAX))
    }

    /// Its first moment, in milliseconds since 1970.
    pub fn begins(self) -> i64 {
        i64::from(self.0) * MILLISECONDS
    }

    /// The first moment after it, in milliseconds since 1970.
    pub fn ends(self) -> i64 {
        self.begins() + MILLISECONDS
    }

    /// The day that [`Day`]'s display names, `2026-11-27`.
    pub fn named(text: &str) -> Option<Self> {
        let date: Date = text.parse().ok()?;
        let days = date.since((jiff::Unit::Day, epoch())).ok()?.get_days();
        let day = Self(u32::try_from(days).ok()?);
        (day.to_string() == text).then_some(day)
    }
}

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = jiff::Span::new().try_days(i64::from(self.0)).ok();
        let date = days.and_then(|days| epoch().checked_add(days).ok()).unwrap_or(Date::MAX);
        write!(f, "{date}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_and_found_by_its_name() {
        assert_eq!(Day(0).to_string(), "1970-01-01");
        assert_eq!(Day::of(Day(20784).begins()).to_string(), "2026-11-27");
        for day in [0, 59, 20784, 20785, 60000] {
            assert_eq!(Day::named(&Day(day).to_string()), Some(Day(day)));
            assert_eq!((Day::of(Day(day).begins()), Day::of(Day(day).ends() - 1)), (Day(day), Day(day)));
        }
        for no in ["", "1969-12-31", "2026-1-1", "2026-13-01", "20261127", "2026-11-27x"] {
            assert_eq!(Day::named(no), None, "{no}");
        }
        assert_eq!((Day::of(i64::MIN), Day::of(i64::MAX)), (Day(0), Day(u32::MAX)));
        assert_eq!((Day::of(-1), Day(u32::MAX).to_string()), (Day(0), "9999-12-31".into()));
    }
}
