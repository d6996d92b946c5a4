//! What a real store finds and counts is what [`Filter::matches`](trunkline_logs::Filter::matches) says, and its words are what [`words`] says.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trunkline_logs::{Document, Field, MAX_WORD_LETTERS, Order, words};

use crate::made::{Made, NOON};
use crate::prove;
use crate::real::{Real, everything, one_after_the_other, place, wanted};
use crate::writing::clusters;

fn said(document: &Document, field: &Field) -> Vec<String> {
    match field {
        Field::Cluster => vec![document.stamp.cluster.to_string()],
        Field::Uid => vec![document.stamp.uid.to_string()],
        Field::Dataset => vec![document.stamp.dataset.to_string()],
        Field::Facet(facet) => document.facets.get(*facet).map(str::to_owned).into_iter().collect(),
        Field::Path(path) => {
            let before = format!("{path}=");
            document.terms.iter().filter_map(|term| term.strip_prefix(&before).map(str::to_owned)).collect()
        }
    }
}

/// The values of a field, the most frequent first.
fn counted(found: &[&Document], field: &Field) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    found
        .iter()
        .flat_map(|document| said(document, field))
        .for_each(|value| *counts.entry(value).or_default() += 1);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    counts
}

#[tokio::test]
async fn t22_a_real_store_finds_and_counts_what_the_filter_means() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    let clusters = clusters(&["eu", "prod-eu", "test"]);
    let mut made = Made::seeded(7);
    let documents: Vec<Document> = (0..3000).map(|_| made.document(&clusters)).collect();
    real.put(&store, &documents).await;
    let count = prove::count(150, 2000);
    let (mut some, mut found_in_all) = (0, 0);
    for round in 0..count.times {
        let field = made.field();
        let mut question = everything(&clusters[..2]);
        question.filter = made.filter(3);
        if round % 2 == 0 {
            (question.from, question.to) = (NOON - 2_400_000, NOON - 600_000);
        }
        let wanted = wanted(&question, &documents);
        some += usize::from(!wanted.is_empty());
        found_in_all += wanted.len();

        let order = if round % 3 == 0 { Order::Oldest } else { Order::Newest };
        let limit = [1000, 200, 77][round % 3];
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let hits = store.find(&question, order, after, limit).await.unwrap();
            assert!(hits.partial.is_none() && hits.hits.len() <= limit);
            found.extend(hits.hits);
            after = hits.next;
            if after.is_none() {
                break;
            }
        }
        if order == Order::Newest {
            found.reverse();
        }
        assert_eq!(found.len(), wanted.len(), "{}", question.filter);
        for (hit, document) in found.iter().zip(&wanted) {
            assert_eq!(hit.at, place(document), "{}", question.filter);
            let source: Value = serde_json::from_str(&document.source).unwrap();
            assert_eq!(Value::Object(hit.source.clone()), source);
        }

        let top = store.top(&question, &field, 5).await.unwrap();
        let mut counts = counted(&wanted, &field);
        let with = wanted.iter().filter(|document| !said(document, &field).is_empty()).count();
        let best: Vec<_> = counts.iter().take(10).map(|(value, _)| value.clone()).collect();
        counts.truncate(5);
        assert_eq!((top.with, top.values), (with as u64, counts), "{field} of {}", question.filter);

        let slices = 1 + usize::try_from(made.number(200)).unwrap();
        let histogram = store.histogram(&question, slices, Some(&field)).await.unwrap();
        assert!(histogram.len() <= slices);
        for (at, slice) in histogram.iter().enumerate() {
            let ends = histogram.get(at + 1).map_or(question.to, |next| next.begins);
            let inside: Vec<&Document> = wanted
                .iter()
                .filter(|document| (slice.begins..ends).contains(&document.time))
                .copied()
                .collect();
            let inside_by = counted(&inside, &field);
            let by: Vec<_> = best
                .iter()
                .filter_map(|one| inside_by.iter().find(|(value, _)| value == one))
                .cloned()
                .collect();
            assert_eq!(
                (slice.count, &slice.by),
                (inside.len() as u64, &by),
                "{field} of {}",
                question.filter
            );
        }
        assert_eq!(histogram.iter().map(|slice| slice.count).sum::<u64>(), wanted.len() as u64);
    }
    assert!(some * 3 > count.times, "{some} of {count} found anything");
    println!("{count} questions, {found_in_all} documents found, {some} found any");
}

