//! What is known of the spool without a look at the disk. The writer's side changes it, after it has synced; everybody reads
//! it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tracing::warn;

use crate::epoch::Epoch;
use crate::gaps::Gaps;
use crate::marks::Marks;
use crate::segments::Segment;
use crate::status::{Gap, Status};

/// What all parts of a spool share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Which folder it is.
    pub(crate) folder: Epoch,
    pub(crate) cap: u64,
    view: Mutex<View>,
}

#[derive(Debug, Default)]
pub(crate) struct View {
    /// Oldest first.
    pub(crate) segments: VecDeque<Segment>,
    /// The newest synced sequence.
    pub(crate) last: u64,
    /// Through where it was acknowledged.
    pub(crate) acked: u64,
    pub(crate) gaps: Gaps,
    pub(crate) marks: Marks,
    /// Why nothing can be written; why nothing can go.
    pub(crate) unwritten: Option<String>,
    pub(crate) unsettled: Option<String>,
    /// The cap was reached, and nothing went since.
    pub(crate) full: bool,
}

impl Shared {
    pub(crate) fn new(folder: Epoch, cap: u64, view: View) -> Self {
        Self { folder, cap, view: Mutex::new(view) }
    }

    pub(crate) fn view(&self) -> MutexGuard<'_, View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> Status {
        let view = self.view();
        let records = view.waiting();
        let oldest = view.marks.oldest().filter(|_| records > 0);
        Status {
            folder: self.folder,
            last: view.last,
            acked: view.acked,
            records,
            bytes: view.bytes(),
            cap: self.cap,
            oldest: oldest.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at))),
            gaps: view.gaps.count,
            lost: view.gaps.lost,
            fault: view.unwritten.clone().or_else(|| view.unsettled.clone()),
        }
    }
}

impl View {
    /// How many bytes lie on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    /// How many records were neither acknowledged nor are gone.
    pub(crate) fn waiting(&self) -> u64 {
        self.last - self.acked - self.gaps.within(self.acked, self.last)
    }

    /// Where the segment of a place among them ends: the first sequence that is not its.
    pub(crate) fn end_of(&self, place: usize) -> Option<u64> {
        match self.segments.get(place + 1) {
            Some(next) => Some(next.first),
            None => (place < self.segments.len()).then_some(self.last + 1),
        }
    }

    /// All through this one may go.
    pub(crate) fn ack(&mut self, through: u64) {
        self.acked = self.acked.max(through);
        self.gaps.forget(self.acked);
        self.marks.forget(self.acked);
    }

    /// Counts what is missing, once.
    pub(crate) fn note(&mut self, gap: Gap, why: &'static str) {
        let gap = Gap { from: gap.from.max(self.acked + 1), to: gap.to };
        if gap.from <= gap.to {
            let records = self.gaps.note(gap);
            if records > 0 {
                warn!(from = gap.from, to = gap.to, records, why, "records of the spool are gone");
            }
        }
    }
}
