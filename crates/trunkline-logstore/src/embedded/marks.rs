//! Through where each spool of each cluster was taken: what is sent again after a lost answer is known by it.
//!
//! A spool's records come in the order of their sequences, so that one number says of each whether it was here. There are
//! two such books: one of what was kept, which answers; and one of what was indexed, which decides, goes into the ledger
//! with each commit, and is made again from the spool after a crash.
//!
//! Limit: a cluster that begins one spool after the other makes its own oldest ones forgotten.

use std::collections::{HashMap, HashSet};

use trunkline_logs::Day;
use trunkline_proto::ClusterUid;

use super::record::Place;

/// The most spools of one cluster that are remembered: 16 datasets of 2 slots, with 32 lives each.
pub(super) const SPOOLS: usize = 1024;
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
    of: HashMap<ClusterUid, HashMap<Place, Mark>>,
    /// Those that are not in the ledger as they are here.
    changed: HashSet<Place>,
}

impl Marks {
    pub(super) fn read(marks: impl IntoIterator<Item = (Place, Mark)>) -> Self {
        let mut of: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (place, mark) in marks {
            of.entry(place.uid).or_default().insert(place, mark);
        }
        Self { of, changed: HashSet::new() }
    }

    /// Whether this record of this spool was not here.
    pub(super) fn is_new(&self, place: &Place, sequence: u64) -> bool {
        self.get(place).is_none_or(|mark| sequence > mark.sequence)
    }

    fn get(&self, place: &Place) -> Option<&Mark> {
        self.of.get(&place.uid)?.get(place)
    }

    /// Says that this record of this spool was here.
    pub(super) fn raise(&mut self, place: &Place, sequence: u64, today: Day) {
        let spools = self.of.entry(place.uid).or_default();
        if let Some(mark) = spools.get_mut(place) {
            mark.sequence = mark.sequence.max(sequence);
            mark.seen = today;
        } else {
            if spools.len() >= SPOOLS
                && let Some(oldest) =
                    spools.iter().min_by_key(|(_, mark)| mark.seen).map(|(place, _)| place.clone())
            {
                spools.remove(&oldest);
                self.changed.insert(oldest);
            }
            spools.insert(place.clone(), Mark { sequence, seen: today });
        }
        if !self.changed.contains(place) {
            self.changed.insert(place.clone());
        }
    }

    /// Forgets the spools that were not seen for long.
    pub(super) fn forget(&mut self, today: Day) {
        let changed = &mut self.changed;
        self.of.retain(|_, spools| {
            spools.retain(|place, mark| {
                let stays = mark.seen.0.saturating_add(DAYS) >= today.0;
                if !stays {
                    changed.insert(place.clone());
                }
                stays
            });
            !spools.is_empty()
        });
    }

    /// What changed since it was taken last; a spool without a mark is forgotten.
    pub(super) fn take_changed(&mut self) -> Vec<(Place, Option<Mark>)> {
        let changed = std::mem::take(&mut self.changed);
        changed
            .into_iter()
            .map(|place| (self.get(&place).copied(), place))
            .map(|(mark, place)| (place, mark))
            .collect()
    }
}
