//! What becomes of documents, by a store that says what the test says.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use trunkline_logs::{
    Cursor, Day, Document, Entry, Field, Filter, Hits, Order, Question, Scope, Slice, Stamp, Top, rebuild,
};
use trunkline_logstore::{LogStore, Outcome, SearchError, StoreStatus, Unavailable};

use super::deliver::Dealt;
use super::standing::Batch;
use super::*;
use crate::joining::Joinings;

/// Keeps what it takes, and answers as told: one answer for each document; stored where none is left.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Outcome>>,
    down: Mutex<Option<Unavailable>>,
    taken: Mutex<Vec<Document>>,
    /// How many outcomes are missing at the end of each answer.
    short: usize,
}

impl LogStore for Scripted {
    fn write<'a>(&'a self, documents: &'a [Document]) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>> {
        async move {
            if let Some(down) = self.down.lock().unwrap().clone() {
                return Err(down);
            }
            let mut outcomes = Vec::new();
            for document in documents {
                let outcome = self.answers.lock().unwrap().pop_front().unwrap_or(Outcome::Stored);
                if outcome == Outcome::Stored {
                    self.taken.lock().unwrap().push(document.clone());
                }
                outcomes.push(outcome);
            }
            outcomes.truncate(outcomes.len() - self.short.min(outcomes.len()));
            Ok(outcomes)
        }
        .boxed()
    }

    fn find<'a>(
        &'a self,
        _: &'a Question,
        _: Order,
        _: Option<Cursor>,
        _: usize,
    ) -> BoxFuture<'a, Result<Hits, SearchError>> {
        async { Ok(Hits::default()) }.boxed()
    }

    fn histogram<'a>(
        &'a self,
        _: &'a Question,
        _: usize,
        _: Option<&'a Field>,
    ) -> BoxFuture<'a, Result<Vec<Slice>, SearchError>> {
        async { Ok(Vec::new()) }.boxed()
    }

    fn top<'a>(
        &'a self,
        _: &'a Question,
        field: &'a Field,
        _: usize,
    ) -> BoxFuture<'a, Result<Top, SearchError>> {
        async { Ok(Top { field: field.clone(), values: Vec::new(), with: 0 }) }.boxed()
    }

    fn status(&self) -> StoreStatus {
        StoreStatus::default()
    }
}

fn source() -> Source {
    Source {
        cluster: "eu".parse().unwrap(),
        uid: "123e4567-e89b-42d3-a456-426614174000".parse().unwrap(),
        slot: Slot(0),
        dataset: "app".parse().unwrap(),
        spool: SpoolEpoch([1; 16]),
    }
}

