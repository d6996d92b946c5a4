//! What is written is there once: what is sent again, what begins again, and what is odd.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use trunkline_logs::{Day, Document, Field, Filter, Match, Order, Question};

use super::documents::{Agent, DAY};
use super::{Limits, Store, everything, unlimited};

fn count(store: &Store, scope: &[trunkline_proto::ClusterUid]) -> usize {
    store.all(&everything(scope), Order::Oldest, 1000).len()
}

#[test]
fn what_is_sent_again_is_there_once_across_midnight_and_restarts_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::new("prod", 0, "logs");
    let tomorrow = Day(DAY.0 + 1);
    let batch: Vec<Document> = (0..20)
        .map(|turn| {
            agent.say(if turn < 10 { DAY } else { tomorrow }, &json!({"message": format!("turn {turn}")}))
        })
        .collect();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    batch.iter().for_each(|document| store.take(document));
    // Again in the same chunk, behind the commit, on the next day, and in another process.
    batch.iter().for_each(|document| store.take(document));
    store.commit();
    store.today = tomorrow;
    batch.iter().for_each(|document| store.take(document));
    store.commit();
    let sequence = store.sequence;
    drop(store);
    let mut store = Store::open(folder.path(), unlimited(), Day(tomorrow.0 + 30));
    store.sequence = sequence;
    batch.iter().for_each(|document| store.take(document));
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), 20);
}

#[test]
fn what_has_an_id_of_its_own_is_there_once_a_day_whatever_its_sequence() {
    let folder = tempfile::tempdir().unwrap();
    // Each commit begins another part: the id is looked for in all parts of the day.
    let mut store = Store::open(folder.path(), Limits { bytes: 8, ..unlimited() }, DAY);
    let mut agent = Agent::new("prod", 0, "logs");
    let mut other = Agent::new("prod", 0, "logs");
    let text = json!({"message": "own"});
    for _ in 0..3 {
        for _ in 0..2 {
            store.take(&agent.say_as(DAY, Some("id-1"), &text));
            store.take(&agent.say_as(DAY, Some("id-2"), &text));
            store.take(&other.say_as(DAY, Some("id-1"), &text));
        }
        store.commit();
    }
    assert_eq!((count(&store, &[agent.uid]), count(&store, &[other.uid])), (2, 1));
    store.take(&agent.say_as(Day(DAY.0 + 1), Some("id-1"), &text));
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), 3);
}

#[test]
fn what_was_not_committed_is_taken_again_and_what_was_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(3);
    let mut agent = Agent::new("prod", 0, "logs");
    let all: Vec<Document> = (0..300).map(|_| agent.anything(&mut random)).collect();
    for begins in [0, 100, 200] {
        let mut store = Store::open(folder.path(), unlimited(), DAY);
        // The spool was never told that anything may go: it begins at its beginning each time.
        all[..begins + 50].iter().for_each(|document| store.take(document));
        store.commit();
        all[begins + 50..begins + 100].iter().for_each(|document| store.take(document));
        // Here the process ends.
    }
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    all.iter().for_each(|document| store.take(document));
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), all.len());
}

#[test]
fn an_index_that_was_committed_without_the_marks_is_not_written_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::new("prod", 0, "logs");
    let mut own = |turn: u32, day| {
        let id = format!("id-{}", turn % 7);
        agent.say_as(day, turn.is_multiple_of(2).then_some(&id), &json!({"message": "words"}))
    };
    let all: Vec<Document> = (0..40).map(|turn| own(turn, Day(DAY.0 + turn % 3))).collect();
    let uid = agent.uid;
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    all[..20].iter().for_each(|document| store.take(document));
    store.commit();
    let marks = std::fs::read(folder.path().join("marks.redb")).unwrap();
    all[20..].iter().for_each(|document| store.take(document));
    store.commit();
    let whole = count(&store, &[uid]);
    drop(store);
    // As if the process had ended between the indexes' commits and that of the marks, for one day and for all.
    std::fs::write(folder.path().join("marks.redb"), marks).unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    all.iter().for_each(|document| store.take(document));
    store.commit();
    assert_eq!(count(&store, &[uid]), whole);
}

