//! A question in the store's own language.
//!
//! Invariants:
//! - a text of a user stands where a value stands, and nowhere else: never as a key, a field, a pattern or part of a language;
//! - the clusters that may be seen are the first clause of every query, whatever the filter;
//! - no query needs more than `bool`, `term`, `terms`, `prefix`, `exists`, `match_phrase`, `range`, `match_all` and `match_none`: no script, no
//!   `query_string`, no `wildcard`, no `regexp`, nothing that is made at run time;
//! - `bool` lies at most 19 deep (a store takes 20), since what is alike is made one.

use serde_json::{Value, json};
use trunkline_logs::{Field, Filter, Match, Question};

/// The last moment that the store can be asked for: the end of the year 9999.
const LAST: i64 = 253_402_300_799_999;
/// The field of terms, `path=value`.
const TERMS: &str = "trunkline.terms";

/// The query of a question.
pub(super) fn query(question: &Question) -> Value {
    let uids: Vec<String> = question.scope.0.iter().map(ToString::to_string).collect();
    let (from, to) = bounded(question);
    let time = json!({ "gte": from, "lt": to, "format": "epoch_millis" });
    let mut clauses = Clauses {
        all: vec![json!({ "terms": { "cluster.uid": uids } }), json!({ "range": { "@timestamp": time } })],
        none: Vec::new(),
    };
    clauses.want(&question.filter);
    clauses.query()
}

/// From when to when, within what a store knows.
pub(super) fn bounded(question: &Question) -> (i64, i64) {
    (question.from.clamp(0, LAST), question.to.clamp(0, LAST))
}

/// The keyword field in which a field's values stand, and what stands before them there.
pub(super) fn keyword(field: &Field) -> (String, String) {
    match field {
        Field::Cluster => ("cluster.id".into(), String::new()),
        Field::Uid => ("cluster.uid".into(), String::new()),
        Field::Dataset => ("trunkline.dataset".into(), String::new()),
        Field::Facet(facet) => (format!("trunkline.{facet}"), String::new()),
        Field::Path(path) => (TERMS.into(), format!("{path}=")),
    }
}

/// Whether a field says anything.
pub(super) fn says(field: &Field) -> Value {
    match keyword(field) {
        (name, before) if before.is_empty() => json!({ "exists": { "field": name } }),
        (name, before) => json!({ "prefix": { name: { "value": before } } }),
    }
}

/// What must all be so, and what must none of it be so.
#[derive(Default)]
struct Clauses {
    all: Vec<Value>,
    none: Vec<Value>,
}

impl Clauses {
    fn of(filter: &Filter) -> Self {
        let mut clauses = Self::default();
        clauses.want(filter);
        clauses
    }

    fn want(&mut self, filter: &Filter) {
        match filter {
            Filter::All => {}
            Filter::And(all) => all.iter().for_each(|one| self.want(one)),
            Filter::Not(other) => self.want_not(other),
            other => self.all.push(clause(other)),
        }
    }

    fn want_not(&mut self, filter: &Filter) {
        match filter {
            Filter::Not(other) => self.want(other),
            Filter::Or(any) => any.iter().for_each(|one| self.want_not(one)),
            other => self.none.push(clause(other)),
        }
    }

    fn query(mut self) -> Value {
        match (self.all.len(), self.none.len()) {
            (0, 0) => json!({ "match_all": {} }),
            (1, 0) => self.all.remove(0),
            (_, 0) => json!({ "bool": { "filter": self.all } }),
            (0, _) => json!({ "bool": { "must_not": self.none } }),
            _ => json!({ "bool": { "filter": self.all, "must_not": self.none } }),
        }
    }
}

fn clause(filter: &Filter) -> Value {
    match filter {
        Filter::All => json!({ "match_all": {} }),
        Filter::And(_) | Filter::Not(_) => Clauses::of(filter).query(),
        Filter::Or(any) => {
            let mut clauses = Vec::new();
            flatten(any, &mut clauses);
            if clauses.is_empty() {
                return json!({ "match_none": {} });
            }
            json!({ "bool": { "should": clauses, "minimum_should_match": 1 } })
        }
        Filter::Phrase(words) => phrase(words),
        Filter::WordBegins(beginning) => json!({ "prefix": { "message": { "value": beginning } } }),
        Filter::Is(field, wanted) => is(field, wanted),
    }
}

fn flatten(any: &[Filter], clauses: &mut Vec<Value>) {
    for one in any {
        match one {
            Filter::Or(more) => flatten(more, clauses),
            other => clauses.push(clause(other)),
        }
    }
}

/// The words are cut already: one is looked up as it is, several are cut at the spaces between them.
fn phrase(words: &[String]) -> Value {
    match words {
        [] => json!({ "match_none": {} }),
        _ if words.iter().any(|word| word.is_empty() || !word.chars().all(char::is_alphanumeric)) => {
            json!({ "match_none": {} })
        }
        [only] => json!({ "term": { "message": { "value": only } } }),
        several => json!({ "match_phrase": { "message": {
            "query": several.join(" "), "analyzer": "whitespace", "slop": 0,
        } } }),
    }
}

fn is(field: &Field, wanted: &Match) -> Value {
    let (name, before) = keyword(field);
    match wanted {
        Match::Exactly(value) => json!({ "term": { name: { "value": format!("{before}{value}") } } }),
        Match::Begins(value) => json!({ "prefix": { name: { "value": format!("{before}{value}") } } }),
        Match::Exists => says(field),
    }
}

#[cfg(test)]
mod tests;
