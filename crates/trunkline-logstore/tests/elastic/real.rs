//! A real store, when `TRUNKLINE_OPENSEARCH_URL` names one: what is stored in it, what it says to trouble, what is deleted there.
//!
//! The store is taken to be the tests' own: whatever is in it goes when one begins.

use std::collections::HashMap;
use std::time::Instant;

use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use trunkline_logs::{Cursor, Day, Document, Entry, Field, Filter, Order, Question, Scope};
use trunkline_logstore::Outcome;
use trunkline_logstore::elastic::{BulkConfig, Elastic, ElasticConfig, Layout};
use trunkline_proto::{ClusterId, ClusterUid};
use trunkline_runtime::Tasks;

use crate::made::{Made, NOON};
use crate::prove;
use crate::writing::{clusters, settle};

/// A real store, and who asks it for what ours does not.
pub(crate) struct Real {
    url: String,
    tasks: Tasks,
}

impl Real {
    /// The store, empty; none if there is no store to test against.
    pub(crate) async fn empty() -> Option<Self> {
        let Ok(url) = std::env::var("TRUNKLINE_OPENSEARCH_URL") else {
            eprintln!("SKIPPED: TRUNKLINE_OPENSEARCH_URL names no real store");
            return None;
        };
        let real = Self { url, tasks: Tasks::new() };
        let listed = real
            .ask("GET", "/_cat/indices/*?format=json&h=index&expand_wildcards=open,closed", Value::Null)
            .await;
        for index in listed.1.as_array().unwrap() {
            real.ask("DELETE", &format!("/{}", index["index"].as_str().unwrap()), Value::Null).await;
        }
        real.ask("DELETE", "/_index_template/*", Value::Null).await;
        let settings = json!({ "persistent": { "cluster.max_shards_per_node": null, "action.auto_create_index": null } });
        assert_eq!(real.ask("PUT", "/_cluster/settings", settings).await.0, 200);
        Some(real)
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::new(bytes::Bytes::from(text)))
            .unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    fn config(&self) -> ElasticConfig {
        ElasticConfig {
            urls: vec![self.url.clone()],
            replicas: 0,
            bulk: BulkConfig { gzip: true, ..BulkConfig::default() },
            ..ElasticConfig::default()
        }
    }

    pub(crate) fn store(&self) -> Elastic {
        Elastic::new(&self.config(), &self.tasks).unwrap()
    }

    /// Stores all, and makes them be found.
    pub(crate) async fn put(&self, store: &Elastic, documents: &[Document]) {
        let settled = settle(store, documents.to_vec()).await;
        assert_eq!(settled.stored.len() + settled.there.len(), documents.len(), "{:?}", settled.rejected);
        self.refresh().await;
    }

    async fn refresh(&self) {
        assert_eq!(self.ask("POST", "/trunkline-logs.*/_refresh", Value::Null).await.0, 200);
    }
}

pub(crate) fn everything(scope: &[(ClusterId, ClusterUid)]) -> Question {
    let scope = Scope(scope.iter().map(|(_, uid)| *uid).collect());
    Question { scope, filter: Filter::All, from: NOON - 8 * 86_400_000, to: NOON + 86_400_000 }
}

/// What the oracle says is found, the oldest first.
pub(crate) fn wanted<'a>(question: &Question, documents: &'a [Document]) -> Vec<&'a Document> {
    let is_wanted = |document: &&Document| {
        question.scope.0.contains(&document.stamp.uid)
            && (question.from..question.to).contains(&document.time)
            && question.filter.matches(document)
    };
    let mut wanted: Vec<&Document> = documents.iter().filter(is_wanted).collect();
    wanted.sort_by_key(|document| place(document));
    wanted
}

pub(crate) fn place(document: &Document) -> Cursor {
    Cursor { time: document.time, id: document.id }
}

pub(crate) async fn one_after_the_other() -> tokio::sync::MutexGuard<'static, ()> {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    TURN.lock().await
}

