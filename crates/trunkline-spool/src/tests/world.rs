//! A spool on the model of a disk, and beside it what it promised.
//!
//! The world does what it is told - append, acknowledge, read, cut the power, fill the disk - and checks after each step what
//! must hold: whatever was answered and not acknowledged is there, in order, once, as it was brought; no sequence ever
//! stands for two records; what is gone is counted to the record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::{clock, id, record, walk};
use crate::chunk::{Chunk, Limits};
use crate::epoch::Epoch;
use crate::error::Refused;
use crate::folder::Folder;
use crate::folder::model::{Disk, Leaves};
use crate::settings::{Full, Settings};
use crate::store::Store;
use crate::view::View;
use crate::walk::Walk;

/// What happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Records of these lengths, in one commit.
    Append(Vec<u16>),
    /// So many hundredths of what is there are acknowledged.
    Ack(u8),
    /// The cursor is moved.
    Settle,
    /// So many chunks are read on.
    Read(u8),
    Rewind,
    /// The process ends in good order, or as by `kill -9`, and begins again.
    Reopen {
        orderly: bool,
    },
    /// The power is cut now; or at the change of the disk after so many.
    PowerCut,
    PowerCutAfter(u8),
    /// So many more bytes fit on the disk.
    Fill(u16),
    Free,
    /// So many syncs fail.
    FailSyncs(u8),
    /// The clock goes on, or back, by so many seconds.
    Clock(i32),
}

pub(super) struct World {
    disk: Disk,
    settings: Settings,
    now: Arc<AtomicU64>,
    luck: StdRng,
    store: Option<Store>,
    walk: Option<Walk>,
    /// Where the walk is.
    next: u64,
    folder: Option<Epoch>,
    /// What is kept, by sequence, as far as it was ever seen or answered.
    kept: BTreeMap<u64, u64>,
    /// Of that, what a limit let go since the process began.
    lost: BTreeSet<u64>,
    brought: u64,
    /// What was done, for a count at the end.
    pub(super) answered: usize,
    pub(super) refused: usize,
    pub(super) cuts: usize,
}

/// The first sequence that can be there: behind all that were given out where there is no segment.
fn front(view: &View) -> u64 {
    view.segments.front().map_or(view.last + 1, |segment| segment.first)
}