#[test]
fn no_document_spoils_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    let mut agent = Agent::new("prod", 0, "logs");
    let long = "x".repeat(100_000);
    let odd = [
        json!({"message": long}),
        json!({"message": "word ".repeat(40_000)}),
        json!({"message": (0..50_000).map(|n| format!("{n:x} ")).collect::<String>().chars().take(200_000).collect::<String>()}),
        json!({"message": "\u{0}\u{1}\u{ffff}\u{10ffff}", "a\u{0}b": "\u{0}", "": "", "=": "="}),
        json!({"message": "", "level": long, "app": "x".repeat(253), "pod": "\u{0}"}),
        (0..900)
            .map(|n| (format!("{n}{}", "y".repeat(200)), json!(n)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        json!({"@timestamp": i64::MAX, "message": ["a", {"b": null}], "x": 1e308, "y": -0.0}),
        json!({"message": "İI ŉ ß ﬀ", "trunkline": {"terms": "no list"}, "cluster": 7}),
    ];
    let mut all = Vec::new();
    for document in odd.iter().chain([&json!({"message": "plain"})]) {
        let document = agent.say(DAY, document);
        store.take(&document);
        all.push(document);
    }
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), all.len());
    let filters = ["plain", "word", "i", "ß", "\u{0}"].map(|word| Filter::Phrase(vec![word.into()]));
    let fields = ["", "=", "a\u{0}b", "x"].map(|path| Filter::Is(Field::Path(path.into()), Match::Exists));
    let begins = ["xxx", "ffff", "i"].map(|word| Filter::WordBegins(word.into()));
    for filter in filters.into_iter().chain(fields).chain(begins) {
        let wanted = all.iter().filter(|document| filter.matches(document)).count();
        let question = Question { filter, ..everything(&[agent.uid]) };
        assert_eq!(store.all(&question, Order::Newest, 3).len(), wanted, "{question:?}");
    }
}

#[test]
fn a_damaged_part_is_left_as_it_is_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::new("prod", 0, "logs");
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    store.take(&agent.say(DAY, &json!({"message": "before"})));
    store.commit();
    let sequence = store.sequence;
    drop(store);
    let part = folder.path().join(crate::embedded::schema::format()).join(DAY.to_string());
    let damage = "{\"index_settings\":";
    std::fs::write(part.join("meta.json"), damage).unwrap();
    let mut store = Store::open(folder.path(), Limits { days: 1, ..unlimited() }, DAY);
    store.sequence = sequence;
    store.take(&agent.say(DAY, &json!({"message": "behind"})));
    store.commit();
    assert_eq!((count(&store, &[agent.uid]), store.parts.damaged().len()), (1, 1));
    assert_eq!(std::fs::read_to_string(part.join("meta.json")).unwrap(), damage);
    for later in 1..=3 {
        store.take(&agent.say(Day(DAY.0 + later), &json!({"message": "later"})));
    }
    store.commit();
    store.indexer.expire(Day(DAY.0 + 3)).unwrap();
    assert!(store.parts.damaged().is_empty() && !part.exists());
    assert_eq!(store.parts.days().first(), Some(&Day(DAY.0 + 2)));
}

#[test]
fn a_dead_letter_that_is_handed_in_twice_is_there_once_whatever_its_sequence_and_day() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    let mut agent = Agent::new("prod", 0, "dead_letters");
    let mut letters: Vec<Document> = (0..6).map(|_| agent.say(DAY, &json!({"message": "refused"}))).collect();
    // First those that were made while the batch was unpacked, then those of what the store refused.
    letters.sort_by_key(|letter| letter.stamp.sequence % 2);
    let again = |letters: &[Document], day: Day| -> Vec<Document> {
        letters
            .iter()
            .cloned()
            .map(|mut letter| {
                letter.stamp.day = day;
                letter
            })
            .collect()
    };
    for batch in [&letters[..4], &letters, &again(&letters, Day(DAY.0 + 1))] {
        batch.iter().for_each(|letter| store.take(letter));
    }
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), 6);
    let sequence = store.sequence;
    drop(store);
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    store.sequence = sequence;
    again(&letters, Day(DAY.0 + 1)).iter().for_each(|letter| store.take(letter));
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), 6);
}

#[test]
fn however_days_are_mixed_each_is_opened_once_a_commit_and_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let mut agent = Agent::new("prod", 0, "logs");
    let all: Vec<Document> = (0..3_000)
        .map(|turn| agent.say(Day(DAY.0 - turn % 15), &json!({"message": format!("turn {turn}")})))
        .collect();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    for (commit, some) in all.chunks(1_500).enumerate() {
        some.iter().for_each(|document| store.take(document));
        store.commit();
        assert!(store.indexer.opened <= 15 * (commit as u64 + 1), "{}", store.indexer.opened);
    }
    assert_eq!((count(&store, &[agent.uid]), store.parts.days().len()), (3_000, 15));
    drop(store);
    // The marks are lost with the commit: what the indexes say of their days is true of each.
    std::fs::remove_file(folder.path().join("marks.redb")).unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    all.iter().for_each(|document| store.take(document));
    store.commit();
    assert_eq!(count(&store, &[agent.uid]), 3_000);
    // What waits is bounded in bytes, not by the time of the next commit alone.
    let long = "x".repeat(100_000);
    for turn in 0..200 {
        store.take(&agent.say(Day(DAY.0 - turn % 15), &json!({"message": long})));
    }
    assert!(store.indexer.is_full());
    store.commit();
    assert!(!store.indexer.is_full());
    assert_eq!(count(&store, &[agent.uid]), 3_200);
}
