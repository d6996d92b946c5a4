//! The index template that every index of ours is made by: a fixed mapping to which nothing that is stored adds.
//!
//! Its `_meta` carries the version and a fingerprint. A gateway that finds a newer version leaves it as it is, so that two gateways of
//! different versions do not fight; the mapping of an index stays what it was on the day it was made.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::ElasticConfig;
use super::index::PREFIX;

/// The version of the mapping. It grows with every change of it.
const VERSION: u64 = 2;
/// Above what a store brings along (100 to 200) and what people tend to write.
const PRIORITY: u64 = 500;
/// Keywords are bounded where documents are made; what were longer all the same would be refused by Lucene, so it is left out of the index.
const IGNORE_ABOVE: u64 = 1024;

/// What there is of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// None, an older one, or one of other settings: ours is to be written.
    Other,
    /// Ours.
    Ours,
    /// A newer gateway's.
    Newer,
}

/// The name of the template.
pub(super) const NAME: &str = PREFIX;

/// The template's body.
pub(super) fn template(config: &ElasticConfig) -> Value {
    let mut body = json!({
        "index_patterns": [format!("{PREFIX}.*")],
        "priority": PRIORITY,
        "version": VERSION,
        "template": { "settings": settings(config), "mappings": mappings() },
    });
    let fingerprint = Sha256::digest(body.to_string().as_bytes());
    let fingerprint: String = fingerprint.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    body["_meta"] = json!({ "made_by": "trunkline", "version": VERSION, "fingerprint": fingerprint });
    body
}

/// What an answer to `GET _index_template/NAME` holds.
pub(super) fn compare(answer: &Value, ours: &Value) -> Found {
    let there = &answer["index_templates"][0]["index_template"];
    let meta = &there["_meta"];
    let is_ours = meta["made_by"] == "trunkline" && there["index_patterns"] == ours["index_patterns"];
    match meta["version"].as_u64() {
        Some(version) if is_ours && version > VERSION => Found::Newer,
        Some(_) if is_ours && *meta == ours["_meta"] && is_whole(there, ours) => Found::Ours,
        _ => Found::Other,
    }
}

/// Whether what an index would be made by has our mapping: in the template, or in an answer to `_simulate_index`.
pub(super) fn is_whole(there: &Value, ours: &Value) -> bool {
    let theirs = &there["template"]["mappings"];
    let dynamic = &theirs["dynamic"];
    let is_fixed = *dynamic == "false" || *dynamic == false;
    is_fixed && theirs["properties"] == ours["template"]["mappings"]["properties"]
}

fn settings(config: &ElasticConfig) -> Value {
    json!({ "index": {
        "number_of_shards": config.shards,
        "number_of_replicas": config.replicas,
        "refresh_interval": format!("{}s", config.refresh_seconds),
        "codec": "best_compression",
        // A document is answered when it is on disk, whatever the store's default.
        "translog": { "durability": "request" },
        "analysis": {
            // `trunkline_logs::words`, in Lucene's terms. Long words go before words are counted, so that no gap is left in a phrase.
            "char_filter": { "trunkline_long_words": {
                "type": "pattern_replace", "pattern": r"[\p{IsAlphabetic}\p{N}]{65,}+", "replacement": " ",
            } },
            "tokenizer": { "trunkline_words": {
                "type": "pattern", "pattern": r"[^\p{IsAlphabetic}\p{N}]+",
            } },
            "analyzer": { "trunkline_words": {
                "type": "custom",
                "char_filter": ["trunkline_long_words"],
                "tokenizer": "trunkline_words",
                "filter": ["lowercase"],
            } },
        },
    } })
}

fn mappings() -> Value {
    let keyword = || json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE });
    let plain = || json!({ "type": "keyword" });
    json!({
        "dynamic": "false",
        "date_detection": false,
        "numeric_detection": false,
        "properties": {
            "@timestamp": { "type": "date" },
            "message": { "type": "text", "analyzer": "trunkline_words", "norms": false },
            "cluster": { "properties": { "id": plain(), "uid": plain() } },
            "trunkline": { "properties": {
                // Documents are sorted by it; who looks for one has `_id`.
                "id": { "type": "keyword", "index": false },
                "dataset": plain(),
                "level": keyword(), "app": keyword(), "namespace": keyword(),
                "pod": keyword(), "container": keyword(), "node": keyword(),
                "terms": keyword(),
                "received_at": { "type": "date" },
                "arrived_at": { "type": "date" },
            } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(change: impl Fn(&mut Value)) -> Found {
        let ours = template(&ElasticConfig::default());
        let mut there = ours.clone();
        change(&mut there);
        compare(&json!({ "index_templates": [{ "name": NAME, "index_template": there }] }), &ours)
    }

    #[test]
    fn a_template_is_written_unless_it_is_ours_or_a_newer_gateways() {
        assert_eq!(found(|_| {}), Found::Ours);
        assert_eq!(found(|there| there["_meta"]["version"] = json!(VERSION + 1)), Found::Newer);
        assert_eq!(found(|there| there["_meta"]["version"] = json!(0)), Found::Other);
        assert_eq!(found(|there| there["_meta"]["fingerprint"] = json!("x")), Found::Other);
        assert_eq!(found(|there| there["_meta"] = json!({"version": VERSION + 1})), Found::Other);
        assert_eq!(found(|there| there["index_patterns"] = json!(["other"])), Found::Other);
        assert_eq!(found(|there| there["template"]["mappings"]["dynamic"] = json!("true")), Found::Other);
        assert_eq!(compare(&json!({}), &template(&ElasticConfig::default())), Found::Other);
    }

    #[test]
    fn other_settings_make_another_fingerprint() {
        let one = template(&ElasticConfig::default());
        let other = template(&ElasticConfig { replicas: 0, ..ElasticConfig::default() });
        assert_eq!(one["_meta"]["version"], other["_meta"]["version"]);
        assert_ne!(one["_meta"]["fingerprint"], other["_meta"]["fingerprint"]);
    }
}
