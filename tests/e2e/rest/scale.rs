//! The API over as many clusters as a fleet may have.

use std::time::Instant;

use jiff::Timestamp;
use trunkline_api::{ClusterList, NewCluster};

use super::*;

const MANY: usize = 10_000;
/// What is promised, of a build that is optimised.
const LIST: Duration = Duration::from_millis(100);
const CHANGE: Duration = Duration::from_millis(50);

/// A promise, or for a build that is not optimised, thirty times as much.
fn promised(promise: Duration) -> Duration {
    if cfg!(debug_assertions) { promise * 30 } else { promise }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_clusters_are_listed_and_a_change_among_them_is_told_in_time() {
    let rig = Rig::builder().without_agents().start().await;
    let registry = rig.registry();
    let registering = (0..MANY).map(|at| {
        let registry = registry.clone();
        rig.tasks.spawn(async move {
            let labels =
                [("env".to_owned(), format!("e{}", at % 10)), ("team".to_owned(), "blue".to_owned())].into();
            let name = format!("cluster-{at:05}").parse().unwrap();
            let new = NewCluster { labels, display_name: format!("Cluster {at}"), ..NewCluster::named(name) };
            // The registry has room for so many orders at once; another is told to come again.
            while registry.register(&new, "root", Timestamp::now(), Duration::from_secs(1800)).await.is_err()
            {
                tokio::task::yield_now().await;
            }
        })
    });
    for registering in registering.collect::<Vec<_>>() {
        registering.await.unwrap();
    }
    let admin = rig.admin();
    let mut connection = admin.http2().await;
    let mut took = Vec::new();
    for _ in 0..5 {
        let began = Instant::now();
        let reply = connection.get(CLUSTERS).await.unwrap();
        took.push(began.elapsed());
        let list: ClusterList = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(list.items.len(), MANY + 1);
        assert!(list.items.is_sorted_by_key(|cluster| cluster.metadata.name.clone()));
    }
    let reply = connection.get(&format!("{CLUSTERS}?selector=env%3De3")).await.unwrap();
    assert_eq!(names(&reply.json()).len(), MANY / 10);

    let began = Instant::now();
    let mut watching = Watching::begin(&admin, "").await;
    watching.until_synced().await;
    let synced = began.elapsed();
    let mut told = Vec::new();
    for at in 0..20 {
        let name = format!("cluster-{:05}", at * 499);
        let value = format!("v{at}");
        let began = Instant::now();
        let patch = json!({"labels": {"env": value}});
        let changing = connection.another();
        let path = format!("{CLUSTERS}/{name}");
        let change = rig.tasks.spawn(async move {
            let mut changing = changing;
            let request =
                Request::patch(path).header("content-type", "application/json").body(full(patch.to_string()));
            changing.whole(request.unwrap()).await.unwrap()
        });
        watching.until(&name, |cluster| cluster["metadata"]["labels"]["env"] == value.as_str()).await;
        told.push(began.elapsed());
        assert_eq!(change.await.unwrap().status, 200);
    }
    let worst = told.iter().max().unwrap();
    println!(
        "{MANY} clusters: listed in {took:?}; a watch was synced after {synced:?}, a change told after {worst:?} at worst \
         (optimised: {})",
        !cfg!(debug_assertions)
    );
    let best = took.iter().min().unwrap();
    assert!(*best <= promised(LIST), "{took:?}");
    assert!(*worst <= promised(CHANGE), "{told:?}");
}