#[tokio::test]
async fn what_is_stored_twice_is_there_once_and_the_template_makes_the_index() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let clusters = clusters(&["eu"]);
    let mut made = Made::seeded(3);
    let documents: Vec<Document> = (0..500).map(|_| made.document(&clusters)).collect();
    let store = real.store();
    let outcomes = store.write(&documents).await.unwrap();
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Stored), "{outcomes:?}");
    let again = store.write(&documents).await.unwrap();
    assert!(again.iter().all(|outcome| *outcome == Outcome::AlreadyThere), "{again:?}");
    real.refresh().await;
    assert_eq!(real.ask("GET", "/trunkline-logs.*/_count", Value::Null).await.1["count"], 500);

    let (_, mapping) = real.ask("GET", "/trunkline-logs.logs.2026-11-27/_mapping", Value::Null).await;
    let mapping = &mapping["trunkline-logs.logs.2026-11-27"]["mappings"];
    assert!(mapping["dynamic"] == "false" || mapping["dynamic"] == false, "{mapping}");
    assert_eq!(mapping["properties"].as_object().unwrap().len(), 4, "nothing that a shipper said is mapped");
    let status = store.status().await;
    assert!(status.is_reachable && status.is_ready && status.last_error.is_none(), "{status:?}");
    assert_eq!((status.indices, status.oldest), (2, Some(Day::of(NOON))));
    // A template of a higher priority is noticed, and nothing is written.
    let foreign = json!({ "index_patterns": ["trunkline-logs.l*"], "priority": 900, "template": {} });
    assert_eq!(real.ask("PUT", "/_index_template/foreign", foreign).await.0, 200);
    let error = real.store().write(&documents).await.unwrap_err().to_string();
    assert!(error.contains("higher priority"), "{error}");
}

#[tokio::test]
async fn t21_clusters_never_meet_whatever_their_names_join_to() {
    let _turn = one_after_the_other().await;
    for layout in [Layout::Shared, Layout::PerCluster] {
        let Some(real) = Real::empty().await else { return };
        let config = ElasticConfig { indices: layout, ..real.config() };
        let store = Elastic::new(&config, &real.tasks).unwrap();
        let clusters = clusters(&["eu", "eu-prod", "eu"]);
        let datasets = ["prod_logs", "logs", "prod_logs"];
        let mut made = Made::seeded(21);
        let mut all = Vec::new();
        for (at, cluster) in clusters.iter().enumerate() {
            made.datasets = vec![datasets[at]];
            for _ in 0..50 {
                all.push(made.document(std::slice::from_ref(cluster)));
            }
        }
        real.put(&store, &all).await;
        for cluster in &clusters {
            for filter in
                ["", "cluster:eu", "cluster:eu*", "NOT cluster:none", "dataset:prod_logs OR dataset:logs"]
            {
                let mut question = everything(std::slice::from_ref(cluster));
                question.filter = filter.parse().unwrap();
                let hits = store.find(&question, Order::Newest, None, 1000).await.unwrap();
                assert_eq!(hits.hits.len(), wanted(&question, &all).len(), "{layout:?} {filter}");
                for hit in &hits.hits {
                    assert_eq!(hit.source["cluster"]["uid"], json!(cluster.1));
                }
                let top = store.top(&question, &Field::Cluster, 50).await.unwrap();
                assert_eq!(top.values.iter().map(|(_, many)| many).sum::<u64>(), hits.hits.len() as u64);
            }
        }
    }
}

#[tokio::test]
async fn retention_deletes_days_of_ours_and_nothing_else() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    let today = Day::of(NOON);
    let ours = [
        "trunkline-logs.logs.2026-10-27",
        "trunkline-logs.logs.2026-10-28",
        "trunkline-logs.logs.2026-11-25",
        "trunkline-logs.logs.2026-11-26",
        "trunkline-logs.logs.2026-11-27",
    ];
    let foreign = ["trunkline-logs.logs.2020-01-01-copy", "trunkline-logs.2020-01-01", "other-2020-01-01"];
    for index in ours.iter().chain(&foreign) {
        assert_eq!(real.ask("PUT", &format!("/{index}"), Value::Null).await.0, 200);
    }
    assert_eq!(real.ask("POST", &format!("/{}/_close", ours[0]), Value::Null).await.0, 200);
    assert_eq!(store.expire(today).await.unwrap(), [ours[0]], "closed as it is");
    assert!(store.expire(today).await.unwrap().is_empty());
    let (_, left) = real.ask("GET", "/_cat/indices/*?format=json&h=index", Value::Null).await;
    assert_eq!(left.as_array().unwrap().len(), 7, "{left}");
}

