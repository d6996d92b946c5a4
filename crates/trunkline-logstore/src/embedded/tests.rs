mod documents;
mod ending;
mod model;
mod scopes;
mod writing;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use trunkline_logs::{Cursor, Day, Document, Field, Filter, Hits, Order, Question, Scope, Slice, Top};
use trunkline_spool::{Epoch, Record};

use super::find::find;
use super::histogram::histogram;
use super::indexer::Indexer;
use super::ledger::Ledger;
use super::parts::Parts;
use super::reading::Reading;
use super::record::record;
use super::retention::Limits;
use super::values::top;
use super::watch::{Ended, Watch};

const MEMORY: usize = 48 * 1024 * 1024;
const SPOOL: [u8; 16] = [5; 16];

/// A store without its spool: records are handed to the indexer as the spool would.
struct Store {
    indexer: Indexer,
    parts: Arc<Parts>,
    sequence: u64,
    today: Day,
    /// What makes the next chunk.
    chunk: Vec<Record>,
}

impl Store {
    fn open(folder: &Path, limits: Limits, today: Day) -> Self {
        let parts = Arc::new(Parts::open(folder).unwrap());
        let ledger = Arc::new(Ledger::open(&folder.join("marks.redb")).unwrap());
        let epoch = Epoch::from(SPOOL);
        let indexer = Indexer::begin(parts.clone(), ledger, limits, MEMORY, epoch).unwrap();
        Self { indexer, parts, sequence: 0, today, chunk: Vec::new() }
    }

    /// The next record of the spool.
    fn take(&mut self, document: &Document) {
        self.sequence += 1;
        let new = record(document, document.stamp.day).unwrap();
        let record =
            Record { sequence: self.sequence, tag: new.tag, day: document.stamp.day.0, bytes: new.bytes };
        self.chunk.push(record);
        if self.chunk.len() == 64 {
            self.indexer.take(self.chunk.drain(..), self.today).unwrap();
        }
    }

    fn commit(&mut self) {
        self.indexer.take(self.chunk.drain(..), self.today).unwrap();
        assert_eq!(self.indexer.commit().unwrap(), self.sequence);
    }

    fn search<T>(
        &self,
        question: &Question,
        work: impl FnOnce(&Reading, &Watch) -> Result<T, Ended>,
    ) -> Result<T, Ended> {
        let watch = Watch::new(Instant::now() + Duration::from_secs(60), Arc::new(AtomicBool::new(false)));
        let reading = Reading::new(&self.parts.all(), question, &watch)?;
        work(&reading, &watch)
    }

    fn find(&self, question: &Question, order: Order, after: Option<Cursor>, limit: usize) -> Hits {
        self.search(question, |reading, watch| find(reading, question, order, after, limit, watch)).unwrap()
    }

    fn histogram(&self, question: &Question, slices: usize, by: Option<&Field>) -> Vec<Slice> {
        self.search(question, |reading, watch| histogram(reading, question, slices, by, watch)).unwrap()
    }

    fn top(&self, question: &Question, field: &Field, n: usize) -> Top {
        self.search(question, |reading, watch| top(reading, question, field, n, watch)).unwrap()
    }

    /// All that is there, page by page.
    fn all(&self, question: &Question, order: Order, page: usize) -> Vec<Cursor> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let hits = self.find(question, order, after, page);
            assert!(hits.partial.is_none() && hits.hits.len() <= page);
            all.extend(hits.hits.iter().map(|hit| hit.at));
            after = hits.next;
            if after.is_none() {
                return all;
            }
            assert_eq!(hits.hits.last().map(|hit| hit.at), after);
        }
    }
}

fn unlimited() -> Limits {
    Limits { days: 100_000, bytes: u64::MAX }
}

fn everything(scope: &[trunkline_proto::ClusterUid]) -> Question {
    Question { scope: Scope(scope.to_vec()), filter: Filter::All, from: i64::MIN, to: i64::MAX }
}
