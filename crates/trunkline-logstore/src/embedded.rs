//! The embedded store, which is the default: a spool, and an index for each day.
//!
//! ```text
//! write ── marks ── spool ── answer                      find, histogram, top
//!                     │                                        │
//!                   feed ── indexer ── parts: day, day, day ── reading: zones, values
//!                                        retention
//! ```
//!
//! Documents go into a [spool](trunkline_spool) first, and are answered once they are durable there. One writer takes them
//! from it into the index of the day on which they were spooled, and commits every few seconds, with the spool's
//! sequence in the commit. Searches read the indexes in threads of their own, few at a time, and end in time.
//!
//! Invariants:
//! - what was answered is found, after a crash at any point as well, and once: by its place in its spool (`marks`),
//!   within its day by its shipper's id, or as a dead letter within two days by its own;
//! - nothing is found, counted or named that the question's scope does not hold;
//! - a filter means here what [`Filter::matches`](trunkline_logs::Filter::matches) says, exactly, and so do all counts;
//! - no document can spoil an index or hold others up;
//! - memory is bounded by [`Settings::memory`], a bit for each document a search counts, and a page of documents.

mod tokenizer;
mod record;
mod schema;
mod marks;
mod ledger;
mod fault;
mod zones;
mod scan;
mod part;
mod parts;
mod retention;
mod indexer;
mod feed;
mod watch;
mod unwanted;
mod query;
mod reading;
mod find;
mod values;
mod histogram;
mod searches;
mod served;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use trunkline_logs::{Cursor, Day, Document, Field, Hits, Order, Question, Slice, Top};
use trunkline_runtime::{Pieces, Tasks};
use trunkline_spool::{Full, NewRecord, Refused, Spool, Writer};

use crate::days::{today, witness};
use crate::{MAX_HITS, MAX_SLICES, MAX_VALUES, Outcome, SearchError, Unavailable};
use feed::{Feed, State};
use ledger::{Ledger, LedgerError};
use marks::Marks;
use parts::Parts;
use record::{Place, record};
use retention::Limits;
use searches::Searches;

/// How many bytes of records are handed to the spool at once.
const APPEND: usize = 8 * 1024 * 1024;
/// For how many documents the places are raised at once.
const RAISED: usize = 64;

