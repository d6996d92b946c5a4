//! Registering, changing, locking and removing.

use std::collections::BTreeMap;
use std::time::Duration;

use trunkline_api::{
    ClusterPatch, Lock, ManifestOptions, ManifestPatch, NewCluster, ProblemReason, Protection,
};
use trunkline_proto::{MAX_SLOTS, Slot};
use trunkline_registry::{
    MAX_BY, MAX_DESCRIPTION, MAX_DISPLAY_NAME, MAX_ENVIRONMENT, MAX_GROUPS, MAX_LABELS, MAX_REASON, Registry,
    RegistryError,
};

use crate::note;
use crate::{AWAY, LIFE, at, certificate, id, new, pin, register, uid};

fn lock(reason: &str) -> Lock {
    Lock { by: "ada".into(), since: at(1), reason: reason.into() }
}

#[tokio::test]
async fn a_registered_cluster_is_there_with_all_that_was_said_of_it() {
    let registry = Registry::in_memory().unwrap();
    let wanted = new("prod-eu");
    let (record, token) = registry.register(&wanted, "ada", at(0), LIFE).await.unwrap();
    assert_eq!(record.metadata.name, wanted.name);
    assert_eq!(record.metadata.labels, wanted.labels);
    assert_eq!((record.metadata.created, record.metadata.created_by.as_str()), (Some(at(0)), "ada"));
    assert_eq!(record.metadata.revision, 1);
    assert_eq!(record.spec.display_name, "PROD-EU");
    assert_eq!(record.join.as_ref().unwrap().expires, at(30 * 60));
    assert_eq!(registry.get(&id("prod-eu")), Some(record.clone()));
    assert_eq!(registry.list(), std::slice::from_ref(&record));
    assert!(!serde_json::to_string(&*record).unwrap().contains(&token.reveal()[4..]), "the token is kept");
}

#[tokio::test]
async fn clusters_are_listed_by_name() {
    let registry = Registry::in_memory().unwrap();
    for name in ["b", "c", "a", "a-2"] {
        register(&registry, name).await;
    }
    let names: Vec<_> = registry.list().iter().map(|record| record.metadata.name.to_string()).collect();
    assert_eq!(names, ["a", "a-2", "b", "c"]);
}

#[tokio::test]
async fn management_is_nobodys() {
    let registry = Registry::in_memory().unwrap();
    let management = id("management");
    let mut errors = vec![registry.register(&new("management"), "ada", at(0), LIFE).await.unwrap_err()];
    errors.push(registry.renew_token(&management, "ada", at(0), LIFE).await.unwrap_err());
    errors.push(registry.edit(&management, &ClusterPatch::default(), "ada").await.unwrap_err());
    errors.push(registry.lock(&management, lock("")).await.unwrap_err());
    errors.push(registry.unlock(&management).await.unwrap_err());
    errors.push(registry.remove(&management).await.unwrap_err());
    for error in errors {
        assert_eq!(error.reason(), ProblemReason::Reserved, "{error}");
    }
    assert!(registry.list().is_empty());
}

