//! Which day a record belongs to, and how long a day is kept: one rule for every store.
//!
//! Two clocks may be wrong: an agent's, which says on which day a record was spooled, and the gateway's, which says what day it is.
//! A clock that is a year ahead must not delete a year. So today is believed only as far as records bear it out: it is never more
//! than [`WITNESSES`] days behind the third newest day of which there is any record.
//!
//! Invariants:
//! - behind a clock's jump ahead no day goes more than two days early before there are records of three days there; the newest
//!   three days stay always;
//! - no agent makes more days than are kept;
//! - at one look a quarter of the days goes at the most, or two.

use std::collections::BTreeSet;
use std::time::SystemTime;

use trunkline_logs::{Day, Stamp};

/// How many days besides the newest there must be records of before it is believed that time has passed.
const WITNESSES: usize = 2;

/// The day that is, as this machine's clock says.
pub(crate) fn today() -> Day {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Day::of(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The day that the days bear out of which there is something: the third newest; none while they are too few to say.
pub(crate) fn witness(there: &BTreeSet<Day>) -> Option<Day> {
    there.iter().rev().nth(WITNESSES).copied()
}

/// The latest day that may be, where this one is borne out.
fn latest(witness: Day) -> Day {
    Day(witness.0.saturating_add(WITNESSES as u32))
}

/// The day that is, as far as it is borne out; none while the days are too few to say.
pub(crate) fn believed(there: &BTreeSet<Day>, today: Day) -> Option<Day> {
    witness(there).map(|witness| today.min(latest(witness)))
}

/// How many days are kept besides the one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retention(pub(crate) u32);

impl Retention {
    /// The day to which a record belongs: that of its spool, unless an agent with a wrong clock made it up. Then it is that of its
    /// arrival, or, where the gateway's clock is behind what is there, the `witness`.
    ///
    /// # Errors
    /// Why it belongs nowhere: its day is no longer kept, neither by the gateway's clock nor by the `witness`.
    pub(crate) fn day_of(self, stamp: &Stamp, witness: Option<Day>) -> Result<Day, String> {
        let arrived = Day::of(stamp.arrived);
        let is_made_up = stamp.day.0 > arrived.0.saturating_add(1);
        let day =
            if is_made_up { stamp.day.min(witness.unwrap_or_default().max(arrived)) } else { stamp.day };
        let is_kept = |now: Day| (self.first(now).0..=now.0.saturating_add(1)).contains(&day.0);
        if is_kept(arrived) || witness.is_some_and(|witness| is_kept(latest(witness))) {
            return Ok(day);
        }
        let days = self.0;
        Err(format!("it was spooled on {day}, and {days} days are kept: raise the retention to keep it"))
    }

    /// The first day that is kept on a day.
    pub(crate) fn first(self, now: Day) -> Day {
        Day(now.0.saturating_sub(self.0))
    }

    /// The days that go at this look, the oldest first.
    pub(crate) fn over(self, there: &BTreeSet<Day>, today: Day) -> Vec<Day> {
        let Some(now) = believed(there, today) else { return Vec::new() };
        there.range(..self.first(now)).take((there.len() / 4).max(2)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use trunkline_logs::{Dataset, SpoolEpoch};
    use trunkline_proto::{ClusterUid, Slot};

    use super::*;

    const TODAY: Day = Day(20_784);
    const FORTNIGHT: Retention = Retention(14);

    fn days(ages: impl IntoIterator<Item = i64>) -> BTreeSet<Day> {
        ages.into_iter().map(|age| Day((i64::from(TODAY.0) - age) as u32)).collect()
    }

    fn stamp(day: Day, arrived: Day) -> Stamp {
        Stamp {
            cluster: "prod".parse().unwrap(),
            uid: ClusterUid::random(),
            slot: Slot(0),
            dataset: Dataset::unnamed(),
            spool: SpoolEpoch([0; 16]),
            sequence: 1,
            day,
            arrived: arrived.begins() + 1,
        }
    }

    /// Looks until nothing more goes.
    fn left(mut there: BTreeSet<Day>, today: Day) -> BTreeSet<Day> {
        loop {
            let over = FORTNIGHT.over(&there, today);
            if over.is_empty() {
                return there;
            }
            there.retain(|day| !over.contains(day));
        }
    }

    #[test]
    fn day_by_day_exactly_as_many_days_stay_as_are_kept() {
        let mut there = BTreeSet::new();
        for day in 20_000..20_100 {
            there.insert(Day(day));
            there = left(there, Day(day));
            let first = day.saturating_sub(14).max(20_000);
            assert_eq!(there, (first..=day).map(Day).collect());
        }
        // An agent's clock is some minutes ahead: one more day, and none goes for it.
        there.insert(Day(20_100));
        assert!(FORTNIGHT.over(&there, Day(20_099)).is_empty());
    }

    #[test]
    fn a_clock_that_jumps_ahead_takes_two_days_at_the_most_until_three_have_come_there() {
        let whole = days(0..=14);
        for ahead in [1, 2, 15, 16, 365, 100_000] {
            let mut there = whole.clone();
            let wrong = Day(TODAY.0 + ahead);
            let first = left(there.clone(), wrong);
            assert_eq!(first, whole, "{ahead}");
            // The gateway's own records are of the wrong day, and those of an agent as well.
            there.extend([wrong, Day(wrong.0 + 1)]);
            let left = left(there, wrong);
            assert!(left.is_superset(&days(0..=12)), "{ahead}: {left:?}");
            assert!(left.contains(&wrong) && left.contains(&Day(wrong.0 + 1)));
        }
        assert!(FORTNIGHT.over(&whole, Day(0)).is_empty() && FORTNIGHT.over(&whole, Day(u32::MAX)).len() < 3);
    }

    #[test]
    fn a_store_that_got_nothing_for_long_lets_old_days_go_once_new_ones_are_there() {
        let old = days(60..=74);
        let mut there = old.clone();
        assert_eq!(left(there.clone(), TODAY), old);
        for came in [2, 1] {
            there.extend(days([came]));
            there = left(there, TODAY);
            assert!(there.is_superset(&days(60..=72)), "{came}: {there:?}");
        }
        there.extend(days([0]));
        assert_eq!(left(there, TODAY), days(0..=2));
    }

    #[test]
    fn at_one_look_a_quarter_goes_at_the_most() {
        let there = days(0..400);
        let over = FORTNIGHT.over(&there, TODAY);
        assert_eq!((over.len(), over.first()), (100, there.first()));
        assert_eq!(
            FORTNIGHT.over(&days([0, 1, 2, 30, 31, 32]), TODAY),
            [31, 32].map(|age| Day(TODAY.0 - age)).into_iter().rev().collect::<Vec<_>>()
        );
        assert_eq!(left(there, TODAY).len(), 15);
    }

    #[test]
    fn a_day_is_the_spools_unless_a_clock_made_it_up() {
        let day = |day: u32| FORTNIGHT.day_of(&stamp(Day(day), TODAY), None).map(|day| day.0);
        assert_eq!((day(TODAY.0), day(TODAY.0 + 1)), (Ok(TODAY.0), Ok(TODAY.0 + 1)));
        assert_eq!((day(TODAY.0 + 2), day(u32::MAX)), (Ok(TODAY.0), Ok(TODAY.0)), "a clock that is wrong");
        assert_eq!(day(TODAY.0 - 14), Ok(TODAY.0 - 14));
        assert!(day(TODAY.0 - 15).is_err_and(|why| why.contains("14 days are kept")) && day(0).is_err());
    }

    #[test]
    fn what_arrives_under_a_clock_that_is_ahead_keeps_its_day_and_no_agent_makes_up_old_ones() {
        let wrong = Day(TODAY.0 + 365);
        let witness = witness(&days(0..=14));
        let day = |day: u32| FORTNIGHT.day_of(&stamp(Day(day), wrong), witness);
        for kept in [TODAY.0 - 14, TODAY.0, TODAY.0 + 1, wrong.0 - 14, wrong.0 + 1] {
            assert_eq!(day(kept), Ok(Day(kept)));
        }
        let all = (0..=wrong.0 + 10).filter_map(|some| day(some).ok()).collect::<BTreeSet<_>>();
        assert!(all.len() <= 2 * 16, "{}", all.len());
    }

    #[test]
    fn what_arrives_under_a_clock_that_is_behind_does_not_go_when_that_is_set() {
        let there = days(0..=14);
        for wrong in [Day(0), Day(TODAY.0 - 100)] {
            let day = |day: u32| FORTNIGHT.day_of(&stamp(Day(day), wrong), witness(&there));
            assert_eq!((day(TODAY.0), day(u32::MAX)), (Ok(Day(TODAY.0 - 2)), Ok(Day(TODAY.0 - 2))));
            assert_eq!(day(TODAY.0 - 3), Ok(Day(TODAY.0 - 3)));
            assert!(FORTNIGHT.over(&there, wrong).is_empty());
        }
    }
}
