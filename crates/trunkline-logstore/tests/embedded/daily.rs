//! What is written is found, once, by its cluster, for as long as it is kept, and by one process.

use trunkline_logs::{Dataset, Day, Field, Filter, Order, Question, Scope};
use trunkline_logstore::Outcome::{AlreadyThere, Rejected, Stored};
use trunkline_logstore::embedded::{Embedded, Settings};
use trunkline_proto::ClusterUid;
use trunkline_runtime::Tasks;

use crate::{document, everything, found, now, open, quick, settled};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_is_found_counted_and_told_within_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let store = open(folder.path(), quick(), &tasks);
    let today = Day::of(now());
    let batch: Vec<_> =
        (1..=100).map(|sequence| document((sequence % 2) as u16, 1, sequence, today, None, "")).collect();
    assert_eq!(store.write(&batch).await.unwrap(), vec![Stored; 100]);
    settled(&store).await;
    let filter: Filter = "record slot:1".parse().unwrap();
    let question = Question { filter, ..everything() };
    let hits = store.find(&question, Order::Newest, None, 10).await.unwrap();
    assert_eq!((hits.hits.len(), hits.next.is_some(), hits.partial), (10, true, None));
    assert!(hits.hits.iter().all(|hit| hit.source["slot"] == 1));
    let top = store.top(&question, &Field::named("slot"), 5).await.unwrap();
    assert_eq!((top.values, top.with), (vec![("1".to_owned(), 50)], 50));
    let day = Question { from: today.begins(), to: today.ends(), ..question };
    let slices = store.histogram(&day, 24, Some(&Field::named("level"))).await.unwrap();
    assert_eq!(
        (slices.len(), slices[0].count, slices[0].by.as_slice()),
        (24, 50, &[("info".to_owned(), 50)][..])
    );
    let other = Question { scope: Scope(vec![ClusterUid::random()]), ..everything() };
    assert!(store.find(&other, Order::Newest, None, 10).await.unwrap().hits.is_empty());
    let status = store.status();
    assert_eq!((status.documents, status.days, status.oldest, status.fault), (100, 1, Some(today), None));
    assert!(status.bytes > 0 && status.waiting == 0 && status.lost == 0);
    tasks.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_sent_again_is_stored_once_also_by_the_next_process_and_across_midnight() {
    let folder = tempfile::tempdir().unwrap();
    let today = Day::of(now());
    let yesterday = Day(today.0 - 1);
    let own = ["x", "y", "x"];
    let mut batch: Vec<_> = (1..=10)
        .map(|sequence| document(0, 1, sequence, if sequence < 6 { yesterday } else { today }, None, ""))
        .collect();
    batch.extend((0..3).map(|at| document(0, 1, 11 + at, today, Some(own[at as usize]), "")));
    for round in 0..2 {
        let tasks = Tasks::new();
        let store = open(folder.path(), quick(), &tasks);
        let outcomes = store.write(&batch).await.unwrap();
        assert_eq!(outcomes, vec![if round == 0 { Stored } else { AlreadyThere }; 13]);
        assert_eq!(store.write(&batch).await.unwrap(), vec![AlreadyThere; 13]);
        // Twice at once, of a spool that is new.
        let twin: Vec<_> = (1..=10).map(|sequence| document(1, round, sequence, today, None, "")).collect();
        let (one, other) = tokio::join!(store.write(&twin), store.write(&twin));
        assert!(one.is_ok() && other.is_ok());
        settled(&store).await;
        assert_eq!(found(&store).await.len(), 12 + 10 * (usize::from(round) + 1));
        tasks.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_go_when_their_time_is_over_and_their_records_are_dead_letters() {
    let folder = tempfile::tempdir().unwrap();
    let today = Day::of(now());
    let tasks = Tasks::new();
    let store = open(folder.path(), quick(), &tasks);
    for age in (0..=5).rev() {
        store.write(&[document(0, age as u8, 1, Day(today.0 - age), None, "")]).await.unwrap();
    }
    // From a clock that is wrong: the day is that of its arrival.
    store.write(&[document(0, 99, 1, Day(today.0 + 5_000), None, "")]).await.unwrap();
    settled(&store).await;
    assert_eq!((store.status().documents, store.status().days), (7, 6));
    tasks.shut_down().await;
    drop(store);
    // A day in another version's format ends as well, and one that is young is left.
    for age in [3, 30] {
        std::fs::create_dir_all(folder.path().join(format!("index-0.1/{}", Day(today.0 - age)))).unwrap();
    }
    let tasks = Tasks::new();
    let store = open(folder.path(), Settings { retention_days: 4, ..quick() }, &tasks);
    for _ in 0..1_000 {
        if store.status().days == 5 && store.status().foreign_days == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let status = store.status();
    assert_eq!((status.documents, status.oldest, status.foreign_days), (6, Some(Day(today.0 - 4)), 1));
    assert_eq!(found(&store).await.len(), 6);
    // It is said again when it comes again, whatever was stored of its spool meanwhile.
    let old = document(7, 7, 1, Day(today.0 - 5), None, "");
    for next in 2..4 {
        let outcomes = store.write(&[old.clone(), document(7, 7, next, today, None, "")]).await.unwrap();
        assert!(matches!(&outcomes[0], Rejected(why) if why.contains("4 days are kept")), "{outcomes:?}");
        assert_eq!(outcomes[1], Stored);
    }
    // A clock of the gateway's that is ahead refuses nothing of a day that is kept.
    let mut now = document(7, 7, 9, today, None, "");
    now.stamp.arrived += 400 * 86_400_000;
    assert_eq!(store.write(&[now]).await.unwrap(), [Stored]);
    tasks.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_come_in_any_order_and_each_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let store = open(folder.path(), quick(), &tasks);
    let today = Day::of(now());
    let letter = |sequence| {
        let mut letter = document(0, 1, sequence, today, None, "refused");
        letter.stamp.dataset = Dataset::dead_letters();
        letter
    };
    // First those that were made while a batch was unpacked, then those of what the store refused, and all again.
    for sequences in [&[3, 8][..], &[1, 2, 5], &[3, 8], &[1, 2, 5]] {
        let letters: Vec<_> = sequences.iter().map(|sequence| letter(*sequence)).collect();
        assert_eq!(store.write(&letters).await.unwrap(), vec![Stored; letters.len()]);
    }
    settled(&store).await;
    assert_eq!(found(&store).await.len(), 5);
    tasks.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_one_processs() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = Tasks::new();
    let _store = open(folder.path(), quick(), &tasks);
    let error = Embedded::open(folder.path(), quick(), &tasks).unwrap_err();
    let told = trunkline_runtime::chain(&error);
    assert!(told.contains("in use by another process"), "{told}");
    tasks.shut_down().await;
}
