//! Through where each spool of each cluster was taken: what is sent again after a lost answer is known by it.
//!
//! A spool's records come in the order of their sequences, so that one number says of each whether it was here. There are
//! two such books: one of what was kept, which answers; and one of what was indexed, which decides, goes into the ledger
//! with each commit, and is made again from the spool after a crash.
//!
//! Limits: [`SPOOLS`] of a cluster, so that one that begins one spool after the other makes its own oldest ones forgotten;
//! [`ALL`] together, beyond which the cluster that has most forgets. Once a day those go that had no record for [`DAYS`].

use std::collections::{BTreeSet, HashMap, HashSet};

use trunkline_logs::Day;
use trunkline_proto::ClusterUid;

use super::record::Place;
use crate::days::believed;

/// The most spools of one cluster that are remembered: 16 datasets of 2 slots, with 32 lives each.
pub(super) const SPOOLS: usize = 1024;
/// The most spools of all clusters, some 20 MiB.
pub(super) const ALL: usize = 65_536;
/// After how many days without a record a spool is forgotten.
pub(super) const DAYS: u32 = 60;

/// Through where a spool was taken, and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    pub(super) seen: Day,
}

/// The book.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// With the turn of their last use: days are too few to tell the oldest by.
    of: HashMap<ClusterUid, HashMap<Place, (Mark, u64)>>,
    total: usize,
    turn: u64,
    /// How many were forgotten because there were too many.
    crowded_out: u64,
    /// When it was looked for what is over last.
    looked: Option<Day>,
}

/// The book of what was indexed, with what of it the ledger does not say yet.
#[derive(Debug)]
pub(super) struct Written {
    marks: Marks,
    changed: HashSet<Place>,
}

impl Marks {
    pub(super) fn read(marks: impl IntoIterator<Item = (Place, Mark)>) -> Self {
        let mut marks: Vec<_> = marks.into_iter().collect();
        marks.sort_by_key(|(_, mark)| mark.seen);
        let mut book = Self::default();
        for (place, mark) in marks {
            book.raise(&place, mark.sequence, mark.seen);
        }
        book
    }

    /// Whether this record of this spool was not here.
    pub(super) fn is_new(&self, place: &Place, sequence: u64) -> bool {
        self.get(place).is_none_or(|mark| sequence > mark.sequence)
    }

    fn get(&self, place: &Place) -> Option<&Mark> {
        self.of.get(&place.uid)?.get(place).map(|(mark, _)| mark)
    }

    /// Says that this record of this spool was here. Says which spool is forgotten for it.
    pub(super) fn raise(&mut self, place: &Place, sequence: u64, today: Day) -> Option<Place> {
        self.turn += 1;
        let turn = self.turn;
        let spools = self.of.entry(place.uid).or_default();
        if let Some((mark, used)) = spools.get_mut(place) {
            *mark = Mark { sequence: mark.sequence.max(sequence), seen: today };
            *used = turn;
            return None;
        }
        let loses = if spools.len() >= SPOOLS {
            Some(place.uid)
        } else if self.total >= ALL {
            self.of.iter().max_by_key(|(_, spools)| spools.len()).map(|(uid, _)| *uid)
        } else {
            None
        };
        let forgotten = loses.and_then(|uid| self.forget_oldest(uid));
        self.of.entry(place.uid).or_default().insert(place.clone(), (Mark { sequence, seen: today }, turn));
        self.total += 1;
        forgotten
    }

    fn forget_oldest(&mut self, uid: ClusterUid) -> Option<Place> {
        let spools = self.of.get_mut(&uid)?;
        let oldest = spools.iter().min_by_key(|(_, (_, used))| *used).map(|(place, _)| place.clone())?;
        spools.remove(&oldest);
        self.total -= 1;
        self.crowded_out += 1;
        Some(oldest)
    }

    /// How many were forgotten because there were too many.
    pub(super) fn crowded_out(&self) -> u64 {
        self.crowded_out
    }

