//! Two clusters that are alike in everything but their uid: nothing of one is found, counted or named for the other.

use serde_json::json;
use trunkline_logs::{Facet, Field, Filter, Match, Order, Question, Scope};

use super::documents::{Agent, DAY};
use super::{Store, everything, unlimited};

#[test]
fn nothing_of_another_cluster_is_found_counted_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    let (mut ours, mut theirs) = (Agent::new("prod", 0, "logs"), Agent::new("prod", 0, "logs"));
    for turn in 0..50 {
        store.take(&ours.say(DAY, &json!({"message": "same words", "app": "web", "user": "u1"})));
        let secret = json!({
            "message": "same words secret", "app": "hidden", "level": "hidden", "user": "hidden",
            // What a cluster says of itself makes it no other.
            "cluster": {"uid": ours.uid, "id": "prod"}, "uid": ours.uid, "turn": turn,
        });
        store.take(&theirs.say(DAY, &secret));
    }
    store.commit();
    let fields =
        ["cluster", "dataset", "level", "app", "user", "uid", "cluster.uid", "turn"].map(Field::named);
    let hidden = "hidden".to_owned();
    let filters = [
        Filter::All,
        Filter::Not(Box::new(Filter::Phrase(vec!["nothing".into()]))),
        Filter::Or(vec![Filter::All, Filter::Phrase(vec!["secret".into()])]),
        Filter::Is(Field::Cluster, Match::Exactly("prod".into())),
        Filter::Is(Field::Cluster, Match::Exists),
        Filter::Or(vec![
            Filter::Is(Field::Facet(Facet::App), Match::Exactly(hidden.clone())),
            Filter::Is(Field::Facet(Facet::App), Match::Exists),
        ]),
    ];
    for filter in filters {
        let question = Question { filter, ..everything(&[ours.uid]) };
        let hits = store.find(&question, Order::Newest, None, 1000);
        assert_eq!(hits.hits.len(), 50, "{question:?}");
        assert!(hits.hits.iter().all(|hit| hit.source["cluster"]["uid"] == ours.uid.to_string()));
        assert_eq!(store.histogram(&question, 1, None)[0].count, 50);
        for field in &fields {
            let top = store.top(&question, field, 50);
            let slices = store.histogram(&question, 10, Some(field));
            let named = top.values.iter().chain(slices.iter().flat_map(|slice| &slice.by));
            for (value, count) in named {
                assert!(*value != hidden && *count <= 50, "{field}: {value} {count}");
            }
            assert!(top.with <= 50 && (field.name() != "turn" || top.values.is_empty()), "{field}: {top:?}");
        }
    }
    let secret = Question { filter: Filter::Phrase(vec!["secret".into()]), ..everything(&[ours.uid]) };
    assert!(store.find(&secret, Order::Oldest, None, 10).hits.is_empty());
    assert_eq!(store.top(&secret, &Field::Cluster, 10).values, []);
}

#[test]
fn an_empty_scope_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    let mut agent = Agent::new("prod", 0, "logs");
    store.take(&agent.say(DAY, &json!({"message": "words", "app": "web"})));
    store.commit();
    let question = Question { scope: Scope::default(), ..everything(&[]) };
    assert!(store.find(&question, Order::Newest, None, 10).hits.is_empty());
    assert!(
        store
            .histogram(&question, 3, Some(&Field::Dataset))
            .iter()
            .all(|slice| slice.count == 0 && slice.by.is_empty())
    );
    let top = store.top(&question, &Field::Cluster, 10);
    assert_eq!((top.values, top.with), (Vec::new(), 0));
}
