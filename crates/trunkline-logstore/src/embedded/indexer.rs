//! What takes records from the spool into the indexes: the one writer of the store.
//!
//! A commit goes in this order: each open index, with the spool's sequence in its payload; the marks, with the same; then
//! the spool may forget. Wherever that is cut off, what is read again meets a payload or a mark that knows it: no
//! record is indexed twice, and none is left out.
//!
//! Limits: [`OPEN`] days are written at once, and share the memory. What is of further days waits for the commit, at most
//! [`LATE`] bytes of it; then each of those days is opened once. A commit has at most [`RECORDS`] records.
//!
//! Invariant: a day is open or waits, never both: what an open index says of its day is true of all that was taken.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tantivy::IndexWriter;
use tracing::{error, info};
use trunkline_logs::{Day, DocumentId};
use trunkline_runtime::Pieces;
use trunkline_spool::{Epoch, Record};

use super::fault::Fault;
use super::ledger::Ledger;
use super::marks::Written;
use super::part::{Part, payload};
use super::parts::Parts;
use super::record::Kept;
use super::retention::{Limits, Over};

/// How many days are written at once: today, yesterday, and one that comes late.
pub(super) const OPEN: usize = 3;
/// How many records a commit has at the most.
pub(super) const RECORDS: usize = 100_000;
/// How many bytes of records of days that are not open wait for a commit, about.
pub(super) const LATE: usize = 8 * 1024 * 1024;
/// What is counted for each of them besides its text, in bytes.
const BESIDE: usize = 1024;
/// How long a day that is over stays open without a record.
const IDLE: Duration = Duration::from_secs(600);

/// The one writer.
pub(super) struct Indexer {
    pub(super) parts: Arc<Parts>,
    ledger: Arc<Ledger>,
    limits: Limits,
    memory: usize,
    spool: Epoch,
    marks: Written,
    /// Through where everything was taken.
    taken: u64,
    committed: u64,
    /// Those that are written, the longest unused first.
    open: Vec<Open>,
    added: usize,
    /// What waits for the commit, with the spool's sequences.
    late: BTreeMap<Day, Vec<(u64, Kept)>>,
    late_bytes: usize,
    /// The dead letters among what was taken since the last commit.
    letters: HashSet<DocumentId>,
    /// How often a day was opened.
    #[cfg(test)]
    pub(super) opened: u64,
}

/// A part that is written.
struct Open {
    part: Arc<Part>,
    /// The parts of its day before it.
    earlier: Vec<Arc<Part>>,
    writer: IndexWriter,
    added: usize,
    /// Through where its day is complete as it was committed.
    through: u64,
    /// Through where it is complete with what was added since.
    complete: u64,
    /// The ids of shippers' own among what was added since.
    own: HashSet<DocumentId>,
    used: Instant,
}

impl Indexer {
    /// Begins where the last commit ended.
    pub(super) fn begin(
        parts: Arc<Parts>,
        ledger: Arc<Ledger>,
        limits: Limits,
        memory: usize,
        spool: Epoch,
    ) -> Result<Self, Fault> {
        let (marks, through) = ledger.read(spool)?;
        Ok(Self {
            parts,
            ledger,
            limits,
            memory: memory / OPEN,
            spool,
            marks: marks.into(),
            taken: through,
            committed: through,
            open: Vec::new(),
            added: 0,
            late: BTreeMap::new(),
            late_bytes: 0,
            letters: HashSet::new(),
            #[cfg(test)]
            opened: 0,
        })
    }