#[tokio::test]
async fn a_taken_name_comes_with_one_that_is_free() {
    let registry = Registry::in_memory().unwrap();
    let long = "a".repeat(63);
    for name in ["prod-eu", "prod-us-7", "x-2", "x-3", &long] {
        register(&registry, name).await;
    }
    let cases = [
        ("prod-eu", "prod-eu-2"),
        ("prod-us-7", "prod-us-8"),
        ("x-2", "x-4"),
        (&long, &format!("{}-2", &long[2..])),
    ];
    for (name, expected) in cases {
        match registry.register(&new(name), "ada", at(0), LIFE).await {
            Err(RegistryError::Exists { name: taken, free }) => {
                assert_eq!((taken.as_str(), free.as_str()), (name, expected));
                register(&registry, free.as_str()).await;
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_too_long_or_unprintable_is_refused_and_what_just_fits_is_kept() {
    let registry = Registry::in_memory().unwrap();
    let labels = |n: usize| (0..n).map(|i| (format!("l{i}"), "v".to_owned())).collect::<BTreeMap<_, _>>();
    let mut fits = new("fits");
    fits.display_name = "d".repeat(MAX_DISPLAY_NAME);
    fits.description = "d".repeat(MAX_DESCRIPTION);
    fits.environment = "e".repeat(MAX_ENVIRONMENT);
    fits.labels = labels(MAX_LABELS);
    fits.manifest.groups = vec!["g".repeat(256); MAX_GROUPS];
    registry.register(&fits, &"b".repeat(MAX_BY), at(0), LIFE).await.unwrap();

    let wrong = |change: fn(&mut NewCluster)| {
        let mut wrong = new("wrong");
        change(&mut wrong);
        wrong
    };
    let mut cases = vec![
        wrong(|new| new.display_name = "d".repeat(MAX_DISPLAY_NAME + 1)),
        wrong(|new| new.description = "d".repeat(MAX_DESCRIPTION + 1)),
        wrong(|new| new.environment = "e".repeat(MAX_ENVIRONMENT + 1)),
        wrong(|new| new.display_name = "a\u{1b}[31mb".into()),
        wrong(|new| new.description = "a\0b".into()),
        wrong(|new| new.description = "a\u{202e}b".into()),
        wrong(|new| new.environment = "a\nb".into()),
        wrong(|new| drop(new.labels.insert("-no".into(), "v".into()))),
        wrong(|new| drop(new.labels.insert("k".into(), "v w".into()))),
        wrong(|new| new.manifest.groups = vec!["g".into(); MAX_GROUPS + 1]),
        wrong(|new| new.manifest.groups = vec![String::new()]),
        wrong(|new| new.manifest.groups = vec!["g".repeat(257)]),
        wrong(|new| new.manifest.image = Some("i".repeat(513))),
        wrong(|new| new.manifest.storage_class = Some("s\u{7f}".into())),
    ];
    let mut many = new("wrong");
    many.labels = labels(MAX_LABELS + 1);
    cases.push(many);
    for wrong in cases {
        let error = registry.register(&wrong, "ada", at(0), LIFE).await.unwrap_err();
        assert_eq!(error.reason(), ProblemReason::Invalid, "{error}");
    }
    for by in ["b".repeat(MAX_BY + 1), "a\rb".into()] {
        let error = registry.register(&new("wrong"), &by, at(0), LIFE).await.unwrap_err();
        assert_eq!(error.reason(), ProblemReason::Invalid, "{error}");
    }
    let forever = registry.register(&new("wrong"), "ada", at(0), Duration::MAX).await.unwrap_err();
    assert_eq!(forever.reason(), ProblemReason::Invalid, "{forever}");
    let reason = lock(&"r".repeat(MAX_REASON + 1));
    assert_eq!(registry.lock(&id("fits"), reason).await.unwrap_err().reason(), ProblemReason::Invalid);
    assert_eq!(registry.list().len(), 1);
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_the_revision_tells_of_it() {
    let registry = Registry::in_memory().unwrap();
    let (before, _) = register(&registry, "a").await;
    let patch = ClusterPatch {
        revision: Some(1),
        labels: [("env".into(), None), ("tier".into(), Some("gold".into()))].into(),
        display_name: Some("Anna".into()),
        protection: Some(Protection::Confirm),
        ..ClusterPatch::default()
    };
    let after = registry.edit(&id("a"), &patch, "ben").await.unwrap();
    assert_eq!(after.metadata.labels, [("tier".to_owned(), "gold".to_owned())].into());
    assert_eq!((after.spec.display_name.as_str(), after.spec.protection), ("Anna", Protection::Confirm));
    assert_eq!(
        (after.spec.description.clone(), after.metadata.uid),
        (before.spec.description.clone(), before.metadata.uid)
    );
    assert_eq!(after.metadata.revision, 2);

    let again = ClusterPatch { revision: None, ..patch.clone() };
    assert_eq!(registry.edit(&id("a"), &again, "ben").await.unwrap().metadata.revision, 2, "nothing changed");
    let stale = registry.edit(&id("a"), &patch, "ben").await.unwrap_err();
    assert!(matches!(stale, RegistryError::Conflict { given: 1, newest: 2, .. }), "{stale}");
    assert!(stale.to_string().contains('1') && stale.to_string().contains('2'), "{stale}");
    assert_eq!(registry.get(&id("a")).unwrap(), after);
}

#[tokio::test]
async fn edits_cannot_heap_up_labels() {
    let registry = Registry::in_memory().unwrap();
    register(&registry, "a").await;
    let add = |from: usize, to: usize| ClusterPatch {
        labels: (from..to).map(|i| (format!("l{i}"), Some(String::new()))).collect(),
        ..ClusterPatch::default()
    };
    registry.edit(&id("a"), &add(1, MAX_LABELS), "ada").await.unwrap();
    let error = registry.edit(&id("a"), &add(MAX_LABELS, MAX_LABELS + 1), "ada").await.unwrap_err();
    assert_eq!(error.reason(), ProblemReason::Invalid, "{error}");
    assert_eq!(registry.get(&id("a")).unwrap().metadata.labels.len(), MAX_LABELS);
}

#[tokio::test]
async fn a_lock_stays_until_it_is_lifted_and_is_part_of_what_people_want() {
    let registry = Registry::in_memory().unwrap();
    register(&registry, "a").await;
    let locked = registry.lock(&id("a"), lock("audit")).await.unwrap();
    assert_eq!((locked.spec.locked.clone(), locked.metadata.revision), (Some(lock("audit")), 2));
    let later = Lock { by: "ben".into(), since: at(5), reason: "audit".into() };
    assert_eq!(registry.lock(&id("a"), later).await.unwrap(), locked, "the same lock again changes nothing");
    assert_eq!(registry.lock(&id("a"), lock("theft")).await.unwrap().spec.locked, Some(lock("theft")));
    let open = registry.unlock(&id("a")).await.unwrap();
    assert_eq!((open.spec.locked.clone(), open.metadata.revision), (None, 4));
    assert_eq!(registry.unlock(&id("a")).await.unwrap(), open);
}

#[tokio::test]
async fn the_same_name_again_is_another_cluster_and_inherits_nothing() {
    let registry = Registry::in_memory().unwrap();
    let (old, token) = register(&registry, "a").await;
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    note(&registry, &id("a"), uid(&old), Slot(0), certificate(10, at(1))).await.unwrap();
    registry.note_seen(&id("a"), uid(&old), at(2)).await.unwrap();
    registry.lock(&id("a"), lock("theft")).await.unwrap();
    let removed = registry.remove(&id("a")).await.unwrap();
    assert_eq!((removed.slots.len(), removed.last_seen), (1, Some(at(2))), "it is told as it was");
    assert_eq!(registry.get(&id("a")), None);
    assert!(matches!(registry.remove(&id("a")).await, Err(RegistryError::NotFound(_))));

    let (anew, _) = registry.register(&new("a"), "ben", at(10), LIFE).await.unwrap();
    assert_ne!(anew.metadata.uid, old.metadata.uid);
    assert_eq!((&anew.key, anew.slots.len(), anew.last_seen, &anew.spec.locked), (&None, 0, None, &None));
    assert_eq!(anew.metadata.revision, 1);
    for error in [
        registry.note_slot(&id("a"), uid(&old), Slot(0), certificate(11, at(11)), &pin(7)).await.unwrap_err(),
        registry.note_seen(&id("a"), uid(&old), at(12)).await.unwrap_err(),
    ] {
        assert_eq!(error.reason(), ProblemReason::NotFound, "{error}");
    }
    assert_eq!(registry.get(&id("a")).unwrap(), anew, "late word of the old one changes nothing");
}

#[tokio::test]
async fn only_the_newest_certificate_and_the_newest_sight_are_kept() {
    let registry = Registry::in_memory().unwrap();
    let (record, token) = register(&registry, "a").await;
    registry.redeem(&id("a"), Some(token.reveal()), &pin(1), at(1), AWAY).await.unwrap();
    let uid = uid(&record);
    for (slot, key) in [(0, 10), (1, 11), (0, 12)] {
        note(&registry, &id("a"), uid, Slot(slot), certificate(key, at(1))).await.unwrap();
    }
    let slots = registry.get(&id("a")).unwrap().slots.clone();
    assert_eq!(slots, [(Slot(0), certificate(12, at(1))), (Slot(1), certificate(11, at(1)))].into());
    for seen in [at(50), at(40)] {
        registry.note_seen(&id("a"), uid, seen).await.unwrap();
    }
    assert_eq!(registry.get(&id("a")).unwrap().last_seen, Some(at(50)));
    assert_eq!(registry.get(&id("a")).unwrap().metadata.revision, 1, "nobody wanted anything else");
    let error = note(&registry, &id("a"), uid, Slot(MAX_SLOTS), certificate(1, at(1))).await.unwrap_err();
    assert_eq!(error.reason(), ProblemReason::Invalid, "{error}");
}

#[tokio::test]
async fn a_change_is_told_when_it_can_be_seen() {
    let registry = Registry::in_memory().unwrap();
    let mut changes = registry.changes();
    let (record, _) = register(&registry, "a").await;
    assert_eq!(changes.recv().await.unwrap(), id("a"));
    assert_eq!(registry.get(&id("a")), Some(record));
    registry.unlock(&id("a")).await.unwrap();
    assert!(changes.try_recv().is_err(), "what changes nothing is not told");
    registry.remove(&id("a")).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), id("a"));
    assert_eq!(registry.get(&id("a")), None);
}

#[tokio::test]
async fn of_many_who_register_one_name_at_once_one_does() {
    let registry = Registry::in_memory().unwrap();
    let wanted = new("a");
    let all = (0..100).map(|_| registry.register(&wanted, "ada", at(0), LIFE));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1);
    let taken = all.iter().filter(|one| matches!(one, Err(RegistryError::Exists { .. }))).count();
    assert_eq!(taken, 99);
    assert_eq!(ManifestOptions::default(), registry.list()[0].manifest);
}

#[tokio::test]
async fn an_audience_is_one_clusters_alone() {
    let registry = Registry::in_memory().unwrap();
    let new = |name: &str, audiences: &[&str]| {
        let mut new = NewCluster::named(id(name));
        new.manifest.pass_through = audiences.iter().map(|one| (*one).to_owned()).collect();
        new
    };
    registry.register(&new("a", &["urn:a", "urn:a2"]), "root", at(0), LIFE).await.unwrap();
    registry.register(&new("plain", &[]), "root", at(0), LIFE).await.unwrap();
    for (audiences, says) in [
        (&["urn:b", "urn:a2"][..], "cluster a's"),
        (&["https://kubernetes.default.svc"], "every cluster's"),
        (&[""], "empty"),
    ] {
        let error =
            registry.register(&new("b", audiences), "root", at(0), LIFE).await.unwrap_err().to_string();
        assert!(error.starts_with("manifest.passThrough") && error.contains(says), "{error}");
    }
    registry.register(&new("b", &["urn:b"]), "root", at(0), LIFE).await.unwrap();
    let patch = |audiences: &[&str]| ManifestPatch {
        pass_through: Some(audiences.iter().map(|one| (*one).to_owned()).collect()),
        ..ManifestPatch::default()
    };
    assert!(registry.renew_join(&id("b"), "root", &patch(&["urn:a"]), at(1), LIFE).await.is_err());
    assert_eq!(registry.get(&id("b")).unwrap().manifest.pass_through, ["urn:b"]);
    // Given up by one, it is free for another.
    registry.renew_join(&id("a"), "root", &patch(&[]), at(1), LIFE).await.unwrap();
    let (record, _) =
        registry.renew_join(&id("b"), "root", &patch(&["urn:b", "urn:a"]), at(1), LIFE).await.unwrap();
    assert_eq!(record.manifest.pass_through, ["urn:b", "urn:a"]);
    // What is not named stays.
    let (record, _) = registry.renew_token(&id("b"), "root", at(2), LIFE).await.unwrap();
    assert_eq!(record.manifest.pass_through, ["urn:b", "urn:a"]);
}
