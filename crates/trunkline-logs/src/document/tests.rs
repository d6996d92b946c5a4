use serde_json::{Value, json};

use super::*;
use crate::{Facet, OwnId};

const RECEIVED: i64 = 1_795_749_300_000;

fn stamp() -> Stamp {
    Stamp {
        cluster: "prod-eu".parse().unwrap(),
        uid: "123e4567-e89b-42d3-a456-426614174000".parse().unwrap(),
        slot: Slot(1),
        dataset: Dataset::unnamed(),
        spool: SpoolEpoch([3; 16]),
        sequence: 17,
        day: Day::of(RECEIVED),
        arrived: RECEIVED + 1000,
    }
}

fn entry(json: &str) -> Entry {
    Entry { received: RECEIVED, own_id: None, json: json.to_owned().into() }
}

fn built(json: &str) -> (Document, Value) {
    let document = rebuild(stamp(), &entry(json)).unwrap();
    let source = serde_json::from_str(&document.source).unwrap();
    (document, source)
}

#[test]
fn a_document_says_whose_it_is_when_it_was_and_all_that_its_shipper_said() {
    let text = r#"{"@timestamp":"2026-11-27T03:14:00Z","message":"GET / 200\n","level":"INFO","http":{"status":200},"tags":["a","b"]}"#;
    let (document, source) = built(text);
    assert_eq!((document.message.as_str(), document.time), ("GET / 200", RECEIVED - 60_000));
    assert_eq!(document.facets.get(Facet::Level), Some("info"));
    assert_eq!(document.terms, ["http.status=200", "level=INFO", "tags=a", "tags=b"]);
    assert_eq!(
        source,
        json!({
            "@timestamp": "2026-11-27T03:14:00.000Z", "message": "GET / 200", "level": "INFO",
            "http": {"status": 200}, "tags": ["a", "b"],
            "cluster": {"id": "prod-eu", "uid": "123e4567-e89b-42d3-a456-426614174000"},
            "trunkline": {
                "id": document.id, "dataset": "logs", "slot": 1, "spool": "03030303030303030303030303030303", "sequence": 17,
                "received_at": "2026-11-27T03:15:00.000Z", "arrived_at": "2026-11-27T03:15:01.000Z",
                "level": "info", "terms": ["http.status=200", "level=INFO", "tags=a", "tags=b"],
            },
        })
    );
}