#[tokio::test]
async fn a_word_in_a_real_store_is_a_word_of_ours() {
    let _turn = one_after_the_other().await;
    let Some(real) = Real::empty().await else { return };
    let store = real.store();
    store.prepare().await.unwrap();
    assert_eq!(real.ask("PUT", "/trunkline-logs.logs.2026-11-27", Value::Null).await.0, 200);
    let cut = async |text: String| -> Vec<String> {
        let body = json!({ "analyzer": "trunkline_words", "text": text });
        let (status, answer) = real.ask("POST", "/trunkline-logs.logs.2026-11-27/_analyze", body).await;
        assert_eq!(status, 200, "{answer}");
        let tokens = answer["tokens"].as_array().unwrap();
        let places: Vec<_> = tokens.iter().map(|token| token["position"].as_u64().unwrap()).collect();
        assert!(places.iter().enumerate().all(|(at, place)| at as u64 == *place), "a gap in {text:?}");
        tokens.iter().map(|token| token["token"].as_str().unwrap().to_owned()).collect()
    };
    for text in [
        "",
        "GET /api/v1?x=ÄB-2 \u{1b}[31m",
        "ΟΔΟΣ İSTANBUL ß ẞ ŉ ǅ ﬁ",
        "日本語テキスト",
        "e\u{301}a x_y",
        "🦀 a🦀b",
        "ⅣⅤ ①② ½ ٣",
    ] {
        assert_eq!(cut(text.to_owned()).await, words(text).collect::<Vec<_>>(), "{text:?}");
    }
    for letter in ["x", "Ä", "日", "𝒜"] {
        for many in [MAX_WORD_LETTERS - 1, MAX_WORD_LETTERS, MAX_WORD_LETTERS + 1, 500] {
            let text = format!("a {} b", letter.repeat(many));
            assert_eq!(cut(text.clone()).await, words(&text).collect::<Vec<_>>(), "{many} of {letter}");
        }
    }
    // Every letter there is, each within a word. One that this Java does not know yet is cut in another way, and none else.
    let mut others = 0;
    for begins in (0..0x32000_u32).step_by(0x800) {
        let letters: Vec<char> = (begins..begins + 0x800).filter_map(char::from_u32).collect();
        let text: String = letters.iter().flat_map(|letter| ['x', *letter, 'x', ' ']).collect();
        let is_same = cut(text.clone()).await == words(&text).collect::<Vec<_>>();
        others += usize::from(!is_same);
        // Greek, Cyrillic, Thai, Georgian, Ethiopic, kana, ideographs, Hangul: in use, and known for long.
        let is_known =
            matches!(begins, 0x3000..=0x9000 | 0xac00..=0xd000 | 0xf000..=0xffff | 0x20000..=0x29fff);
        assert!(is_same || !is_known, "{begins:x}");
    }
    for letters in [
        '\u{20}'..='\u{362}',
        '\u{370}'..='\u{86f}',
        '\u{8d0}'..='\u{c03}',
        '\u{d00}'..='\u{f81}',
        '\u{1e00}'..='\u{2c2e}',
    ] {
        let text: String = letters.flat_map(|letter| ['x', letter, 'x', ' ']).collect();
        assert_eq!(cut(text.clone()).await, words(&text).collect::<Vec<_>>());
    }
    assert!(others < 40, "{others} of 100 pages have letters that are cut in another way");
}