fn document(sequence: u64) -> Document {
    let Source { cluster, uid, slot, dataset, spool } = source();
    let stamp =
        Stamp { cluster, uid, slot, dataset, spool, sequence, day: Day(20784), arrived: 1_795_749_300_000 };
    let json = format!(r#"{{"message":"record {sequence}"}}"#);
    let entry = Entry { received: 1_795_749_299_000, own_id: None, json: json.into() };
    rebuild(stamp, &entry).unwrap()
}

fn joinings() -> Joinings {
    Joinings::new(tokio::sync::broadcast::Sender::new(1))
}

async fn deal(
    store: Scripted,
    sequences: std::ops::RangeInclusive<u64>,
) -> (Dealt, Batch, Arc<Scripted>, Metrics) {
    let (store, metrics) = (Arc::new(store), Metrics::default());
    let logs = Logs::new(store.clone(), None, joinings(), metrics.clone(), &Tasks::new());
    let mut batch = Batch::default();
    let documents: Vec<_> = sequences.map(document).collect();
    let dealt = logs.write(documents, &mut batch).await;
    (dealt, batch, store, metrics)
}

fn answers(answers: &[Outcome]) -> Scripted {
    Scripted { answers: Mutex::new(answers.iter().cloned().collect()), ..Scripted::default() }
}

#[tokio::test]
async fn what_is_stored_or_was_there_is_done_with() {
    let (dealt, batch, store, _) = deal(answers(&[Outcome::Stored, Outcome::AlreadyThere]), 1..=3).await;
    assert!(matches!(dealt, Dealt::Whole), "{dealt:?}");
    assert_eq!((batch.records, batch.dead, store.taken.lock().unwrap().len()), (2, 0, 2));
}

#[tokio::test]
async fn what_is_never_taken_is_a_dead_letter_with_the_reason_and_holds_nothing_up() {
    let poison = Outcome::Rejected("failed to parse".into());
    let (dealt, batch, store, _) = deal(answers(&[Outcome::Stored, poison, Outcome::Stored]), 1..=3).await;
    assert!(matches!(dealt, Dealt::Whole), "{dealt:?}");
    assert_eq!((batch.records, batch.dead), (2, 1));
    let taken = store.taken.lock().unwrap();
    let letter = taken.iter().find(|document| document.stamp.dataset.is_reserved()).unwrap();
    assert_eq!((letter.stamp.uid, letter.stamp.sequence), (source().uid, 2));
    assert!(letter.message.contains("failed to parse"), "{}", letter.message);
    assert!(letter.source.contains("record 2"), "{}", letter.source);
}

#[tokio::test]
async fn what_is_to_come_again_keeps_what_is_behind_it_and_nothing_before_it() {
    let later = Outcome::Later("the index is read-only".into());
    let (dealt, batch, ..) = deal(answers(&[Outcome::Stored, Outcome::Stored, later.clone()]), 5..=8).await;
    let Dealt::Until(through, _, why) = dealt else { panic!("{dealt:?}") };
    assert_eq!((through, why.as_str(), batch.records), (6, "the index is read-only", 3));
    let (dealt, ..) = deal(answers(&[later]), 5..=8).await;
    assert!(matches!(dealt, Dealt::Until(0, ..)), "{dealt:?}");
}

#[tokio::test]
async fn a_store_that_is_away_or_says_too_little_acknowledges_nothing() {
    let why = Unavailable { why: "connection refused".into(), retry_after: Some(Duration::from_secs(7)) };
    let (dealt, ..) = deal(Scripted { down: Mutex::new(Some(why)), ..Scripted::default() }, 1..=3).await;
    let Dealt::Until(0, pause, why) = dealt else { panic!("{dealt:?}") };
    assert!(pause == Duration::from_secs(7) && why.contains("connection refused"), "{why}");
    let (dealt, ..) = deal(Scripted { short: 1, ..Scripted::default() }, 1..=3).await;
    assert!(matches!(dealt, Dealt::Until(0, ..)), "{dealt:?}");
}

#[tokio::test]
async fn a_dead_letter_that_waits_makes_its_record_come_again_and_one_that_is_refused_is_counted() {
    let poison = || Outcome::Rejected("no".into());
    let later = Outcome::Later("busy".into());
    let (dealt, ..) = deal(answers(&[Outcome::Stored, poison(), Outcome::Stored, later]), 1..=3).await;
    assert!(matches!(dealt, Dealt::Until(1, ..)), "{dealt:?}");
    let (dealt, _, _, metrics) =
        deal(answers(&[poison(), Outcome::Stored, Outcome::Stored, poison()]), 1..=3).await;
    assert!(matches!(dealt, Dealt::Whole), "{dealt:?}");
    let label = crate::metrics::Reason { reason: "DeadLetterRefused" };
    assert_eq!(metrics.logs_lost.get_or_create(&label).get(), 1);
}

#[tokio::test]
async fn who_looks_on_sees_what_was_stored_of_the_clusters_in_sight_and_hears_what_was_passed_over() {
    let (store, metrics) = (Arc::new(answers(&[Outcome::Stored, Outcome::AlreadyThere])), Metrics::default());
    let logs = Logs::new(store, None, joinings(), metrics, &Tasks::new());
    let mut sees = logs.taps().look_on(Scope(vec![source().uid]), "record".parse().unwrap());
    let mut blind = logs.taps().look_on(Scope(vec![ClusterUid::random()]), Filter::All);
    let mut asks_else = logs.taps().look_on(Scope(vec![source().uid]), "other".parse().unwrap());
    let documents: Vec<_> = (1..=3).map(document).collect();
    logs.write(documents, &mut Batch::default()).await;
    for sequence in [1, 3] {
        let Some(Tapped::Document(shown)) = sees.next().await else { panic!("a document") };
        assert_eq!(shown.document.stamp.sequence, sequence);
    }
    assert!(blind.next().now_or_never().is_none() && asks_else.next().now_or_never().is_none());
    for sequence in 4..=9000 {
        logs.taps().show(document(sequence));
    }
    assert!(matches!(sees.next().await, Some(Tapped::PassedOver(many)) if many > 4000));
}

#[tokio::test]
async fn a_batch_is_taken_up_to_the_first_day_that_is_one_too_many() {
    let (source, day) = (source(), 86_400_000);
    let epoch = trunkline_spool::Epoch::from(source.spool.0);
    let record = || trunkline_spool::NewRecord { tag: 0, bytes: "{}".into() };
    let chunks: Vec<Vec<u8>> = (1..=3)
        .flat_map(|n| trunkline_spool::bare::chunks(n, (20_000 + n) * day, &[record()], epoch))
        .collect();
    let batch = bytes::Bytes::from(chunks.concat());
    let before = |days: u32| unpack::before_a_day(&source, &batch, |day| day.0 <= 20_000 + days).unwrap();
    assert_eq!(before(0), 0);
    assert_eq!(before(1), chunks[0].len());
    assert_eq!(before(3), batch.len());
}
