//! What becomes of documents when the store takes some and not others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use trunkline_logs::Document;
use trunkline_logstore::Outcome;
use trunkline_logstore::elastic::{BulkConfig, Elastic, ElasticConfig, Layout};
use trunkline_proto::{ClusterId, ClusterUid};

use crate::fake::{Fake, Reply};
use crate::made::Made;
use crate::prove;

pub(crate) fn clusters(ids: &[&str]) -> Vec<(ClusterId, ClusterUid)> {
    ids.iter().map(|id| (id.parse().unwrap(), ClusterUid::random())).collect()
}

pub(crate) fn documents(many: usize) -> Vec<Document> {
    some(many, &["logs", "audit"])
}

pub(crate) fn some(many: usize, datasets: &[&'static str]) -> Vec<Document> {
    let mut made = Made::seeded(25);
    made.datasets = datasets.to_vec();
    let clusters = clusters(&["eu", "us"]);
    (0..many).map(|_| made.document(&clusters)).collect()
}

/// What is handed in again until nothing is left, and how often.
#[derive(Default)]
pub(crate) struct Settled {
    pub(crate) stored: Vec<String>,
    pub(crate) there: Vec<String>,
    pub(crate) rejected: Vec<String>,
    pub(crate) rounds: usize,
}

pub(crate) async fn settle(store: &Elastic, mut documents: Vec<Document>) -> Settled {
    let mut settled = Settled::default();
    while !documents.is_empty() {
        settled.rounds += 1;
        assert!(settled.rounds < 200, "{} are never taken", documents.len());
        let Ok(outcomes) = store.write(&documents).await else { continue };
        assert_eq!(outcomes.len(), documents.len());
        let mut later = Vec::new();
        for (document, outcome) in documents.into_iter().zip(outcomes) {
            match outcome {
                Outcome::Stored => settled.stored.push(document.id.to_string()),
                Outcome::AlreadyThere => settled.there.push(document.id.to_string()),
                Outcome::Rejected(_) => settled.rejected.push(document.id.to_string()),
                Outcome::Later(_) => later.push(document),
            }
        }
        documents = later;
    }
    settled
}

/// Every document is stored once or is a dead letter, and none of those that were answered for is missing.
pub(crate) fn assert_exact(fake: &Fake, documents: &[Document], settled: &Settled) {
    let mut times: HashMap<String, usize> = HashMap::new();
    for id in fake.ids() {
        *times.entry(id).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "duplicates");
    for id in settled.stored.iter().chain(&settled.there) {
        assert!(times.contains_key(id), "{id} was called stored and is not there");
    }
    assert_eq!(times.len() + settled.rejected.len(), documents.len(), "lost");
    assert!(settled.rejected.iter().all(|id| !times.contains_key(id)), "a dead letter is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn t24_f25_a_third_of_all_items_fails_and_exactly_those_are_tried_again_or_are_dead_letters() {
    let count = prove::count(20_000, 200_000);
    // A document's fate is drawn by its first try; 400 stays so.
    let fate = |id: &str| -> u16 {
        let sum: usize = id.bytes().map(usize::from).sum();
        [400, 429, 503, 201, 201, 201, 201, 201, 201, 201][sum % 10]
    };
    let tries = std::sync::Mutex::new(HashMap::<String, usize>::new());
    let fake = Fake::start(move |heard| {
        if !heard.line.contains("_bulk") {
            return Reply::Well;
        }
        let ids: Vec<String> =
            heard.body.lines().step_by(2).map(|line| line.split('"').nth(5).unwrap().to_owned()).collect();
        let mut tries = tries.lock().unwrap();
        let statuses: Vec<u16> = ids
            .iter()
            .map(|id| {
                let tried = tries.entry(id.clone()).or_default();
                *tried += 1;
                match fate(id) {
                    400 => 400,
                    later @ (429 | 503) if *tried <= 2 => later,
                    _ => 201,
                }
            })
            .collect();
        Reply::Each(Box::new(move |at| statuses[at]))
    })
    .await;
    let store = fake.store();
    let documents = documents(count.times);
    let settled = settle(&store, documents.clone()).await;
    assert_exact(&fake, &documents, &settled);
    let dead = documents.iter().filter(|document| fate(&document.id.to_string()) == 400).count();
    assert_eq!((settled.rejected.len(), settled.there.len(), settled.rounds), (dead, 0, 3));
    assert!(dead > count.times / 20);
    // Handed in again, all of them are there, and the dead are as dead.
    let again = settle(&store, documents.clone()).await;
    assert_eq!((again.stored.len(), again.rejected.len()), (0, dead));
    println!("{count} documents, {dead} dead letters");
}

#[tokio::test]
async fn f26_what_is_too_long_is_halved_and_the_next_requests_are_shorter() {
    const MOST: usize = 200_000;
    let fake = Fake::start(|heard| match heard.length {
        MOST.. => Reply::Whole(413, "", "<html>too large</html>".into()),
        _ => Reply::Well,
    })
    .await;
    let store = fake.store();
    let mut all = some(3000, &["logs"]);
    let settled = settle(&store, all.clone()).await;
    assert_exact(&fake, &all, &settled);
    assert_eq!((settled.stored.len(), settled.rounds), (3000, 1));
    let tried = fake.heard("_bulk").len();
    let more = some(3000, &["audit"]);
    settle(&store, more.clone()).await;
    let refused = fake.heard("_bulk").iter().skip(tried).filter(|heard| heard.length >= MOST).count();
    assert_eq!(refused, 0, "what is too long is known by now");
    // One document that is too long alone is a dead letter, and holds nobody up.
    all.truncate(5);
    let mut long = all[0].clone();
    long.id.0 = [9; 16];
    long.source = format!("{{\"a\":\"{}\"}}", "x".repeat(MOST));
    all.insert(2, long);
    let outcomes = store.write(&all).await.unwrap();
    assert!(matches!(&outcomes[2], Outcome::Rejected(why) if why.contains("413")), "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::AlreadyThere).count(), 5);
}

#[tokio::test]
async fn a_store_that_takes_longer_requests_again_gets_them_after_a_while() {
    const MOST: usize = 200_000;
    let is_small = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let small = is_small.clone();
    let fake = Fake::start(move |heard| match heard.length {
        MOST.. if small.load(Ordering::Relaxed) => Reply::Whole(413, "", "{}".into()),
        _ => Reply::Well,
    })
    .await;
    let (store, many) = (fake.store(), some(3000, &["logs"]));
    settle(&store, many.clone()).await;
    is_small.store(false, Ordering::Relaxed);
    let tried = fake.heard("_bulk").len();
    for _ in 0..128 {
        store.write(&many[..1]).await.unwrap();
    }
    settle(&store, many).await;
    let longest = fake.heard("_bulk").iter().skip(tried).map(|heard| heard.length).max();
    assert!(longest > Some(MOST), "{longest:?}");
}

#[tokio::test]
async fn documents_whose_turn_does_not_come_are_put_off_and_hold_nothing() {
    let fake = Fake::start(|heard| match heard.line.contains("_bulk") {
        true => Reply::Silence,
        false => Reply::Well,
    })
    .await;
    let (store, few) = (fake.hasty_store(), some(3, &["bad"]));
    let all = futures_util::future::join_all((0..20).map(|_| store.write(&few)));
    let all = tokio::time::timeout(Duration::from_secs(4), all).await.expect("all end");
    let put_off = all.iter().filter(|said| {
        said.as_ref().is_ok_and(|outcomes| {
            outcomes
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Later(why) if why.contains("are under way")))
        })
    });
    assert!(put_off.count() >= 12, "{all:?}");
}

#[tokio::test]
async fn f26_a_dataset_whose_index_hangs_or_refuses_holds_no_other_up() {
    let fake = Fake::start(|heard| match &heard.line {
        line if line.contains("trunkline-logs.bad.") => Reply::Silence,
        line if line.contains("trunkline-logs.worse.") => Reply::Each(Box::new(|_| 503)),
        _ => Reply::Well,
    })
    .await;
    let store = fake.hasty_store();
    let hangs = some(100, &["bad"]);
    let hanging: Vec<_> = (0..20).map(|_| store.write(&hangs)).collect();
    let good = async {
        let began = Instant::now();
        store.prepare().await.unwrap();
        for _ in 0..10 {
            let outcomes = store.write(&some(100, &["good"])).await.unwrap();
            assert!(
                outcomes.iter().all(|outcome| matches!(outcome, Outcome::Stored | Outcome::AlreadyThere))
            );
        }
        began.elapsed()
    };
    let hung = async {
        let bound =
            tokio::time::timeout(Duration::from_millis(1500), futures_util::future::join_all(hanging));
        bound.await.is_err()
    };
    let (took, hung) = tokio::join!(good, hung);
    assert!(hung && took < Duration::from_millis(900), "{took:?}");
    // In one batch as well, each has an outcome of its own.
    let mixed: Vec<Document> = [some(1, &["bad"]), some(1, &["good"]), some(1, &["worse"])].concat();
    let outcomes = store.write(&mixed).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Later(why) if why.contains("did not answer within 1 s")));
    assert!(matches!(&outcomes[1], Outcome::Stored | Outcome::AlreadyThere));
    assert!(matches!(&outcomes[2], Outcome::Later(why) if why.contains("503")));
}