#[test]
fn names_that_no_store_takes_are_put_aside() {
    let (document, source) = built(r#"{"":1,"a.":2,"_id":"x","_doc_count":1000,"_PID":7,"b":{"":3}}"#);
    assert_eq!(source["event.original_fields"], json!({"": 1, "a.": 2, "_id": "x", "_doc_count": 1000}));
    assert_eq!((&source["_PID"], &source["b"], source.get("_id")), (&json!(7), &json!({"": 3}), None));
    assert!(document.terms.contains(&"event.original_fields._id=x".to_owned()), "{:?}", document.terms);
}

#[test]
fn no_spelling_makes_a_document_anothers() {
    for foreign in [
        r#"{"cluster":{"id":"other","uid":"x"}}"#,
        r#"{"cluster.id":"other"}"#,
        r#"{"cluster":"other","cluster.uid":"x"}"#,
        r#"{"\u0063luster":{"id":"other"}}"#,
        r#"{"a":1,"cluster":{"id":"prod-eu"},"cluster":{"id":"other"}}"#,
        r#"{"trunkline":{"dataset":"other"},"trunkline.terms":["cluster.id=other"]}"#,
    ] {
        let (document, source) = built(foreign);
        assert_eq!(source["cluster"], json!({"id": stamp().cluster, "uid": stamp().uid}), "{foreign}");
        assert_eq!(source["trunkline"]["dataset"], "logs", "{foreign}");
        assert!(!document.source.contains("other"), "{foreign}: {}", document.source);
        assert!(source.as_object().unwrap().keys().all(|name| !name.contains('.')), "{foreign}");
    }
}

#[test]
fn of_two_fields_of_one_name_the_last_counts_everywhere() {
    let (document, source) = built(r#"{"message":"first","app":"x","message":"last","app":"y"}"#);
    assert_eq!((document.message.as_str(), source["message"].as_str()), ("last", Some("last")));
    assert_eq!(
        (document.facets.get(Facet::App), document.terms.as_slice()),
        (Some("y"), &["app=y".to_owned()][..])
    );
    assert!(!document.source.contains("first"));
}

#[test]
fn a_time_is_believed_within_seven_days_and_five_minutes_and_kept_beside_otherwise() {
    let at = |text: &str| built(&json!({ "@timestamp": text }).to_string());
    for (said, believed) in [
        ("2026-11-20T03:15:00Z", true),
        ("2026-11-20T03:14:59Z", false),
        ("2026-11-27T03:20:00Z", true),
        ("2026-11-27T03:20:01Z", false),
    ] {
        let (document, source) = at(said);
        assert_eq!(document.time != RECEIVED, believed, "{said}");
        assert_eq!(source.get("event.original_time").is_none(), believed, "{said}");
    }
    let (document, source) = at("yesterday");
    assert_eq!((document.time, source["event.original_time"].as_str()), (RECEIVED, Some("yesterday")));
    assert_eq!(built(r#"{"time":1795749299000}"#).0.time, RECEIVED - 1000);
}

#[test]
fn a_message_is_text_whatever_it_was() {
    assert_eq!(built(r#"{"message":{"a":[1]}}"#).0.message, r#"{"a":[1]}"#);
    assert_eq!(built(r#"{"log":"from a container\n"}"#).0.message, "from a container");
    assert_eq!(built(r#"{"log":{"level":"warn"},"msg":"m"}"#).0.message, "m");
    assert_eq!(built("{}").0.message, "");
}

#[test]
fn ids_are_of_the_place_or_of_the_shippers_own_id_and_never_that_id() {
    let place = built("{}").0;
    let mut own = entry("{}");
    own.own_id = Some(OwnId::of("secret-id"));
    let first = rebuild(stamp(), &own).unwrap();
    let second = rebuild(Stamp { sequence: 99, slot: Slot(0), ..stamp() }, &own).unwrap();
    assert_eq!((first.id == second.id, first.id == place.id), (true, false));
    assert!(first.has_own_id && !place.has_own_id && !first.source.contains("secret-id"));
    let elsewhere = rebuild(Stamp { uid: ClusterUid::random(), ..stamp() }, &own).unwrap();
    assert_ne!(first.id, elsewhere.id);
}

#[test]
fn what_is_no_object_within_the_limits_is_rejected_with_its_reason() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (text, reason) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        (r#"{"a":1}{"b":2}"#, "not JSON"),
        ("\u{feff}{}", "not JSON"),
        (deep.as_str(), "nested deeper than 32"),
        ("[1]", "not an object"),
        (&format!("{}{}{}", r#"{"a":"#.repeat(33), 1, "}".repeat(33)), "nested deeper than 32"),
        (&json!({"a": "x".repeat(256 * 1024)}).to_string(), "bytes long"),
    ] {
        let told = rebuild(stamp(), &entry(text)).unwrap_err().to_string();
        assert!(told.contains(reason), "{:.40}: {told}", text);
    }
}

#[test]
fn terms_are_bounded_in_number_and_length() {
    let swelling =
        json!({"x".repeat(240): Value::Object((0..64).map(|at| (at.to_string(), json!(1))).collect())});
    let (document, _) = built(&swelling.to_string());
    let bytes = document.terms.iter().map(String::len).sum::<usize>();
    assert!(
        (3800..=4096).contains(&bytes) && document.source.len() < 12 * 1024,
        "{bytes}, {}",
        document.source.len()
    );
    let many = Value::Object((0..500).map(|at| (format!("f{at}"), json!(at))).collect());
    assert_eq!(built(&many.to_string()).0.terms.len(), 64);
    assert_eq!(
        built(&json!({"a": "x".repeat(255), "b": "y".repeat(254)}).to_string()).0.terms,
        [format!("b={}", "y".repeat(254))]
    );
}
