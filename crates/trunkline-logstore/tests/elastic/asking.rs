//! Searches whose answers are no good, and what is never asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use trunkline_logs::{Day, DocumentId, Field, Filter, Order, Question, Scope};
use trunkline_logstore::{Outcome, SearchError};
use trunkline_proto::ClusterUid;

use crate::fake::{Fake, Reply};
use crate::made::NOON;
use crate::writing::some;

fn question() -> Question {
    let scope = Scope(vec![ClusterUid::random()]);
    Question { scope, filter: Filter::All, from: NOON - 1000, to: NOON }
}

fn hit(number: u8) -> Value {
    json!({ "_source": { "n": number }, "sort": [NOON - i64::from(number), DocumentId([number; 16])] })
}

fn answer(hits: Vec<Value>, more: Value) -> String {
    let mut answer =
        json!({ "timed_out": false, "_shards": { "total": 3, "failed": 0 }, "hits": { "hits": hits } });
    for (key, value) in more.as_object().unwrap() {
        answer[key] = value.clone();
    }
    answer.to_string()
}

async fn always(body: String) -> Fake {
    Fake::start(move |_| Reply::Whole(200, "", body.clone())).await
}

#[tokio::test]
async fn t22_whoever_may_see_no_cluster_is_answered_without_asking() {
    let fake = Fake::start(|_| Reply::Whole(500, "", "{}".into())).await;
    let store = fake.store();
    let nobody = Question { scope: Scope::default(), ..question() };
    let backwards = Question { from: NOON, to: NOON, ..question() };
    for question in [nobody, backwards] {
        assert!(store.find(&question, Order::Newest, None, 10).await.unwrap().hits.is_empty());
        let top = store.top(&question, &Field::Cluster, 10).await.unwrap();
        assert_eq!((top.with, top.values.len()), (0, 0));
        let histogram = store.histogram(&question, 10, Some(&Field::Cluster)).await.unwrap();
        assert!(histogram.iter().all(|slice| slice.count == 0));
    }
    assert!(fake.heard("").is_empty());
}

#[tokio::test]
async fn what_is_found_in_part_is_told_and_what_is_counted_in_part_is_no_count() {
    let late = json!({ "timed_out": true });
    let failed =
        json!({ "_shards": { "total": 3, "failed": 1, "failures": [{ "reason": { "reason": "disk" } }] } });
    for (more, says) in [(late, "ended before"), (failed, "1 of 3 parts")] {
        let store = always(answer(vec![hit(1)], more)).await;
        let hits = store.store().find(&question(), Order::Newest, None, 10).await.unwrap();
        assert!(hits.partial.as_ref().is_some_and(|partial| partial.contains(says)), "{hits:?}");
        assert_eq!((hits.hits.len(), hits.next), (1, None));
        assert!(store.store().histogram(&question(), 10, None).await.is_err());
        assert!(store.store().top(&question(), &Field::Cluster, 10).await.is_err());
    }
}

#[tokio::test]
async fn a_page_says_where_the_next_begins_only_if_there_is_one() {
    let fake = always(answer(vec![hit(1), hit(2), hit(3)], json!({}))).await;
    let hits = fake.store().find(&question(), Order::Newest, None, 2).await.unwrap();
    assert_eq!((hits.hits.len(), hits.next, hits.partial.is_none()), (2, Some(hits.hits[1].at), true));
    let hits = fake.store().find(&question(), Order::Newest, hits.next, 3).await.unwrap();
    assert_eq!((hits.hits.len(), hits.next), (3, None));
    let asked: Value = serde_json::from_str(&fake.heard("_search")[1].body).unwrap();
    assert_eq!(asked["search_after"], json!([NOON - 2, DocumentId([2; 16])]));
    assert_eq!(asked["size"], 4);
}

#[tokio::test]
async fn a_page_that_is_too_long_is_asked_for_with_fewer_documents() {
    let fake = Fake::start(|heard| {
        let asked: Value = serde_json::from_str(&heard.body).unwrap();
        match asked["size"].as_u64().unwrap() {
            101.. => Reply::Whole(200, "", " ".repeat(9 << 20 | 1)),
            many => Reply::Whole(200, "", answer((1..=many).map(|n| hit(n as u8)).collect(), json!({}))),
        }
    })
    .await;
    let hits = fake.store().find(&question(), Order::Newest, None, 1000).await.unwrap();
    assert_eq!((hits.hits.len(), hits.next), (63, Some(hits.hits[62].at)));
    assert_eq!(fake.heard("_search").len(), 3);
}

