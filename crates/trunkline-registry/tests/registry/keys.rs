//! Join tokens and pinned keys: who is let in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use trunkline_api::Lock;
use trunkline_proto::{EnrolReason, Slot};
use trunkline_registry::Registry;

use crate::note;
use crate::{AWAY, LIFE, at, certificate, id, pin, register, uid};

/// The reason why a key is not let in.
async fn no(registry: &Registry, name: &str, token: Option<&str>, key: u64, now: i64) -> EnrolReason {
    registry.redeem(&id(name), token, &pin(key), at(now), AWAY).await.unwrap_err().reason()
}

#[tokio::test]
async fn a_token_lets_in_one_key_which_then_needs_none() {
    let registry = Registry::in_memory().unwrap();
    let (_, token) = register(&registry, "a").await;
    let token = Some(token.reveal());
    assert_eq!(no(&registry, "a", None, 1, 1).await, EnrolReason::KeyUnknown);
    let record = registry.redeem(&id("a"), token, &pin(1), at(2), AWAY).await.unwrap();
    let (key, join) = (record.key.as_ref().unwrap(), record.join.as_ref().unwrap());
    assert_eq!((key.pin.clone(), key.since, &key.token), (pin(1), at(2), &join.hash));
    assert_eq!(join.used.as_ref().map(|used| (used.when, used.key.clone())), Some((at(2), pin(1))));
    for token in [token, None, Some("tlj_no")] {
        assert_eq!(registry.redeem(&id("a"), token, &pin(1), at(9), AWAY).await.unwrap(), record);
    }
    assert_eq!(no(&registry, "a", token, 2, 3).await, EnrolReason::TokenUsed);
    assert_eq!(no(&registry, "a", None, 2, 3).await, EnrolReason::KeyUnknown);
    assert_eq!(registry.get(&id("a")).unwrap(), record);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_cluster_and_time_only() {
    let registry = Registry::in_memory().unwrap();
    let (_, token) = register(&registry, "a").await;
    let (_, other) = register(&registry, "b").await;
    let unknown = format!("tlj_{}", "A".repeat(43));
    assert_eq!(no(&registry, "c", Some(token.reveal()), 1, 1).await, EnrolReason::ClusterUnknown);
    assert_eq!(no(&registry, "a", Some(other.reveal()), 1, 1).await, EnrolReason::TokenForOtherCluster);
    for text in ["", "tlj_", "hello", &unknown, &"t".repeat(70_000)] {
        assert_eq!(no(&registry, "a", Some(text), 1, 1).await, EnrolReason::TokenUnknown);
    }
    let life = LIFE.as_secs() as i64;
    assert_eq!(no(&registry, "a", Some(token.reveal()), 1, life).await, EnrolReason::TokenExpired);
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(life - 1), AWAY).await.unwrap();
    assert_eq!(no(&registry, "a", Some(token.reveal()), 2, life).await, EnrolReason::TokenUsed);
    registry.remove(&id("b")).await.unwrap();
    register(&registry, "b").await;
    assert_eq!(no(&registry, "b", Some(other.reveal()), 1, 1).await, EnrolReason::TokenUnknown);
}

#[tokio::test]
async fn a_new_token_ends_the_one_before_and_another_key_with_it_locks_out_the_old() {
    let registry = Registry::in_memory().unwrap();
    let (record, first) = register(&registry, "a").await;
    let (_, second) = registry.renew_token(&id("a"), "ben", at(1), LIFE).await.unwrap();
    assert_eq!(no(&registry, "a", Some(first.reveal()), 1, 2).await, EnrolReason::TokenUnknown);
    registry.redeem(&id("a"), Some(second.reveal()), &pin(1), at(3), AWAY).await.unwrap();
    note(&registry, &id("a"), uid(&record), Slot(0), certificate(10, at(3))).await.unwrap();

    let (_, third) = registry.renew_token(&id("a"), "ben", at(4), LIFE).await.unwrap();
    registry.redeem(&id("a"), None, &pin(1), at(5), AWAY).await.unwrap();
    assert_eq!(no(&registry, "a", Some(second.reveal()), 2, 6).await, EnrolReason::TokenUsed);
    let record = registry.redeem(&id("a"), Some(third.reveal()), &pin(2), at(7), AWAY).await.unwrap();
    assert_eq!(record.key.as_ref().unwrap().pin, pin(2));
    assert!(record.slots.is_empty(), "the old key's certificates are no longer the newest");
    assert_eq!(no(&registry, "a", None, 1, 8).await, EnrolReason::KeyUnknown);
    assert_eq!(no(&registry, "a", Some(third.reveal()), 1, 8).await, EnrolReason::TokenUsed);
}

