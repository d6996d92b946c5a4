//! What is shown follows what is, and nobody who does not watch costs anything.

use jiff::SignedDuration;
use trunkline_api::{ClusterPatch, ClusterSpec, ClusterState, ClusterStatus, Labels, Metadata};

use super::*;
use crate::rest::tests::Desk;

fn shown(status: ClusterStatus) -> Shown {
    let cluster = cluster(status);
    let metadata = Arc::new(cluster.metadata.clone());
    Shown { cluster, json: Bytes::new(), version: 1, metadata, since: Instant::now() }
}

fn cluster(status: ClusterStatus) -> Cluster {
    let metadata = Metadata {
        name: "alpha".parse().unwrap(),
        uid: None,
        labels: Labels::new(),
        created: None,
        created_by: String::new(),
        revision: 1,
    };
    Cluster::new(metadata, ClusterSpec::default(), status)
}

fn connected(rtt_ms: f64) -> ClusterStatus {
    ClusterStatus { state: ClusterState::Connected, rtt_ms: Some(rtt_ms), ..ClusterStatus::default() }
}

#[tokio::test(start_paused = true)]
async fn a_round_trip_alone_is_told_by_much_and_every_5_s_at_the_most() {
    let old = shown(connected(20.0));
    assert!(!old.differs(&cluster(connected(90.0))));
    let other = ClusterStatus { state: ClusterState::Degraded, ..connected(20.0) };
    assert!(old.differs(&cluster(other.clone())));
    tokio::time::advance(LOOK_AGAIN).await;
    assert!(old.differs(&cluster(connected(90.0))));
    assert!(old.differs(&cluster(ClusterStatus { rtt_ms: None, ..connected(0.0) })));
    for like in [20.0, 21.9, 24.9, 15.1] {
        assert!(!old.differs(&cluster(connected(like))), "{like}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_a_cluster_was_seen_last_is_no_change() {
    let seen = |after| {
        let when = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(after);
        ClusterStatus { last_seen: Some(when), ..connected(1.0) }
    };
    let old = shown(seen(1));
    tokio::time::advance(LOOK_AGAIN).await;
    assert!(!old.differs(&cluster(seen(2))));
}

#[tokio::test]
async fn who_joins_sees_all_and_hears_of_what_changes() {
    let desk = Desk::new();
    let board = desk.board();
    desk.register("beta", &[]).await;
    desk.register("alpha", &[]).await;
    let (all, mut changes) = board.join().await;
    let names: Vec<_> = all.iter().map(|shown| shown.cluster.metadata.name.to_string()).collect();
    assert_eq!(names, ["alpha", "beta"]);

    let id: ClusterId = "beta".parse().unwrap();
    let patch = ClusterPatch { environment: Some("prod".into()), ..ClusterPatch::default() };
    desk.view.fleet.registry.edit(&id, &patch, "root").await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), id);
    let newest = board.get(&id).unwrap();
    assert_eq!(newest.cluster.spec.environment, "prod");
    assert_eq!(serde_json::from_slice::<Cluster>(&newest.json).unwrap(), newest.cluster);

    desk.view.fleet.registry.remove(&id).await.unwrap();
    assert_eq!(changes.recv().await.unwrap(), id);
    assert!(board.get(&id).is_none());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_when_nobody_watches() {
    let desk = Desk::new();
    let board = desk.board();
    desk.register("alpha", &[]).await;
    for _ in 0..2 {
        let (all, changes) = board.join().await;
        assert_eq!((all.len(), desk.tasks.alive()), (1, 1));
        tokio::time::sleep(2 * LOOK_AGAIN).await;
        assert_eq!((board.all().len(), desk.tasks.alive()), (1, 1));
        drop(changes);
        tokio::time::sleep(2 * LOOK_AGAIN).await;
        assert_eq!((board.all().len(), desk.tasks.alive()), (0, 0));
    }
}