    /// Forgets the spools that had no record for long; looks once a day. Says which they were.
    pub(super) fn forget(&mut self, today: Day) -> Vec<Place> {
        if self.looked.replace(today) == Some(today) {
            return Vec::new();
        }
        let seen: BTreeSet<Day> =
            self.of.values().flat_map(HashMap::values).map(|(mark, _)| mark.seen).collect();
        let Some(now) = believed(&seen, today) else { return Vec::new() };
        let mut forgotten = Vec::new();
        self.of.retain(|_, spools| {
            let over = spools.extract_if(|_, (mark, _)| mark.seen.0.saturating_add(DAYS) < now.0);
            forgotten.extend(over.map(|(place, _)| place));
            !spools.is_empty()
        });
        self.total -= forgotten.len();
        forgotten
    }
}

impl From<Marks> for Written {
    /// Everything is in the ledger.
    fn from(marks: Marks) -> Self {
        Self { marks, changed: HashSet::new() }
    }
}

impl Written {
    /// See [`Marks::is_new`].
    pub(super) fn is_new(&self, place: &Place, sequence: u64) -> bool {
        self.marks.is_new(place, sequence)
    }

    /// See [`Marks::raise`].
    pub(super) fn raise(&mut self, place: &Place, sequence: u64, today: Day) {
        self.changed.extend(self.marks.raise(place, sequence, today));
        if !self.changed.contains(place) {
            self.changed.insert(place.clone());
        }
    }

    /// See [`Marks::forget`].
    pub(super) fn forget(&mut self, today: Day) {
        self.changed.extend(self.marks.forget(today));
    }

    /// What changed since it was taken last; a spool without a mark is forgotten.
    pub(super) fn take_changed(&mut self) -> Vec<(Place, Option<Mark>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        let with_mark = |place| {
            let mark = self.marks.get(&place).copied();
            (place, mark)
        };
        changed.map(with_mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use trunkline_logs::SpoolEpoch;
    use trunkline_proto::Slot;

    use super::*;

    const TODAY: Day = Day(20_784);

    fn place(uid: ClusterUid, spool: u128) -> Place {
        Place { uid, slot: Slot(0), spool: SpoolEpoch(spool.to_be_bytes()), dataset: "logs".parse().unwrap() }
    }

    #[test]
    fn a_cluster_that_begins_one_spool_after_the_other_forgets_its_own_oldest() {
        let (hostile, honest) = (ClusterUid::random(), ClusterUid::random());
        let mut marks = Marks::default();
        marks.raise(&place(honest, 0), 7, TODAY);
        for spool in 0..10_000 {
            marks.raise(&place(hostile, spool), 1, TODAY);
            // The first one goes on all the time: it is not the oldest.
            marks.raise(&place(hostile, 0), spool as u64, TODAY);
        }
        assert_eq!((marks.total, marks.of[&hostile].len()), (SPOOLS + 1, SPOOLS));
        assert_eq!(marks.crowded_out(), 10_000 - SPOOLS as u64);
        assert!(!marks.is_new(&place(honest, 0), 7) && !marks.is_new(&place(hostile, 0), 9_999));
        assert!(!marks.is_new(&place(hostile, 9_999), 1) && marks.is_new(&place(hostile, 1), 1));
    }

    #[test]
    fn many_clusters_share_what_all_may_have() {
        let honest = ClusterUid::random();
        let mut marks = Marks::default();
        marks.raise(&place(honest, 0), 7, TODAY);
        for _ in 0..ALL / SPOOLS + 2 {
            let uid = ClusterUid::random();
            (0..SPOOLS as u128).for_each(|spool| drop(marks.raise(&place(uid, spool), 1, TODAY)));
        }
        let counted: usize = marks.of.values().map(HashMap::len).sum();
        assert_eq!((marks.total, counted), (ALL, ALL));
        assert!(!marks.is_new(&place(honest, 0), 7));
    }

    #[test]
    fn what_had_no_record_for_long_is_forgotten_and_a_clock_that_is_ahead_forgets_nothing() {
        let uid = ClusterUid::random();
        let mut written = Written::from(Marks::default());
        for age in [0, 1, 2, 59, 61, 90] {
            written.raise(&place(uid, age), 1, Day(TODAY.0 - age as u32));
        }
        written.take_changed();
        written.raise(&place(uid, 200), 1, Day(TODAY.0 + 1000));
        written.forget(Day(TODAY.0 + 1000));
        assert_eq!(written.take_changed().len(), 1 + 2, "the third newest day is yesterday");
        assert!(!written.is_new(&place(uid, 59), 1) && written.is_new(&place(uid, 61), 1));
        assert_eq!(written.marks.total, 5);
    }
}