#[tokio::test]
async fn requests_are_bounded_and_of_one_index_each() {
    let most = std::sync::Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let fake = Fake::start(|_| Reply::Well).await;
    let config = ElasticConfig {
        bulk: BulkConfig { documents: 50, bytes: 1 << 20, gzip: true, ..BulkConfig::default() },
        indices: Layout::PerCluster,
        ..fake.config()
    };
    let store = Elastic::new(&config, &fake.tasks).unwrap();
    let documents = documents(1000);
    let settled = settle(&store, documents.clone()).await;
    assert_exact(&fake, &documents, &settled);
    for heard in fake.heard("_bulk") {
        most.0.fetch_max(heard.body.lines().count() / 2, Ordering::Relaxed);
        most.1.fetch_max(heard.length, Ordering::Relaxed);
        let uid = heard.line.split('.').nth(1).unwrap();
        assert!(heard.body.lines().skip(1).step_by(2).all(|line| line.contains(uid)), "{}", heard.line);
        assert!(heard.head.contains("content-encoding: gzip"));
        assert!(heard.length < heard.body.len());
    }
    assert_eq!(most.0.load(Ordering::Relaxed), 50);
    assert!(fake.heard("_bulk").len() >= 20);
}

#[tokio::test]
async fn t21_a_text_with_a_line_end_adds_no_action() {
    let fake = Fake::start(|_| Reply::Well).await;
    let mut documents = some(3, &["logs"]);
    documents[1].source = "{}\n{\"create\":{\"_index\":\"other\",\"_id\":\"x\"}}\n{}".into();
    let outcomes = fake.store().write(&documents).await.unwrap();
    assert!(matches!(&outcomes[1], Outcome::Rejected(_)) && outcomes[2] == Outcome::Stored);
    assert_eq!(fake.ids().len(), 2);
    assert!(fake.store().write(&[]).await.unwrap().is_empty());
}
