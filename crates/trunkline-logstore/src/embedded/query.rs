//! From a filter of ours to a query of tantivy's. No text is parsed on the way: words and values become terms.
//!
//! The scope stands beside the filter, and is not part of it: what the filter says cannot widen it.

use std::ops::Bound;

use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, InvertedIndexRangeQuery, Occur, PhraseQuery, Query, TermQuery,
    TermSetQuery,
};
use tantivy::schema::IndexRecordOption;
use trunkline_logs::{Field, Filter, Match, Scope};

use super::schema::Fields;
use super::unwanted::Unwanted;

/// The documents of these clusters that the filter wants.
pub(super) fn query(fields: &Fields, scope: &Scope, filter: &Filter) -> Box<dyn Query> {
    let scope = within(fields, scope);
    match filter {
        Filter::All => scope,
        Filter::And(all) => each(fields, all, vec![(Occur::Must, scope)]),
        other => each(fields, std::slice::from_ref(other), vec![(Occur::Must, scope)]),
    }
}

fn within(fields: &Fields, Scope(uids): &Scope) -> Box<dyn Query> {
    let term = |uid: &trunkline_proto::ClusterUid| Term::from_field_text(fields.uid, &uid.to_string());
    match uids.as_slice() {
        [] => Box::new(EmptyQuery),
        [one] => exactly(term(one)),
        many => Box::new(TermSetQuery::new(many.iter().map(term))),
    }
}

/// What all of these want. What is not wanted is taken away from the rest, and from all if there is no rest.
fn each(fields: &Fields, all: &[Filter], mut clauses: Vec<(Occur, Box<dyn Query>)>) -> Box<dyn Query> {
    for one in all {
        match one {
            Filter::Not(other) => {
                clauses.push((Occur::MustNot, Box::new(Unwanted(translated(fields, other)))))
            }
            other => clauses.push((Occur::Must, translated(fields, other))),
        }
    }
    if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
        clauses.push((Occur::Must, Box::new(AllQuery)));
    }
    Box::new(BooleanQuery::new(clauses))
}

fn translated(fields: &Fields, filter: &Filter) -> Box<dyn Query> {
    match filter {
        Filter::All => Box::new(AllQuery),
        Filter::And(all) => each(fields, all, Vec::new()),
        Filter::Or(any) if any.is_empty() => Box::new(EmptyQuery),
        Filter::Or(any) => {
            Box::new(BooleanQuery::union(any.iter().map(|one| translated(fields, one)).collect()))
        }
        Filter::Not(_) => each(fields, std::slice::from_ref(filter), Vec::new()),
        Filter::Phrase(words) => {
            let mut terms: Vec<Term> =
                words.iter().map(|word| Term::from_field_text(fields.message, word)).collect();
            match terms.len() {
                0 => Box::new(EmptyQuery),
                1 => exactly(terms.swap_remove(0)),
                _ => Box::new(PhraseQuery::new(terms)),
            }
        }
        Filter::WordBegins(beginning) => begins(fields.message, beginning),
        Filter::Is(field, wanted) => is(fields, field, wanted),
    }
}

fn is(fields: &Fields, field: &Field, wanted: &Match) -> Box<dyn Query> {
    let (name, before) = place(fields, field);
    match wanted {
        Match::Exactly(value) => exactly(Term::from_field_text(name, &format!("{before}{value}"))),
        Match::Begins(beginning) => begins(name, &format!("{before}{beginning}")),
        // Every document has them.
        Match::Exists if matches!(field, Field::Cluster | Field::Uid | Field::Dataset) => Box::new(AllQuery),
        Match::Exists => begins(name, &before),
    }
}

/// Where a field's values are found, and what stands before them there.
pub(super) fn place(fields: &Fields, field: &Field) -> (tantivy::schema::Field, String) {
    match field {
        Field::Cluster => (fields.cluster, String::new()),
        Field::Uid => (fields.uid, String::new()),
        Field::Dataset => (fields.dataset, String::new()),
        Field::Facet(facet) => (fields.facet(*facet), String::new()),
        Field::Path(path) => (fields.terms, format!("{path}=")),
    }
}

fn exactly(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn begins(field: tantivy::schema::Field, beginning: &str) -> Box<dyn Query> {
    let from = Bound::Included(Term::from_field_text(field, beginning));
    let to = match after(beginning.as_bytes()) {
        Some(after) => {
            let mut term = Term::from_field_text(field, "");
            term.append_bytes(&after);
            Bound::Excluded(term)
        }
        None => Bound::Unbounded,
    };
    Box::new(InvertedIndexRangeQuery::new(from, to))
}

/// The first bytes after all that begin with these; none if nothing comes after.
pub(super) fn after(beginning: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = beginning.to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Some(bytes);
        }
    }
    None
}
