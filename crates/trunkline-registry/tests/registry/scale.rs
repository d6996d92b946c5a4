//! Ten thousand clusters, and the most there may be.

use std::time::Instant;

use futures_util::future::join_all;
use trunkline_api::{ClusterPatch, ProblemReason};
use trunkline_registry::{MAX_CLUSTERS, Registry};

use crate::{LIFE, at, id, new};

async fn fill(registry: &Registry, from: usize, to: usize) {
    for first in (from..to).step_by(1_000) {
        let all: Vec<_> = (first..to.min(first + 1_000)).map(|number| new(&format!("c-{number}"))).collect();
        let all = all.iter().map(|new| registry.register(new, "ada", at(0), LIFE));
        assert!(join_all(all).await.iter().all(Result::is_ok));
    }
}

#[tokio::test]
async fn ten_thousand_clusters_are_listed_and_a_change_of_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let registry = Registry::open(&path).unwrap();
    let started = Instant::now();
    fill(&registry, 0, 10_000).await;
    println!("10,000 registered, 1,000 at a time: {:?}", started.elapsed());

    let started = Instant::now();
    let list = registry.list();
    println!("list of {}: {:?}", list.len(), started.elapsed());
    assert_eq!(list.len(), 10_000);

    let mut changes = registry.changes();
    let patch = ClusterPatch { display_name: Some("other".into()), ..ClusterPatch::default() };
    let mut times = Vec::new();
    for number in 0..20 {
        let (name, patch) = (
            id(&format!("c-{}", number * 500)),
            ClusterPatch { environment: Some(number.to_string()), ..patch.clone() },
        );
        let started = Instant::now();
        let (edited, told) = tokio::join!(registry.edit(&name, &patch, "ada"), async {
            (changes.recv().await.unwrap(), started.elapsed())
        });
        assert_eq!((edited.unwrap().metadata.revision, told.0), (2, name));
        times.push(told.1);
    }
    times.sort();
    println!("a change is durable and told after {:?} (median), {:?} (worst of 20)", times[10], times[19]);

    drop(registry);
    let started = Instant::now();
    let again = Registry::open(&path).unwrap();
    println!(
        "opened again: {:?}, a file of {} bytes",
        started.elapsed(),
        std::fs::metadata(&path).unwrap().len()
    );
    assert_eq!(again.list().len(), 10_000);
    assert_eq!(again.get(&id("c-500")).unwrap().spec.display_name, "other");
}

#[tokio::test]
async fn more_clusters_than_fit_are_refused_until_one_is_removed() {
    let registry = Registry::in_memory().unwrap();
    fill(&registry, 0, MAX_CLUSTERS).await;
    let error = registry.register(&new("one-more"), "ada", at(0), LIFE).await.unwrap_err();
    assert_eq!(error.reason(), ProblemReason::Unavailable);
    assert!(error.to_string().contains("20000"), "{error}");
    registry.remove(&id("c-7")).await.unwrap();
    registry.register(&new("one-more"), "ada", at(0), LIFE).await.unwrap();
    assert_eq!(registry.list().len(), MAX_CLUSTERS);
}
