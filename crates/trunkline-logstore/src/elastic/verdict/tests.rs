use serde_json::json;

use super::*;

const ID: DocumentId = DocumentId([7; 16]);

fn one(status: u16, error: Value) -> Outcome {
    let mut item = json!({ "_id": ID, "status": status });
    if !error.is_null() {
        item["error"] = error;
    }
    let body = json!({ "took": 1, "errors": true, "items": [{ "create": item }] }).to_string();
    judge(body.as_bytes(), &[ID]).unwrap().remove(0)
}

fn error(kind: &str, reason: &str) -> Value {
    json!({ "type": kind, "reason": reason })
}

#[test]
fn a_document_is_stored_by_a_201_alone() {
    assert_eq!(one(201, Value::Null), Outcome::Stored);
    assert_eq!(one(409, error("version_conflict_engine_exception", "exists")), Outcome::AlreadyThere);
    for proves_nothing in [200, 202, 204, 0, 301, 600] {
        assert!(matches!(one(proves_nothing, Value::Null), Outcome::Later(_)), "{proves_nothing}");
    }
    assert!(matches!(one(201, error("x", "y")), Outcome::Later(_)));
    assert!(matches!(one(409, error("other", "y")), Outcome::Later(_)));
}

#[test]
fn what_an_operator_can_undo_makes_no_dead_letter() {
    for (status, kind, reason) in [
        (401, "security_exception", "missing authentication"),
        (403, "security_exception", "action [indices:admin/auto_create] is unauthorized"),
        (
            403,
            "cluster_block_exception",
            "index blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];",
        ),
        (429, "cluster_block_exception", "index blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded];"),
        (404, "index_not_found_exception", "no such index and [action.auto_create_index] is [false]"),
        (400, "index_closed_exception", "closed"),
        (
            400,
            "validation_exception",
            "this action would add [2] total shards, but this cluster has [1000]/[1000]",
        ),
        (
            400,
            "illegal_argument_exception",
            "Validation Failed: 1: this action would add [2] total shards, but this cluster currently has [1000]/[1000] maximum shards open;",
        ),
        (
            400,
            "illegal_argument_exception",
            "this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open",
        ),
        (400, "illegal_argument_exception", "pipeline with id [x] does not exist"),
        (400, "illegal_argument_exception", "no write index is defined for alias [x]"),
        (429, "es_rejected_execution_exception", "rejected execution of coordinating operation"),
        (503, "unavailable_shards_exception", "primary shard is not active"),
        (500, "exception", "unknown"),
    ] {
        let outcome = one(status, error(kind, reason));
        assert!(
            matches!(&outcome, Outcome::Later(said) if said.contains(kind)),
            "{status} {kind}: {outcome:?}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_document_is_a_dead_letter_with_a_reason() {
    for (status, kind) in [
        (400, "mapper_parsing_exception"),
        (400, "document_parsing_exception"),
        (400, "strict_dynamic_mapping_exception"),
        (400, "illegal_argument_exception"),
        (413, "too_large"),
    ] {
        let cause =
            json!({ "type": kind, "reason": "failed\nto parse", "caused_by": { "reason": "no object" } });
        let wanted = format!("the log store said {status}: {kind}: failed to parse: no object");
        assert_eq!(one(status, cause), Outcome::Rejected(wanted));
    }
    let long = one(400, error("mapper_parsing_exception", &"x".repeat(10_000)));
    assert!(matches!(&long, Outcome::Rejected(reason) if reason.len() < 450));
    assert_eq!(one(400, json!("just text")), Outcome::Rejected("the log store said 400: just text".into()));
}

#[test]
fn no_field_of_a_shippers_makes_a_dead_letter_come_again_and_again() {
    for field in [
        "pipeline with id [x]",
        "template",
        "data stream",
        "shards open",
        "no write index is defined for alias [x]",
    ] {
        for reason in [
            format!("mapper [{field}] cannot be changed from type [text] to [long]"),
            format!("Document contains at least one immense term in field=\"{field}\""),
        ] {
            let outcome = one(400, error("illegal_argument_exception", &reason));
            assert!(matches!(outcome, Outcome::Rejected(_)), "{reason}: {outcome:?}");
        }
    }
}

#[test]
fn an_answer_that_does_not_fit_says_nothing_of_any_document() {
    let other = DocumentId([8; 16]);
    let stored = |id: DocumentId| json!({ "create": { "_id": id, "status": 201 } });
    let both = [ID, other];
    for items in [
        json!([]),
        json!([stored(ID)]),
        json!([stored(ID), stored(other), stored(other)]),
        json!([stored(other), stored(ID)]),
        json!([stored(ID), stored(ID)]),
        json!([stored(ID), { "index": { "_id": other, "status": 201 } }]),
        json!([stored(ID), { "create": { "status": 201 } }]),
        json!([stored(ID), { "create": { "_id": other } }]),
        json!([stored(ID), { "create": { "_id": other, "status": "201" } }]),
        json!({}),
    ] {
        let body = json!({ "errors": false, "items": items }).to_string();
        assert!(judge(body.as_bytes(), &both).is_err(), "{body}");
    }
    let whole = json!({ "items": [stored(ID), stored(other)] }).to_string();
    assert!(judge(whole.as_bytes(), &both).is_ok());
    for end in 0..whole.len() {
        assert!(judge(&whole.as_bytes()[..end], &both).is_err(), "{end}");
    }
    for body in ["<html>Bad Gateway</html>", "{}", "", "null", &format!("{whole}{whole}")] {
        assert!(judge(body.as_bytes(), &both).is_err(), "{body}");
    }
}