#[tokio::test]
async fn an_agent_that_was_away_comes_back_by_its_key_within_the_bound_and_by_a_token_beyond_it() {
    let registry = Registry::in_memory().unwrap();
    let (record, first) = register(&registry, "a").await;
    let uid = uid(&record);
    let away = Duration::from_secs(1_000);
    let come = async |token: Option<&str>, now: i64| {
        registry.redeem(&id("a"), token, &pin(1), at(now), away).await.map_err(|error| error.reason())
    };
    come(Some(first.reveal()), 0).await.unwrap();
    come(None, 1_000).await.unwrap();
    assert_eq!(come(None, 1_001).await.unwrap_err(), EnrolReason::AwayTooLong);
    note(&registry, &id("a"), uid, Slot(3), certificate(10, at(500))).await.unwrap();
    come(None, 1_500).await.unwrap();
    assert_eq!(come(None, 1_501).await.unwrap_err(), EnrolReason::AwayTooLong);
    registry.note_seen(&id("a"), uid, at(900)).await.unwrap();
    come(None, 1_900).await.unwrap();
    // The token it joined with still lies in its Secret.
    assert_eq!(come(Some(first.reveal()), 1_901).await.unwrap_err(), EnrolReason::AwayTooLong);
    let (_, second) = registry.renew_token(&id("a"), "ada", at(2_000), LIFE).await.unwrap();
    let back = come(Some(second.reveal()), 2_001).await.unwrap();
    assert_eq!((back.slots.len(), back.join.as_ref().unwrap().used.is_some()), (1, true));
    come(None, 3_001).await.unwrap();
}

#[tokio::test]
async fn nobody_is_let_in_for_a_locked_cluster() {
    let registry = Registry::in_memory().unwrap();
    let (_, token) = register(&registry, "a").await;
    let lock = Lock { by: "ben".into(), since: at(1), reason: "theft".into() };
    registry.lock(&id("a"), lock.clone()).await.unwrap();
    let error = registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap_err();
    assert_eq!(error.reason(), EnrolReason::ClusterLocked);
    assert!(error.to_string().contains("ben: theft"), "{error}");
    registry.unlock(&id("a")).await.unwrap();
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    registry.lock(&id("a"), lock).await.unwrap();
    assert_eq!(no(&registry, "a", None, 1, 2).await, EnrolReason::ClusterLocked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t11_of_a_thousand_keys_that_bring_one_token_at_once_one_is_let_in() {
    const KEYS: u64 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(&folder.path().join("registry.redb")).unwrap();
    for run in 0..10 {
        let name = id(&format!("run-{run}"));
        let (_, token) = register(&registry, name.as_str()).await;
        let (token, start) = (Arc::new(token), Arc::new(Barrier::new(KEYS as usize)));
        let mut all = JoinSet::new();
        for key in 0..KEYS {
            let (registry, name, token, start) =
                (registry.clone(), name.clone(), token.clone(), start.clone());
            all.spawn(async move {
                start.wait().await;
                let outcome = registry.redeem(&name, Some(token.reveal()), &pin(key), at(1), AWAY).await;
                (key, outcome.map_err(|error| error.reason()))
            });
        }
        let all = all.join_all().await;
        let winners: Vec<u64> =
            all.iter().filter(|(_, outcome)| outcome.is_ok()).map(|(key, _)| *key).collect();
        assert_eq!(winners.len(), 1, "run {run}: {winners:?}");
        let record = registry.get(&name).unwrap();
        assert_eq!(record.key.as_ref().unwrap().pin, pin(winners[0]));
        for (key, outcome) in all.iter().filter(|(_, outcome)| outcome.is_err()) {
            assert_eq!(outcome.as_ref().unwrap_err(), &EnrolReason::TokenUsed, "key {key}");
        }
    }
}

#[tokio::test]
async fn a_key_that_was_replaced_gets_no_certificate_any_more() {
    let registry = Registry::in_memory().unwrap();
    let (record, token) = register(&registry, "a").await;
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    registry.note_slot(&id("a"), uid(&record), Slot(0), certificate(10, at(2)), &pin(1)).await.unwrap();
    let (_, token) = registry.renew_token(&id("a"), "ada", at(3), LIFE).await.unwrap();
    registry.redeem(&id("a"), Some(token.reveal()), &pin(2), at(4), AWAY).await.unwrap();
    let late = registry.note_slot(&id("a"), uid(&record), Slot(0), certificate(11, at(5)), &pin(1)).await;
    assert!(matches!(late, Err(trunkline_registry::RegistryError::KeyReplaced(_))), "{late:?}");
    assert!(registry.get(&id("a")).unwrap().slots.is_empty());
}