#[tokio::test]
async fn a_search_that_brings_nonsense_or_nothing_says_so() {
    let silent = Fake::start(|_| Reply::Silence).await;
    let error = silent.hasty_store().find(&question(), Order::Newest, None, 10).await.unwrap_err();
    assert_eq!(error, SearchError::TooMuch(1));
    for reply in [
        |_: &_| Reply::Whole(200, "", "<html></html>".into()),
        |_: &_| Reply::Whole(200, "", "{}".into()),
        |_: &_| Reply::Whole(200, "", answer(vec![json!({ "_source": {} })], json!({}))),
        |_: &_| Reply::Whole(200, "", answer(vec![json!({ "sort": [1, "x"], "_source": {} })], json!({}))),
    ] {
        let fake = Fake::start(reply).await;
        let error = fake.store().find(&question(), Order::Newest, None, 10).await.unwrap_err();
        assert!(matches!(error, SearchError::Answer(_)), "{error}");
    }
    for reply in [
        |_: &_| Reply::Whole(429, "", "{}".into()),
        |_: &_| Reply::Whole(401, "", "{}".into()),
        |_: &_| Reply::Cut(50),
    ] {
        let fake = Fake::start(reply).await;
        let error = fake.store().find(&question(), Order::Newest, None, 10).await.unwrap_err();
        assert!(matches!(error, SearchError::Unavailable(_)), "{error}");
    }
}

#[tokio::test]
async fn only_what_is_named_as_ours_is_ever_deleted() {
    let names = [
        "trunkline-logs.logs.2026-10-27",
        "trunkline-logs.logs.2026-10-28",
        "trunkline-logs.logs.2026-11-25",
        "trunkline-logs.logs.2026-11-26",
        "trunkline-logs.logs.2026-11-27",
        "trunkline-logs.123e4567-e89b-42d3-a456-426614174000.audit.2025-01-01",
        "trunkline-logs.logs.2025-01-01-copy",
        "trunkline-logs.logs.2025-01-01.old",
        "trunkline-logs.Logs.2025-01-01",
        "trunkline-logs.2025-01-01",
        "trunkline-logs.*",
        "other",
        "",
    ];
    let listed = json!(names.map(|name| json!({ "index": name }))).to_string();
    let asked = AtomicUsize::new(0);
    let fake = Fake::start(move |heard| match heard.line.split(' ').next() {
        Some("GET") if heard.line.contains("_cat") => Reply::Whole(200, "", listed.clone()),
        Some("DELETE") if asked.fetch_add(1, Ordering::Relaxed) == 0 => Reply::Whole(404, "", "{}".into()),
        _ => Reply::Well,
    })
    .await;
    let today = Day::of(NOON);
    let deleted = fake.store().expire(today).await.unwrap();
    let asked: Vec<String> = fake.heard("DELETE").into_iter().map(|heard| heard.line).collect();
    assert_eq!(
        asked,
        [
            "DELETE /trunkline-logs.123e4567-e89b-42d3-a456-426614174000.audit.2025-01-01 HTTP/1.1",
            "DELETE /trunkline-logs.logs.2026-10-27 HTTP/1.1",
        ]
    );
    assert_eq!(deleted, ["trunkline-logs.logs.2026-10-27"], "another gateway was quicker with the first");
    let status = fake.store().status().await;
    assert_eq!((status.is_reachable, status.indices, status.oldest), (true, 6, Day::named("2025-01-01")));
}

#[tokio::test]
async fn a_clock_that_is_ahead_deletes_no_index_and_refuses_nothing_of_a_day_that_is_kept() {
    let names = (0..=30).map(|age| format!("trunkline-logs.logs.{}", Day(Day::of(NOON).0 - age)));
    let listed = json!(names.map(|name| json!({ "index": name })).collect::<Vec<_>>()).to_string();
    let fake = Fake::start(move |heard| match heard.line.contains("_cat") {
        true => Reply::Whole(200, "", listed.clone()),
        false => Reply::Well,
    })
    .await;
    let store = fake.store();
    let ahead = Day(Day::of(NOON).0 + 365);
    assert!(store.expire(ahead).await.unwrap().is_empty() && fake.heard("DELETE").is_empty());
    let mut documents = some(3, &["logs"]);
    documents.iter_mut().for_each(|document| document.stamp.arrived = ahead.begins());
    assert_eq!(store.write(&documents).await.unwrap(), vec![Outcome::Stored; 3]);
}
