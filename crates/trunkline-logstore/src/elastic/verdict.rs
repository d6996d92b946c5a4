//! What a bulk answer says of each document: proof by document, or nothing.
//!
//! | the store says | it means |
//! |---|---|
//! | 201 | stored |
//! | 409 `version_conflict_engine_exception` | stored before: the same id, hence the same document |
//! | 401, 403, 404, 429, 5xx | not now: rights, blocks (a full disk sets one), a missing index, load |
//! | 400 about the index, by its type or how its reason begins: closed, too many shards, an alias without a target, a pipeline | not now: an operator undoes it |
//! | any other 4xx | never: the document itself |
//! | anything else | not now |
//!
//! Invariants:
//! - no document is called stored but by a 201 that bears its id, at its place, in an answer that was read to its end;
//! - what an operator can undo makes no dead letter.

use serde::Deserialize;
use serde_json::Value;
use trunkline_logs::DocumentId;

use crate::Outcome;

/// The longest reason that is kept, in letters.
const MAX_REASON: usize = 400;
/// Types of errors that are about an index, not about a document, though they come with 400.
const ABOUT_THE_INDEX: [&str; 12] = [
    "alias_not_found_exception",
    "circuit_breaking_exception",
    "cluster_block_exception",
    "es_rejected_execution_exception",
    "index_closed_exception",
    "index_create_block_exception",
    "index_not_found_exception",
    "invalid_alias_name_exception",
    "invalid_index_name_exception",
    "resource_already_exists_exception",
    "security_exception",
    "validation_exception",
];
/// How the reason of an `illegal_argument_exception` begins that is about an index. Only how it begins: further on a reason may name the
/// fields of a document, and a shipper could call one so.
const ILLEGAL_INDEX: [&str; 8] = [
    "Validation Failed: 1: this action would add [",
    "this action would add [",
    "pipeline with id [",
    "no write index is defined for alias [",
    "no matching index template found for data stream [",
    "Number of documents in shard [",
    "number of documents in the index cannot exceed ",
    "only write ops with an op_type of create are allowed in data streams",
];

#[derive(Deserialize)]
struct BulkAnswer {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Created,
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "_id")]
    id: String,
    status: u16,
    #[serde(default)]
    error: Option<Value>,
}

/// The outcome of each document that was handed in, in their order.
///
/// # Errors
/// What is wrong with the answer: then it says nothing of any of them.
pub(super) fn judge(body: &[u8], ids: &[DocumentId]) -> Result<Vec<Outcome>, String> {
    let answer: BulkAnswer = serde_json::from_slice(body).map_err(|error| {
        let begins: String = String::from_utf8_lossy(body).chars().take(80).collect();
        format!("its answer is none to a bulk request ({error}); it begins with {begins:?}")
    })?;
    if answer.items.len() != ids.len() {
        return Err(format!("it answered {} documents of {}", answer.items.len(), ids.len()));
    }
    answer.items.into_iter().zip(ids).map(|(item, id)| outcome(item.create, *id)).collect()
}

fn outcome(item: Created, id: DocumentId) -> Result<Outcome, String> {
    if item.id.parse() != Ok(id) {
        let other: String = item.id.chars().take(64).collect();
        return Err(format!("it answered the document {other:?} in place of {id}"));
    }
    let Some(error) = &item.error else {
        return Ok(match item.status {
            201 => Outcome::Stored,
            other => Outcome::Later(format!("the log store said {other}, which proves nothing")),
        });
    };
    let kind = error["type"].as_str().unwrap_or_default();
    let reason = reason(item.status, error);
    Ok(match item.status {
        409 if kind == "version_conflict_engine_exception" => Outcome::AlreadyThere,
        401 | 403 | 404 | 409 | 429 => Outcome::Later(reason),
        400..=499 if !is_about_the_index(kind, error) => Outcome::Rejected(reason),
        _ => Outcome::Later(reason),
    })
}

fn is_about_the_index(kind: &str, error: &Value) -> bool {
    let says = error["reason"].as_str().unwrap_or_default();
    ABOUT_THE_INDEX.contains(&kind)
        || (kind == "illegal_argument_exception"
            && ILLEGAL_INDEX.iter().any(|beginning| says.starts_with(beginning)))
}

/// An item's error, on one line.
fn reason(status: u16, error: &Value) -> String {
    let causes = [&error["type"], &error["reason"], &error["caused_by"]["reason"]];
    let said: Vec<&str> = causes.into_iter().chain([error]).filter_map(Value::as_str).collect();
    let said = said.join(": ");
    let line: String =
        said.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_REASON).collect();
    format!("the log store said {status}: {line}")
}

#[cfg(test)]
mod tests;