impl World {
    pub(super) fn new(settings: Settings, seed: u64) -> Self {
        let now = Arc::new(AtomicU64::new(1_750_000_000_000));
        let settings = Settings { clock: clock(&now), ..settings };
        let mut world = Self {
            disk: Disk::default(),
            settings,
            now,
            luck: StdRng::seed_from_u64(seed),
            store: None,
            walk: None,
            next: 1,
            folder: None,
            kept: BTreeMap::new(),
            lost: BTreeSet::new(),
            brought: 0,
            answered: 0,
            refused: 0,
            cuts: 0,
        };
        world.begin();
        world
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    pub(super) fn does(&mut self, step: &Step) {
        match step {
            Step::Append(lengths) => self.append(lengths),
            Step::Ack(hundredths) => {
                let shared = self.store().shared().clone();
                let mut view = shared.view();
                let through = view.acked + (view.last - view.acked) * u64::from(*hundredths).min(100) / 100;
                view.ack(through);
            }
            Step::Settle => self.store().settle(),
            Step::Read(chunks) => (0..*chunks).for_each(|_| self.read()),
            Step::Rewind => {
                let acked = self.store().shared().view().acked;
                self.next = acked + 1;
                self.walk.as_mut().unwrap().rewind();
            }
            Step::Reopen { orderly } => {
                if *orderly {
                    self.store().settle();
                }
                self.begin();
            }
            Step::PowerCut => self.power_cut(),
            Step::PowerCutAfter(steps) => self.disk.cut_after(u64::from(*steps)),
            Step::Fill(bytes) => self.disk.set_room(Some(self.disk.used() + u64::from(*bytes))),
            Step::Free => self.disk.set_room(None),
            Step::FailSyncs(count) => self.disk.fail_syncs(u32::from(*count)),
            Step::Clock(seconds) => {
                let now = self.now.load(Ordering::Relaxed).saturating_add_signed(i64::from(*seconds) * 1_000);
                self.now.store(now, Ordering::Relaxed);
            }
        }
        if self.disk.is_dead() {
            self.power_cut();
        }
        self.count_lost();
    }

    fn append(&mut self, lengths: &[u16]) {
        let first = self.brought;
        self.brought += lengths.len() as u64;
        let records: Vec<_> =
            (first..).zip(lengths).map(|(id, length)| record(id, usize::from(*length))).collect();
        let last = self.store().shared().view().last;
        match self.store().commit(&records.iter().collect::<Vec<_>>()) {
            Ok(sequence) => {
                assert_eq!(sequence, last + 1);
                self.answered += records.len();
                for (sequence, id) in (sequence..).zip(first..self.brought) {
                    assert_eq!(self.kept.insert(sequence, id), None, "{sequence} stood for another record");
                }
                if self.luck.random_ratio(1, 8) {
                    self.count_lost();
                    self.is_durable();
                }
            }
            Err(refused) => {
                self.refused += records.len();
                let (cap, full) = (self.settings.cap, self.settings.full);
                let view = self.store().shared().view().bytes();
                match refused {
                    Refused::Full { bytes, .. } => {
                        let size: usize = records.iter().map(|record| record.size() + 60).sum();
                        assert!(full == Full::Refuse && bytes + size as u64 > cap, "{bytes} {size} {view}");
                    }
                    Refused::Disk { .. } => assert!(self.store().shared().view().unwritten.is_some()),
                    other => panic!("{other:?}"),
                }
                assert_eq!(self.store().shared().view().last, last);
            }
        }
        let bytes = self.store().shared().view().bytes();
        assert!(bytes <= self.settings.cap, "{bytes}");
    }

    /// Were the power cut now, and all lost that may be, what was answered would be there; also if the cursor could not be written, what was
    /// acknowledged need not be.
    fn is_durable(&mut self) {
        let disk = self.disk.power_cut(Leaves::Nothing, &mut self.luck);
        let store = Store::open(Folder::Model(disk), self.settings.clone()).unwrap();
        let there: BTreeMap<u64, u64> = contents(&mut walk(&store)).collect();
        let acked = self.store().shared().view().acked;
        for (sequence, id) in
            self.kept.range(acked + 1..).filter(|(sequence, _)| !self.lost.contains(sequence))
        {
            assert_eq!(there.get(sequence), Some(id), "{sequence} was answered");
        }
    }

    fn read(&mut self) {
        let Ok(chunk) = self.walk.as_mut().unwrap().step() else {
            assert!(self.disk.is_dead());
            return;
        };
        let Some(chunk) = chunk else { return };
        let begins = chunk.gap.map_or(self.next, |gap| {
            assert_eq!(gap.from, self.next);
            gap.to + 1
        });
        for sequence in self.next..begins {
            let acked = self.store.as_ref().unwrap().shared().view().acked;
            assert!(self.lost.contains(&sequence) || sequence <= acked, "{sequence} is said to be gone");
        }
        assert!(chunk.head.first == begins || (chunk.head.first < begins && chunk.head.last() >= begins));
        for record in Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap().records() {
            assert_eq!(self.kept.get(&record.sequence), Some(&id(&record)), "{}", record.sequence);
        }
        self.next = chunk.head.last() + 1;
    }

    fn power_cut(&mut self) {
        self.cuts += 1;
        let leaves = match self.luck.random_range(0..4) {
            0 => Leaves::Nothing,
            1 => Leaves::All,
            _ => Leaves::Anything,
        };
        self.disk = self.disk.power_cut(leaves, &mut self.luck);
        self.begin();
    }

    /// A process begins with what is on the disk.
    fn begin(&mut self) {
        (self.store, self.walk) = (None, None);
        let room = || Store::open(Folder::Model(self.disk.clone()), self.settings.clone());
        let store = match room() {
            Ok(store) => store,
            // It was full, and then there is no spool yet; or the power went, or syncs fail.
            Err(_) => {
                if self.disk.is_dead() {
                    return self.power_cut();
                }
                self.disk.set_room(None);
                self.disk.fail_syncs(0);
                match Store::open(Folder::Model(self.disk.clone()), self.settings.clone()) {
                    Ok(store) => store,
                    Err(_) if self.disk.is_dead() => return self.power_cut(),
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let folder = store.shared().folder;
        assert!(self.kept.is_empty() || self.folder == Some(folder), "another spool");
        self.folder = Some(folder);
        let (acked, last, front) = {
            let view = store.shared().view();
            (view.acked, view.last, front(&view))
        };
        self.lost = self
            .kept
            .range(acked + 1..)
            .map(|(sequence, _)| *sequence)
            .filter(|kept| *kept < front)
            .collect();
        let there: Vec<(u64, u64)> = contents(&mut walk(&store)).collect();
        let mut ids = BTreeSet::new();
        for (sequence, id) in &there {
            // What was not answered may be there as well, and then stays.
            let kept = *self.kept.entry(*sequence).or_insert(*id);
            assert_eq!(kept, *id, "{sequence} stands for two records");
            assert!(ids.insert(*id), "{id} is there twice");
        }
        let there: Vec<u64> =
            there.into_iter().map(|(sequence, _)| sequence).filter(|there| *there > acked).collect();
        let should: Vec<u64> =
            self.kept.keys().copied().filter(|kept| *kept > acked && !self.lost.contains(kept)).collect();
        assert_eq!(there, should, "acked {acked}");
        assert!(self.kept.last_key_value().is_none_or(|(kept, _)| *kept <= last));
        self.next = acked + 1;
        self.walk = Some(walk(&store));
        self.store = Some(store);
        self.count_lost();
    }

    /// What a limit let go is counted, to the record.
    fn count_lost(&mut self) {
        let status = self.store().shared().status();
        let front = front(&self.store().shared().view());
        let gone =
            self.kept.range(status.acked + 1..).map(|(sequence, _)| *sequence).filter(|kept| *kept < front);
        self.lost.extend(gone);
        assert_eq!(status.lost, self.lost.len() as u64);
        let waiting =
            self.kept.range(status.acked + 1..).filter(|(sequence, _)| !self.lost.contains(sequence)).count();
        assert_eq!(status.records, waiting as u64);
        if self.settings.full == Full::Refuse && self.settings.max_age.is_none() {
            assert_eq!((status.gaps, status.lost), (0, 0));
        }
    }

    /// Whether any file says which sequences were given out.
    pub(super) fn has_a_segment(&mut self) -> bool {
        !self.store().shared().view().segments.is_empty()
    }

    /// All that was promised is there at the end, and can go.
    pub(super) fn ends(mut self) -> Self {
        self.disk.set_room(None);
        self.does(&Step::FailSyncs(0));
        self.does(&Step::Reopen { orderly: false });
        self.does(&Step::Append(vec![1, 2, 3]));
        self.does(&Step::Ack(100));
        self.does(&Step::Settle);
        self.does(&Step::Append(vec![1, 2, 3]));
        self
    }
}

fn contents(walk: &mut Walk) -> impl Iterator<Item = (u64, u64)> + use<> {
    super::read(walk).0.into_iter().map(|record| (record.sequence, id(&record)))
}