#[tokio::test]
async fn every_trouble_of_a_real_store_is_understood() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    let clusters = clusters(&["eu"]);
    let mut made = Made::seeded(9);
    made.datasets = vec!["logs"];
    let mut document = move || made.document(&clusters);
    let index = "/trunkline-logs.logs.2026-11-27";
    // One that cannot be stored holds no other up.
    let mut all: Vec<Document> = (0..9).map(|_| document()).collect();
    all[4].source = all[4].source.replacen("\"@timestamp\":\"2026", "\"@timestamp\":\"long ago", 1);
    let outcomes = store.write(&all).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Stored).count(), 8);
    assert!(matches!(&outcomes[4], Outcome::Rejected(why) if why.contains("400")), "{:?}", outcomes[4]);

    let later = async |document: Document, says: &str| {
        let outcomes = store.write(&[document]).await.unwrap();
        assert!(matches!(&outcomes[0], Outcome::Later(why) if why.contains(says)), "{says}: {outcomes:?}");
    };
    for block in ["read_only", "read_only_allow_delete", "write"] {
        let set = |value: Value| json!({ "index": { "blocks": { block: value } } });
        assert_eq!(real.ask("PUT", &format!("{index}/_settings"), set(json!(true))).await.0, 200);
        later(document(), "cluster_block_exception").await;
        assert_eq!(real.ask("PUT", &format!("{index}/_settings"), set(Value::Null)).await.0, 200);
    }
    assert_eq!(real.ask("POST", &format!("{index}/_close"), Value::Null).await.0, 200);
    later(document(), "index_closed_exception").await;
    let question = everything(&[]);
    assert!(store.find(&question, Order::Newest, None, 10).await.unwrap().hits.is_empty());
    assert_eq!(real.ask("DELETE", index, Value::Null).await.0, 200);
    let cluster = |name: &str, value: Value| json!({ "persistent": { name: value } });
    for (name, value, says) in [
        ("cluster.max_shards_per_node", json!(1), "shards"),
        ("action.auto_create_index", json!("false"), "index_not_found_exception"),
    ] {
        real.ask("PUT", "/other", Value::Null).await;
        assert_eq!(real.ask("PUT", "/_cluster/settings", cluster(name, value)).await.0, 200, "{name}");
        later(document(), says).await;
        assert_eq!(real.ask("PUT", "/_cluster/settings", cluster(name, Value::Null)).await.0, 200);
    }
    // An alias in our index's place, without a target to write to.
    let alias = json!({ "actions": [
        { "add": { "index": "other", "alias": index.trim_start_matches('/'), "is_write_index": false } },
    ] });
    assert_eq!(real.ask("POST", "/_aliases", alias).await.0, 200);
    later(document(), "no write index").await;
    assert_eq!(real.ask("DELETE", "/other", Value::Null).await.0, 200);
    assert_eq!(store.write(&[document()]).await.unwrap(), [Outcome::Stored]);
}