/// How the store is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many days are kept besides the one that is; a day is that on which a record was spooled.
    pub retention_days: u32,
    /// How many bytes the indexes may take; then the oldest part of them goes, an eighth or less at a time. At least 64 MiB.
    pub cap_bytes: u64,
    /// How many bytes may wait to be indexed; then nothing is taken. At least 64 MiB.
    pub spool_bytes: u64,
    /// How many bytes of records are held in memory while they are indexed. At least 48 MiB.
    pub memory: usize,
    /// How long a record waits to be found.
    pub commit_every: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retention_days: 14,
            cap_bytes: 50 * 1024 * 1024 * 1024,
            spool_bytes: 1024 * 1024 * 1024,
            memory: 64 * 1024 * 1024,
            commit_every: Duration::from_secs(2),
        }
    }
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The spool says no: another process has it, or it is another version's.
    #[error("the embedded log store cannot be opened")]
    Spool(#[from] trunkline_spool::OpenError),
    /// A file or folder cannot be used.
    #[error("{path} cannot be used as a log store")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file with the marks cannot be read.
    #[error("{path} cannot be read; without it records that are sent again may be stored twice: {why}")]
    Marks {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A setting is out of its bounds.
    #[error("a log store cannot be kept so: {0}")]
    Settings(&'static str),
}

/// How the store is, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How many documents are found.
    pub documents: u64,
    /// How many bytes the indexes take.
    pub bytes: u64,
    /// How many they may.
    pub cap: u64,
    /// How many days are there.
    pub days: usize,
    /// The oldest of them.
    pub oldest: Option<Day>,
    /// How many records wait to be indexed.
    pub waiting: u64,
    /// How many bytes the spool takes.
    pub spool_bytes: u64,
    /// How many it may.
    pub spool_cap: u64,
    /// How many records were damaged on the disk before they were indexed, since the store was opened.
    pub lost: u64,
    /// How many days lie there in another version's format. They are not searched.
    pub foreign_days: usize,
    /// How many parts of days are damaged. They are not searched.
    pub damaged_parts: usize,
    /// How many documents went before their time because there was no room, since the store was opened.
    pub crowded_out: u64,
    /// How many spools were forgotten because there were too many, since the store was opened: what is sent again of those is stored again.
    pub forgotten_spools: u64,
    /// Why nothing is taken or indexed at the moment; none if all is well.
    pub fault: Option<String>,
}

/// The store. Clones share it; it stops with its tasks.
#[derive(Clone, Debug)]
pub struct Embedded {
    spool: Spool,
    writer: Writer,
    kept: Arc<Mutex<Marks>>,
    parts: Arc<Parts>,
    limits: Limits,
    state: Arc<State>,
    searches: Searches,
}

impl Embedded {
    /// Opens the store in a folder, makes it if there is none. For this process alone. Waits for the disk: some milliseconds
    /// for each day. What was kept and not indexed is indexed meanwhile.
    ///
    /// # Errors
    /// When the folder is another process's or another version's, or cannot be used. It is as it was.
    pub fn open(folder: &Path, settings: Settings, tasks: &Tasks) -> Result<Self, OpenError> {
        settings.check()?;
        let limits = Limits { days: settings.retention_days, bytes: settings.cap_bytes };
        let spool = trunkline_spool::Settings {
            cap: settings.spool_bytes,
            full: Full::Refuse,
            ..trunkline_spool::Settings::default()
        };
        // It is locked: whoever has the spool has the rest.
        let spool = Spool::open(&folder.join("spool"), spool, tasks)?;
        let path = folder.join("marks.redb");
        let marks = |error: LedgerError| OpenError::Marks { path: path.clone(), why: error.to_string() };
        let ledger = Arc::new(Ledger::open(&path).map_err(marks)?);
        let (kept, _) = ledger.read(spool.status().folder).map_err(marks)?;
        let parts =
            Parts::open(folder).map_err(|source| OpenError::Io { path: folder.to_owned(), source })?;
        let (parts, state) = (Arc::new(parts), Arc::new(State::default()));
        let feed = Feed {
            spool: spool.clone(),
            parts: parts.clone(),
            ledger,
            limits,
            memory: settings.memory,
            every: settings.commit_every,
            state: state.clone(),
        };
        tasks.spawn(feed.run(tasks.token()));
        let writer = spool.writer();
        let kept = Arc::new(Mutex::new(kept));
        Ok(Self { spool, writer, kept, parts, limits, state, searches: Searches::new() })
    }

    /// Keeps documents; answers for each, in their order, once all are durable. They are found a little later.
    ///
    /// The documents of one place (cluster, slot, spool, dataset) come in the order of their sequences. What a shipper sends
    /// again under an id of its own is answered as stored, and found once.
    ///
    /// # Errors
    /// When the disk takes nothing, or too much waits to be indexed. Some of them may have been kept; hand in all again.
    pub async fn write(&self, documents: &[Document]) -> Result<Vec<Outcome>, Unavailable> {
        let today = today();
        let witness = witness(&self.parts.days());
        let mut outcomes = Vec::with_capacity(documents.len());
        let mut records = Vec::new();
        let mut places: Vec<(Place, u64)> = Vec::new();
        let mut pieces = Pieces::begin();
        for document in documents {
            pieces.turn().await;
            match self.judge(document, witness) {
                Ok(record) => {
                    records.push(record);
                    if !document.stamp.dataset.is_reserved() {
                        places.push((Place::of(document), document.stamp.sequence));
                    }
                    outcomes.push(Outcome::Stored);
                }
                Err(outcome) => outcomes.push(outcome),
            }
        }
        self.append(records).await?;
        // In pieces: whoever asks meanwhile waits for a thread that steps aside.
        for piece in places.chunks(RAISED) {
            let mut kept = self.kept();
            for (place, sequence) in piece {
                kept.raise(place, *sequence, today);
            }
        }
        self.kept().forget(today);
        Ok(outcomes)
    }

    /// The record of a document, or what is answered without one.
    ///
    /// First comes what would be said again of the same document whatever was stored meanwhile: what is refused is refused again.
    fn judge(&self, document: &Document, witness: Option<Day>) -> Result<NewRecord, Outcome> {
        let stamp = &document.stamp;
        let day = self.limits.retention().day_of(stamp, witness).map_err(Outcome::Rejected)?;
        let record = record(document, day).map_err(|error| Outcome::Rejected(error.to_string()))?;
        // Dead letters do not come in the order of their sequences; the index knows them by their ids.
        let is_known =
            !stamp.dataset.is_reserved() && !self.kept().is_new(&Place::of(document), stamp.sequence);
        if is_known { Err(Outcome::AlreadyThere) } else { Ok(record) }
    }

    fn kept(&self) -> MutexGuard<'_, Marks> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), Unavailable> {
        let (mut some, mut bytes) = (Vec::new(), 0);
        for record in records {
            if bytes + record.bytes.len() > APPEND {
                self.writer.append(std::mem::take(&mut some)).await.map_err(unavailable)?;
                bytes = 0;
            }
            bytes += record.bytes.len();
            some.push(record);
        }
        if !some.is_empty() {
            self.writer.append(some).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// The first `limit` documents behind `after` in this order; at most [`MAX_HITS`].
    ///
    /// # Errors
    /// When it took too long and nothing can be said, or too many search.
    pub async fn find(
        &self,
        question: &Question,
        order: Order,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<Hits, SearchError> {
        let limit = limit.min(MAX_HITS);
        self.searches
            .search(&self.parts, question.clone(), move |reading, question, watch| {
                find::find(reading, question, order, after, limit, watch)
            })
            .await
    }

    /// How many documents lie in each of `slices` slices of the question's time, at most [`MAX_SLICES`], the oldest first,
    /// the empty ones among them. By a field: what each has of the ten values that are most frequent in all.
    ///
    /// # Errors
    /// When it took too long, or too many search.
    pub async fn histogram(
        &self,
        question: &Question,
        slices: usize,
        by: Option<&Field>,
    ) -> Result<Vec<Slice>, SearchError> {
        let (slices, by) = (slices.clamp(1, MAX_SLICES), by.cloned());
        self.searches
            .search(&self.parts, question.clone(), move |reading, question, watch| {
                histogram::histogram(reading, question, slices, by.as_ref(), watch)
            })
            .await
    }

    /// The `n` most frequent values of a field, at most [`MAX_VALUES`]; of those that are equally frequent the least come
    /// first.
    ///
    /// # Errors
    /// When it took too long, or too many search.
    pub async fn top(&self, question: &Question, field: &Field, n: usize) -> Result<Top, SearchError> {
        let (field, n) = (field.clone(), n.min(MAX_VALUES));
        self.searches
            .search(&self.parts, question.clone(), move |reading, question, watch| {
                values::top(reading, question, &field, n, watch)
            })
            .await
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let (parts, spool) = (self.parts.all(), self.spool.status());
        let mut days: Vec<Day> = parts.iter().map(|part| part.name.day).collect();
        days.dedup();
        Status {
            documents: parts.iter().map(|part| part.documents()).sum(),
            bytes: parts.iter().map(|part| part.bytes()).sum(),
            cap: self.limits.bytes,
            days: days.len(),
            oldest: days.first().copied(),
            waiting: spool.records,
            spool_bytes: spool.bytes,
            spool_cap: spool.cap,
            lost: self.state.lost(),
            foreign_days: self.parts.foreign().map_or(0, |days| days.len()),
            damaged_parts: self.parts.damaged().len(),
            crowded_out: self.parts.crowded_out(),
            forgotten_spools: self.kept().crowded_out(),
            fault: spool.fault.or_else(|| self.state.fault()),
        }
    }
}

impl Settings {
    fn check(&self) -> Result<(), OpenError> {
        if self.cap_bytes < 64 * 1024 * 1024 {
            return Err(OpenError::Settings("its cap is less than 64 MiB"));
        }
        if self.spool_bytes < 64 * 1024 * 1024 {
            return Err(OpenError::Settings("its spool is less than 64 MiB"));
        }
        if self.memory < 48 * 1024 * 1024 || self.memory > 4 * 1024 * 1024 * 1024 {
            return Err(OpenError::Settings("its memory is not between 48 MiB and 4 GiB"));
        }
        if self.commit_every > Duration::from_secs(60) {
            return Err(OpenError::Settings("records would wait for more than 60 s"));
        }
        Ok(())
    }
}

fn unavailable(refused: Refused) -> Unavailable {
    let retry_after = match &refused {
        Refused::Full { retry_after, .. } | Refused::Disk { retry_after, .. } => Some(*retry_after),
        _ => None,
    };
    Unavailable { why: refused.to_string(), retry_after }
}

#[cfg(test)]
mod tests;