    /// Takes records, in order. Nothing is durable before [`Indexer::commit`].
    ///
    /// What is new is judged in their order, and then added day by day: however the days are mixed, each is opened once.
    pub(super) fn take(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        today: Day,
    ) -> Result<(), Fault> {
        let before = self.taken;
        let mut taken = before;
        let mut days: BTreeMap<Day, Vec<(u64, Kept)>> = BTreeMap::new();
        let mut pieces = Pieces::begin();
        for record in records.into_iter().filter(|record| record.sequence > before) {
            pieces.between();
            taken = record.sequence;
            match Kept::read(record) {
                Ok(kept) => {
                    if self.is_new(&kept, today)? {
                        days.entry(kept.day).or_default().push((taken, kept));
                    }
                }
                // Nothing but a fault of ours makes one: it must not stand in the way of all others.
                Err(error) => {
                    error!(sequence = taken, %error, "a record of the log store's spool is no document and was left out");
                }
            }
        }
        for (day, mut documents) in days {
            let is_open = self.open.iter().any(|open| open.part.name.day == day);
            if is_open || (self.open.len() < OPEN && !self.late.contains_key(&day)) {
                self.add(day, &documents, taken)?;
            } else {
                self.late_bytes +=
                    documents.iter().map(|(_, kept)| kept.source.len() + BESIDE).sum::<usize>();
                self.late.entry(day).or_default().append(&mut documents);
            }
        }
        self.taken = taken;
        self.open.iter_mut().for_each(|open| open.complete = taken);
        Ok(())
    }

    /// Whether this was not here; from now on it was.
    fn is_new(&mut self, kept: &Kept, today: Day) -> Result<bool, Fault> {
        if kept.is_letter() {
            // It comes again soon or never: two days are looked at, so that many letters cost little.
            let before = Day(kept.day.0.saturating_sub(1));
            for part in self.parts.of(before).into_iter().chain(self.parts.of(kept.day)) {
                if part.has(kept.id)? {
                    return Ok(false);
                }
            }
            return Ok(self.letters.insert(kept.id));
        }
        let is_new = self.marks.is_new(&kept.place, kept.sequence);
        if is_new {
            self.marks.raise(&kept.place, kept.sequence, today);
        }
        Ok(is_new)
    }

    /// Adds all that was taken of a day, which is complete through `taken` then.
    fn add(&mut self, day: Day, documents: &[(u64, Kept)], taken: u64) -> Result<(), Fault> {
        let open = self.open(day)?;
        let before = open.added;
        let mut pieces = Pieces::begin();
        for (sequence, kept) in documents {
            pieces.between();
            open.add(*sequence, kept)?;
        }
        open.complete = taken;
        let added = open.added - before;
        self.added += added;
        Ok(())
    }

    /// How many records wait for a commit.
    pub(super) fn waiting(&self) -> u64 {
        self.taken - self.committed
    }

    /// Whether there should be a commit at once.
    pub(super) fn is_full(&self) -> bool {
        self.added >= RECORDS || self.late_bytes >= LATE || self.waiting() >= 4 * RECORDS as u64
    }

    /// Makes everything that was taken durable and searchable. Says through where the spool may forget.
    pub(super) fn commit(&mut self) -> Result<u64, Fault> {
        while let Some((day, documents)) = self.late.pop_first() {
            self.add(day, &documents, self.taken)?;
        }
        self.late_bytes = 0;
        for open in &mut self.open {
            open.commit(self.spool)?;
        }
        if self.waiting() > 0 {
            self.ledger.write(&mut self.marks, self.spool, self.taken)?;
        }
        self.added = 0;
        self.letters.clear();
        self.committed = self.taken;
        Ok(self.committed)
    }

