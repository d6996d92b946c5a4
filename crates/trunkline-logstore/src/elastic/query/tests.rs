use std::collections::BTreeSet;

use trunkline_logs::{Document, Scope, words};
use trunkline_proto::{ClusterId, ClusterUid};

use super::*;

#[path = "../../../tests/elastic/made.rs"]
mod made;
#[allow(unreachable_pub, reason = "all tests use it")]
#[path = "../../../../../tests/harness/prove.rs"]
mod prove;

use made::{Made, NOON};

/// The only fields that a query may name.
const FIELDS: [&str; 11] = [
    "cluster.id",
    "cluster.uid",
    "message",
    "trunkline.app",
    "trunkline.container",
    "trunkline.dataset",
    "trunkline.level",
    "trunkline.namespace",
    "trunkline.node",
    "trunkline.pod",
    TERMS,
];

fn only(value: &Value) -> (&String, &Value) {
    let object = value.as_object().unwrap_or_else(|| panic!("no clause: {value}"));
    assert_eq!(object.len(), 1, "{value}");
    object.iter().next().unwrap()
}

fn field<'a>(value: &'a Value, keys: &[&str]) -> (&'a str, &'a Value) {
    let (name, inner) = only(value);
    assert!(FIELDS.contains(&name.as_str()), "a query names the field {name}");
    for key in inner.as_object().unwrap().keys() {
        assert!(keys.contains(&key.as_str()), "{key} in {value}");
    }
    (name, inner)
}

/// Whether a document is found by a clause: everything that may stand in one is read here, and nothing else passes.
fn finds(clause: &Value, document: &Document, depth: usize) -> bool {
    assert!(depth < 64);
    let (kind, body) = only(clause);
    match kind.as_str() {
        "match_all" => true,
        "match_none" => false,
        "bool" => {
            let keys: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
            assert!(keys.is_subset(&BTreeSet::from([
                "filter",
                "must_not",
                "should",
                "minimum_should_match"
            ])));
            let list = |key: &str| body[key].as_array().cloned().unwrap_or_default();
            assert_eq!(keys.contains("should"), body["minimum_should_match"] == 1);
            list("filter").iter().all(|one| finds(one, document, depth + 1))
                && !list("must_not").iter().any(|one| finds(one, document, depth + 1))
                && (!keys.contains("should")
                    || list("should").iter().any(|one| finds(one, document, depth + 1)))
        }
        "terms" => {
            let (name, list) = only(body);
            assert_eq!(name, "cluster.uid");
            list.as_array().unwrap().contains(&json!(document.stamp.uid))
        }
        "range" => {
            let (name, range) = only(body);
            assert_eq!(name, "@timestamp");
            (range["gte"].as_i64().unwrap()..range["lt"].as_i64().unwrap()).contains(&document.time)
        }
        "term" => {
            let (name, inner) = field(body, &["value"]);
            said(document, name).iter().any(|said| Some(said.as_str()) == inner["value"].as_str())
        }
        "prefix" => {
            let (name, inner) = field(body, &["value"]);
            said(document, name).iter().any(|said| said.starts_with(inner["value"].as_str().unwrap()))
        }
        "exists" => {
            let (key, name) = only(body);
            assert_eq!(key, "field");
            assert!(FIELDS.contains(&name.as_str().unwrap()));
            !said(document, name.as_str().unwrap()).is_empty()
        }
        "match_phrase" => {
            let (name, inner) = field(body, &["query", "analyzer", "slop"]);
            assert_eq!(
                (name, &inner["analyzer"], &inner["slop"]),
                ("message", &json!("whitespace"), &json!(0))
            );
            let wanted: Vec<&str> = inner["query"].as_str().unwrap().split_whitespace().collect();
            said(document, name).windows(wanted.len()).any(|some| some == wanted)
        }
        other => panic!("a query holds {other}: {clause}"),
    }
}

fn said(document: &Document, field: &str) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match field {
        "cluster.id" => one(document.stamp.cluster.as_str()),
        "cluster.uid" => one(&document.stamp.uid.to_string()),
        "trunkline.dataset" => one(document.stamp.dataset.as_str()),
        "message" => words(&document.message).collect(),
        TERMS => document.terms.clone(),
        facet => {
            let facet = facet.strip_prefix("trunkline.").unwrap().parse().unwrap();
            document.facets.get(facet).into_iter().flat_map(one).collect()
        }
    }
}

/// How deep `bool` lies in itself.
fn deep(value: &Value) -> usize {
    match value {
        Value::Array(list) => list.iter().map(deep).max().unwrap_or(0),
        Value::Object(map) => {
            map.iter().map(|(key, inner)| deep(inner) + usize::from(key == "bool")).max().unwrap_or(0)
        }
        _ => 0,
    }
}

#[test]
fn t22_whatever_the_filter_a_query_says_the_same_in_a_few_words_and_of_the_scope_alone() {
    let clusters: Vec<(ClusterId, ClusterUid)> =
        ["eu", "prod-eu", "test"].map(|id| (id.parse().unwrap(), ClusterUid::random())).into();
    let scope = Scope(clusters[..2].iter().map(|(_, uid)| *uid).collect());
    let mut made = Made::seeded(22);
    let documents: Vec<Document> = (0..60).map(|_| made.document(&clusters)).collect();
    let count = prove::count(10_000, 1_000_000);
    let mut found = 0;
    for _ in 0..count.times {
        let filter = made.filter(4);
        let question = Question { scope: scope.clone(), filter, from: NOON - 1_800_000, to: NOON };
        let query = query(&question);
        let first = &query["bool"]["filter"][0];
        assert_eq!(first["terms"]["cluster.uid"], json!(scope.0), "{query}");
        assert!(query["bool"].get("should").is_none(), "{query}");
        for _ in 0..4 {
            let document = &documents[usize::try_from(made.number(60)).unwrap()];
            let wanted = scope.0.contains(&document.stamp.uid)
                && (question.from..question.to).contains(&document.time)
                && question.filter.matches(document);
            assert_eq!(finds(&query, document, 0), wanted, "{:?}\n{query}\n{document:?}", question.filter);
            found += usize::from(wanted);
        }
    }
    assert!(found * 20 > count.times, "{found} of {count} found anything");
    println!("{count} filters, {found} documents found");
}

#[test]
fn t22_a_filter_as_deep_as_may_be_written_makes_no_query_that_is_too_deep() {
    for level in ["a OR NOT (b NOT (", "NOT (a b OR c NOT (", "a (b OR c (", "NOT (NOT (a OR "] {
        let opened = level.matches('(').count();
        let text = level.repeat(8 / opened) + "x y" + &")".repeat(8);
        let question = Question {
            scope: Scope(vec![ClusterUid::random()]),
            filter: text.parse().unwrap(),
            from: 0,
            to: i64::MAX,
        };
        let deep = deep(&query(&question));
        assert!(deep <= 19, "{deep}: {text}");
    }
}

#[test]
fn a_moment_that_no_store_knows_is_the_first_or_the_last_that_it_does() {
    let question = Question { scope: Scope::default(), filter: Filter::All, from: i64::MIN, to: i64::MAX };
    let range = &query(&question)["bool"]["filter"][1]["range"]["@timestamp"];
    assert_eq!((&range["gte"], &range["lt"]), (&json!(0), &json!(LAST)));
}