#[tokio::test]
async fn t21_t24_whatever_a_shipper_says_is_taken_and_stays_its_own() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    let clusters = clusters(&["eu", "other"]);
    let other = clusters[1].1;
    let nested =
        (0..30).fold(json!(1), |inner, at| if at % 2 == 0 { json!({ "a": inner }) } else { json!([inner]) });
    let wide: serde_json::Map<String, Value> = (0..900).map(|at| (format!("f{at}.x"), json!(at))).collect();
    let mut said = vec![
        json!({ "cluster": { "id": "other", "uid": other }, "cluster.uid": other, "trunkline": { "dataset": "x" } }),
        json!({ "cluster.": { "uid": other }, "cluster..uid": other, ".cluster.uid": other, " cluster.uid": other }),
        json!({ "Cluster": { "uid": other }, "trunkline.id": "x", "trunkline.terms.x": 1 }),
        json!({ "": 1, ".": 1, "..": 1, " ": 1, "a..b": 1, "a.": 1, ".a": 1, "a. .b": 1, "\u{0}": 1, "\u{2028}": 1 }),
        json!({ "message": { "a": 1 }, "@timestamp": { "b": 2 }, "log": { "level": 1 }, "log.level": "x", "level": [] }),
        json!({ "message": null, "time": "9999-99-99", "log": "x" }),
        json!({ "message": "x".repeat(200_000), "y": "z".repeat(40_000) }),
        json!({ "k".repeat(100_000): 1 }),
        json!({ "a.".repeat(100) + "a": 1, "a": 1 }),
        json!({ "n": u64::MAX, "m": i64::MIN, "f": 1e308, "nested": nested, "\u{1F980}": "\u{2028}\r\n" }),
        Value::Object(wide),
    ];
    let theirs = [
        "_id",
        "_index",
        "_type",
        "_source",
        "_routing",
        "_field_names",
        "_seq_no",
        "_primary_term",
        "_version",
        "_doc_count",
        "_ignored",
        "_ignored_source",
        "_nested_path",
        "_tier",
        "_feature",
        "_size",
        "_meta",
        "_data_stream_timestamp",
        "_all",
        "_ttl",
        "_parent",
    ];
    said.extend(theirs.iter().flat_map(|name| [json!({ *name: 1000 }), json!({ *name: { "a": ["b"] } })]));
    let documents: Vec<Document> = said
        .iter()
        .zip(0..)
        .map(|(said, sequence)| {
            let mut stamp = Made::seeded(0).document(&clusters[..1]).stamp;
            stamp.sequence = sequence;
            let entry = Entry { received: NOON, own_id: None, json: said.to_string().into() };
            Document::read(stamp, entry.encode()).unwrap()
        })
        .collect();
    let outcomes = store.write(&documents).await.unwrap();
    for (outcome, said) in outcomes.iter().zip(&said) {
        let said: String = said.to_string().chars().take(200).collect();
        assert_eq!(*outcome, Outcome::Stored, "{said}");
    }
    real.refresh().await;
    let mine = everything(&clusters[..1]);
    assert_eq!(store.find(&mine, Order::Newest, None, 1000).await.unwrap().hits.len(), documents.len());
    let counted = store.histogram(&mine, 1, None).await.unwrap();
    assert_eq!(counted[0].count, documents.len() as u64, "no document counts for many");
    let theirs = everything(&clusters[1..]);
    assert!(store.find(&theirs, Order::Newest, None, 1000).await.unwrap().hits.is_empty());
    assert_eq!(store.top(&theirs, &Field::Cluster, 10).await.unwrap().with, 0);
}

#[tokio::test]
async fn t22_the_widest_questions_end_in_time() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    let clusters = clusters(&["eu"]);
    let mut made = Made::seeded(2);
    let documents: Vec<Document> = (0..200).map(|_| made.document(&clusters)).collect();
    real.put(&store, &documents).await;
    let deep = "a OR NOT (b NOT (".repeat(4) + "x y" + &")".repeat(8);
    let deeper = "NOT (a b OR c NOT (".repeat(4) + "x y" + &")".repeat(8);
    let wide: Vec<String> = (0..64).map(|at| format!("x.{at}:a*")).collect();
    for filter in [deep, deeper, wide.join(" OR "), "err* OR con* OR \u{e9}a*".replace("\u{e9}a", "xxx")] {
        let mut question = everything(&clusters);
        (question.from, question.to) = (i64::MIN, i64::MAX);
        question.filter = filter.parse().unwrap();
        question.scope.0.extend((0..10_000).map(|_| ClusterUid::random()));
        let began = Instant::now();
        let hits = store.find(&question, Order::Newest, None, 1000).await.unwrap();
        let found = wanted(&question, &documents).len();
        assert_eq!(hits.hits.len(), found, "{filter}");
        for slices in [1, 200] {
            let histogram = store.histogram(&question, slices, Some(&Field::Cluster)).await.unwrap();
            assert_eq!(histogram.iter().map(|slice| slice.count).sum::<u64>(), found as u64);
        }
        assert!(began.elapsed().as_secs() < 10, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_a_real_store() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let count = prove::count(5_000, 100_000);
    let clusters = clusters(&["eu"]);
    let mut made = Made::seeded(1);
    let documents: Vec<Document> = (0..count.times).map(|_| made.document(&clusters)).collect();
    let bytes: usize = documents.iter().map(|document| document.source.len()).sum();
    let store = real.store();
    store.prepare().await.unwrap();
    let began = Instant::now();
    let mut outcomes: HashMap<String, usize> = HashMap::new();
    for some in documents.chunks(20_000) {
        for outcome in store.write(some).await.unwrap() {
            *outcomes.entry(format!("{outcome:?}")).or_default() += 1;
        }
    }
    let took = began.elapsed().as_secs_f64();
    assert_eq!(outcomes, HashMap::from([("Stored".to_owned(), count.times)]));
    println!("{count} documents of {} bytes: {:.0} a second", bytes / count.times, count.times as f64 / took);
}