    /// Merges what is over and closes it, one step at a time: called now and then while there is nothing else to do.
    pub(super) fn tidy(&mut self, today: Day) -> Result<(), Fault> {
        self.marks.forget(today);
        if !self.late.is_empty() {
            return Ok(());
        }
        let over = |open: &Open| open.part.name.day < today && open.added == 0 && open.used.elapsed() > IDLE;
        if let Some(at) = self.open.iter().position(over) {
            if !self.open[at].merge()? {
                self.open.remove(at);
            }
        } else if self.open.len() < OPEN {
            for part in self.parts.all() {
                let known = self.open.iter().any(|open| open.part.name == part.name);
                if part.name.day < today && !known && !part.small_segments()?.is_empty() {
                    let mut open = Open::new(part, Vec::new(), self.memory, self.spool)?;
                    open.merge()?;
                    self.open.insert(0, open);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Removes the oldest parts until there is room; behind a commit only, so that what goes is known and counted.
    pub(super) fn make_room(&mut self) -> Result<(), Fault> {
        if self.added > 0 || !self.late.is_empty() {
            return Ok(());
        }
        for part in self.limits.crowded(&self.parts) {
            self.open.retain(|open| open.part.name != part.name);
            self.parts.crowd_out(&part)?;
        }
        Ok(())
    }

    /// Removes days that are over their time, with what was added to them; a few at each look.
    pub(super) fn expire(&mut self, today: Day) -> Result<(), Fault> {
        let Over { parts, foreign } = self.limits.over(&self.parts, today)?;
        for name in parts {
            self.open.retain(|open| open.part.name != name);
            self.parts.end(name)?;
        }
        for folder in foreign {
            fs::remove_dir_all(&folder)?;
            info!(folder = %folder.display(), "an old day of another format was removed");
        }
        Ok(())
    }

    /// What a day is written to.
    fn open(&mut self, day: Day) -> Result<&mut Open, Fault> {
        let full = self.limits.part();
        self.open.retain(|open| open.part.name.day != day || open.added > 0 || open.part.bytes() <= full);
        match self.open.iter().position(|open| open.part.name.day == day) {
            // The last one is the one that was used last.
            Some(at) => self.open[at..].rotate_left(1),
            None => {
                if self.open.len() >= OPEN {
                    self.open.remove(0).commit(self.spool)?;
                }
                let mut there = self.parts.of(day);
                let part = match there.pop() {
                    Some(last) if last.bytes() <= full => last,
                    last => {
                        there.extend(last);
                        self.parts.begin(day)?
                    }
                };
                self.open.push(Open::new(part, there, self.memory, self.spool)?);
                #[cfg(test)]
                {
                    self.opened += 1;
                }
            }
        }
        let open = self.open.last_mut().ok_or(Fault::NoWriter)?;
        open.used = Instant::now();
        Ok(open)
    }
}

impl Open {
    fn new(part: Arc<Part>, earlier: Vec<Arc<Part>>, memory: usize, spool: Epoch) -> Result<Self, Fault> {
        let mut through = part.through(spool)?;
        for part in &earlier {
            through = through.max(part.through(spool)?);
        }
        let writer = part.writer(memory)?;
        let own = HashSet::new();
        Ok(Self { part, earlier, writer, added: 0, through, complete: through, own, used: Instant::now() })
    }

    /// Adds a document unless its day has it.
    fn add(&mut self, sequence: u64, kept: &Kept) -> Result<(), Fault> {
        if sequence > self.through && (!kept.is_known_by_id || self.is_first(kept.id)?) {
            self.writer.add_document(self.part.fields().document(kept))?;
            self.added += 1;
        }
        Ok(())
    }

    fn commit(&mut self, spool: Epoch) -> Result<(), Fault> {
        if self.added > 0 {
            let mut commit = self.writer.prepare_commit()?;
            commit.set_payload(&payload(spool, self.complete));
            commit.commit()?;
            self.part.reload()?;
            self.added = 0;
            self.own.clear();
            self.through = self.complete;
        }
        Ok(())
    }

    /// Whether nothing of the day has this id of its shipper's yet; from now on this does.
    fn is_first(&mut self, id: DocumentId) -> Result<bool, Fault> {
        if self.own.contains(&id) {
            return Ok(false);
        }
        for part in self.earlier.iter().chain([&self.part]) {
            if part.has(id)? {
                return Ok(false);
            }
        }
        Ok(self.own.insert(id))
    }

    /// Begins to merge what is small, in the background. Says whether there was anything.
    fn merge(&mut self) -> Result<bool, Fault> {
        self.part.reload()?;
        let small = self.part.small_segments()?;
        if small.is_empty() {
            return Ok(false);
        }
        self.used = Instant::now();
        // Whether it was done is seen the next time.
        drop(self.writer.merge(&small));
        Ok(true)
    }
}
