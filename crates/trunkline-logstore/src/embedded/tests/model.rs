//! Searches against a model: all documents in a list, and [`Filter::matches`] over each.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::{IndexedMutRandom as _, IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use trunkline_logs::{Cursor, Document, Field, Order, Question, Scope, Slice, Top};
use trunkline_proto::ClusterUid;

use super::documents::{Agent, DAY, field, filter};
use super::{Limits, Store, unlimited};

fn wanted<'a>(all: &'a [Document], question: &Question) -> Vec<&'a Document> {
    let is = |document: &&Document| {
        question.scope.0.contains(&document.stamp.uid)
            && (question.from..question.to).contains(&document.time)
            && question.filter.matches(document)
    };
    all.iter().filter(is).collect()
}

fn at(document: &Document) -> Cursor {
    Cursor { time: document.time, id: document.id }
}

/// What a document says of a field.
fn values<'a>(document: &'a Document, field: &Field) -> Vec<&'a str> {
    match field {
        Field::Cluster => vec![document.stamp.cluster.as_str()],
        // No test counts by it.
        Field::Uid => Vec::new(),
        Field::Dataset => vec![document.stamp.dataset.as_str()],
        Field::Facet(facet) => document.facets.get(*facet).into_iter().collect(),
        Field::Path(path) => {
            let said = document.terms.iter();
            said.filter_map(|term| term.strip_prefix(path.as_str())?.strip_prefix('=')).collect()
        }
    }
}

fn top(wanted: &[&Document], field: &Field, n: usize) -> Top {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut with = 0;
    for document in wanted {
        let values = values(document, field);
        with += u64::from(!values.is_empty());
        values.into_iter().for_each(|value| *counts.entry(value).or_default() += 1);
    }
    let mut values: Vec<_> = counts.into_iter().map(|(value, count)| (value.to_owned(), count)).collect();
    // A stable sort of what is in the order of the values.
    values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    values.truncate(n);
    Top { field: field.clone(), values, with }
}

fn histogram(wanted: &[&Document], question: &Question, slices: u64, by: Option<&Field>) -> Vec<Slice> {
    let length = question.to.abs_diff(question.from);
    let width = length.div_ceil(slices).max(1);
    let best: Vec<String> = by
        .map(|field| top(wanted, field, 10))
        .map_or(Vec::new(), |top| top.values.into_iter().map(|(value, _)| value).collect());
    let slice = |at: u64| {
        let begins = question.from + (at * width) as i64;
        let these: Vec<_> =
            wanted.iter().filter(|one| (begins..begins + width as i64).contains(&one.time)).collect();
        let count_of = |value: &String| {
            these
                .iter()
                .filter(|one| by.is_some_and(|field| values(one, field).contains(&value.as_str())))
                .count() as u64
        };
        let by = best.iter().map(|value| (value.clone(), count_of(value))).filter(|(_, count)| *count > 0);
        Slice { begins, count: these.len() as u64, by: by.collect() }
    };
    (0..length.div_ceil(width)).map(slice).collect()
}

fn check(store: &Store, all: &[Document], question: &Question, random: &mut StdRng) {
    let mut wanted = wanted(all, question);
    wanted.sort_by_key(|document| at(document));
    // At most some pages.
    let limit = (*[1, 3, 20, 1000].choose(random).unwrap()).max(wanted.len() / 8);
    let found: Vec<Cursor> = store.all(question, Order::Oldest, limit);
    let expected: Vec<Cursor> = wanted.iter().map(|document| at(document)).collect();
    assert_eq!(found, expected, "{question:?}, the oldest first");
    let mut newest = store.all(question, Order::Newest, limit);
    newest.reverse();
    assert_eq!(newest, expected, "{question:?}, the newest first");
    // From anywhere, whether it is a document's place or not.
    let after = all.choose(random).map(at);
    let beyond: Vec<Cursor> = expected.iter().copied().filter(|one| Some(*one) > after).take(limit).collect();
    let page = store.find(question, Order::Oldest, after, limit);
    assert_eq!(
        page.hits.iter().map(|hit| hit.at).collect::<Vec<_>>(),
        beyond,
        "{question:?} after {after:?}"
    );
    for hit in &page.hits {
        let document = all.iter().find(|document| document.id == hit.at.id).unwrap();
        assert_eq!(
            serde_json::to_value(&hit.source).unwrap(),
            serde_json::from_str::<serde_json::Value>(&document.source).unwrap()
        );
    }
    let by = field(random);
    assert_eq!(store.top(question, &by, 3), top(&wanted, &by, 3), "{question:?}, top {by}");
    let slices = random.random_range(1..200);
    let by = random.random_bool(0.7).then_some(by);
    assert_eq!(
        store.histogram(question, slices, by.as_ref()),
        histogram(&wanted, question, slices as u64, by.as_ref()),
        "{question:?}, {slices} slices by {by:?}"
    );
}

#[test]
fn every_search_finds_and_counts_what_the_model_does() {
    let full = std::env::var("TRUNKLINE_PROVE").is_ok_and(|prove| prove == "1");
    let (rounds, questions) = if full { (20, 500) } else { (3, 40) };
    for round in 0..rounds {
        let mut random = StdRng::seed_from_u64(round);
        // Two clusters of one name, as after a new registration, and a third one.
        let mut agents =
            [Agent::new("prod", 0, "logs"), Agent::new("prod", 0, "audit"), Agent::new("test", 1, "logs")];
        let folder = tempfile::tempdir().unwrap();
        // In every other round each commit begins another part of its day.
        let limits = if round % 2 == 0 { unlimited() } else { Limits { bytes: 8, ..unlimited() } };
        let mut store = Store::open(folder.path(), limits, DAY);
        let mut all = Vec::new();
        let count = if full { random.random_range(1_000..4_000) } else { random.random_range(500..1_500) };
        for _ in 0..count {
            all.push(agents.choose_mut(&mut random).unwrap().anything(&mut random));
        }
        if round % 3 == 0 {
            // As they come: most of them in the order of their times.
            all.sort_by_cached_key(|document| document.time + random.random_range(0..1_000_000));
            let mut renumbered: BTreeMap<ClusterUid, u64> = BTreeMap::new();
            for document in &mut all {
                let last = renumbered.entry(document.stamp.uid).or_default();
                *last += 1;
                document.stamp.sequence = *last;
            }
        }
        for document in &all {
            store.take(document);
            if random.random_bool(5.0 / f64::from(count)) {
                store.commit();
            }
        }
        store.commit();
        let uids: Vec<ClusterUid> = agents.iter().map(|agent| agent.uid).collect();
        for _ in 0..questions {
            let mut scope = uids.clone();
            scope.shuffle(&mut random);
            scope.truncate(random.random_range(0..=3));
            let from = DAY.begins() - random.random_range(0..12 * 86_400_000);
            let to = from + random.random_range(0..5 * 86_400_000);
            let filter = filter(&mut random, 3);
            check(&store, &all, &Question { scope: Scope(scope), filter, from, to }, &mut random);
        }
    }
}
