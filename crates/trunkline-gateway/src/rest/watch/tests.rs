//! A watch tells what is there, then what changes; also one that fell behind, was slow, or is one too many.

use http_body_util::BodyExt as _;
use trunkline_api::{ClusterEvent, ClusterPatch, EventKind};

use super::*;
use crate::rest::tests::Desk;

/// A watch as its reader sees it.
struct Reading {
    body: Body,
    text: String,
}

impl Reading {
    fn begin(watches: &Watches, selector: &str) -> Self {
        Self::begin_as("jane", watches, selector)
    }

    fn begin_as(user: &str, watches: &Watches, selector: &str) -> Self {
        let response = watches.begin(user, selector.parse().unwrap(), Sight::of_all()).unwrap();
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event, or what else is said; none at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.text.split_once("\n\n") {
                let line = line.to_owned();
                self.text = rest.to_owned();
                return Some(line);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Kind and name of the next event.
    async fn event(&mut self) -> (EventKind, String) {
        let line = self.next().await.unwrap();
        let event: ClusterEvent = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
        let name = event.cluster.map(|cluster| cluster.metadata.name.to_string());
        (event.kind, name.unwrap_or_default())
    }

    async fn events(&mut self, count: usize) -> Vec<(EventKind, String)> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(self.event().await);
        }
        events
    }
}

fn watches(desk: &Desk) -> Watches {
    Watches::new(desk.board(), desk.tasks.clone(), CancellationToken::new())
}

async fn edit(desk: &Desk, name: &str, label: &str) {
    let labels = [("env".to_owned(), Some(label.to_owned()))].into();
    let patch = ClusterPatch { labels, ..ClusterPatch::default() };
    desk.view.fleet.registry.edit(&name.parse().unwrap(), &patch, "root").await.unwrap();
}

use EventKind::{Added, Modified, Removed, Synced};

#[tokio::test]
async fn first_comes_all_that_is_there_and_then_what_changes() {
    let desk = Desk::new();
    desk.register("alpha", &[]).await;
    desk.register("beta", &[]).await;
    let mut reading = Reading::begin(&watches(&desk), "");
    let first = reading.events(3).await;
    assert_eq!(first, [(Added, "alpha".into()), (Added, "beta".into()), (Synced, String::new())]);
    edit(&desk, "beta", "prod").await;
    assert_eq!(reading.event().await, (Modified, "beta".into()));
    desk.register("gamma", &[]).await;
    assert_eq!(reading.event().await, (Added, "gamma".into()));
    desk.view.fleet.registry.remove(&"alpha".parse().unwrap()).await.unwrap();
    assert_eq!(reading.event().await, (Removed, "alpha".into()));
}

#[tokio::test]
async fn a_cluster_comes_and_goes_as_its_labels_are_chosen() {
    let desk = Desk::new();
    desk.register("alpha", &[("env", "dev")]).await;
    desk.register("beta", &[("env", "prod")]).await;
    let mut reading = Reading::begin(&watches(&desk), "env=prod");
    assert_eq!(reading.events(2).await, [(Added, "beta".into()), (Synced, String::new())]);
    edit(&desk, "alpha", "prod").await;
    assert_eq!(reading.event().await, (Added, "alpha".into()));
    edit(&desk, "beta", "dev").await;
    assert_eq!(reading.event().await, (Removed, "beta".into()));
}

#[tokio::test]
async fn a_name_that_is_registered_again_is_another_cluster() {
    let desk = Desk::new();
    desk.register("alpha", &[]).await;
    let watches = watches(&desk);
    let (all, _) = watches.board.join().await;
    let (out, mut lots) = mpsc::channel(LOTS);
    let mut watch = Watch {
        sight: Sight::of_all(),
        board: watches.board.clone(),
        selector: Selector::default(),
        sent: BTreeMap::new(),
        lot: BytesMut::new(),
        out,
    };
    let id: ClusterId = "alpha".parse().unwrap();
    assert!(watch.compare(&id, all.first().cloned()).await.is_ok());
    // Both happened between two looks.
    desk.view.fleet.registry.remove(&id).await.unwrap();
    desk.register("alpha", &[]).await;
    let (all, _) = desk.board().join().await;
    assert!(watch.compare(&id, all.first().cloned()).await.is_ok());
    assert!(watch.flush().await.is_ok());
    let said = String::from_utf8(lots.recv().await.unwrap().to_vec()).unwrap();
    let kinds: Vec<&str> = said.split("\n\n").filter_map(|line| line.get(15..22)).collect();
    assert_eq!(kinds, ["added\",", "removed", "added\","]);
}

#[tokio::test]
async fn a_watch_that_fell_behind_tells_the_difference_and_nothing_twice() {
    let desk = Desk::new();
    for name in ["alpha", "beta", "gamma"] {
        desk.register(name, &[]).await;
    }
    let watches = watches(&desk);
    let (all, mut changes) = watches.board.join().await;
    let (out, lots) = mpsc::channel(LOTS);
    let mut watch = Watch {
        sight: Sight::of_all(),
        board: watches.board.clone(),
        selector: Selector::default(),
        sent: all.iter().map(|shown| (shown.metadata.name.clone(), Sent::from(&**shown))).collect(),
        lot: BytesMut::new(),
        out,
    };
    // Nobody follows while one cluster changes more often than is kept, one goes and one comes.
    for at in 0..1100 {
        edit(&desk, "beta", &format!("v{at}")).await;
    }
    desk.view.fleet.registry.remove(&"gamma".parse().unwrap()).await.unwrap();
    desk.register("delta", &[]).await;
    let delta: ClusterId = "delta".parse().unwrap();
    while watches.board.get(&delta).is_none() {
        tokio::task::yield_now().await;
    }
    let first = changes.recv().await;
    assert!(matches!(first, Err(RecvError::Lagged(_))), "{first:?}");
    assert!(watch.follow(first, &mut changes).await.is_ok());
    let events = Events { lots, _place: watches.places.take("jane").unwrap() };
    let mut reading = Reading { body: Body::new(events), text: String::new() };
    let told = reading.events(3).await;
    assert_eq!(told, [(Removed, "gamma".into()), (Modified, "beta".into()), (Added, "delta".into())]);
    assert!(reading.text.is_empty());
    assert_eq!(watch.sent[&"beta".parse::<ClusterId>().unwrap()].metadata.labels["env"], "v1099");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_says_that_it_is_still_there_and_a_stuck_one_ends() {
    let desk = Desk::new();
    let mut reading = Reading::begin(&watches(&desk), "");
    assert_eq!(reading.event().await.0, Synced);
    let began = Instant::now();
    assert_eq!(reading.next().await.unwrap(), ": still here");
    assert_eq!(began.elapsed().as_secs(), HEARTBEAT.as_secs());
    // So many lots wait, then one more is offered in vain.
    tokio::time::sleep(HEARTBEAT * LOTS as u32 + HEARTBEAT + STUCK + HEARTBEAT).await;
    let mut left = 0;
    while reading.next().await.is_some() {
        left += 1;
    }
    assert_eq!(left, LOTS);
}

#[tokio::test]
async fn there_are_no_more_watches_than_may_be_of_one_user_and_of_all() {
    let desk = Desk::new();
    let watches = watches(&desk);
    let refused =
        |user: &str| format!("{:?}", watches.begin(user, Selector::default(), Sight::of_all()).unwrap_err());
    let mut open: Vec<Reading> = Vec::new();
    for user in 0..MOST / MOST_OF_ONE {
        let user = format!("user-{user}");
        open.extend((0..MOST_OF_ONE).map(|_| Reading::begin_as(&user, &watches, "")));
        if open.len() < MOST {
            assert!(refused(&user).contains(&format!("{user} has 32 watches open")), "{}", refused(&user));
        }
    }
    assert!(refused("another").contains("256 watches are open"), "{}", refused("another"));
    for reading in &mut open {
        assert_eq!(reading.event().await.0, Synced);
    }
    // Who ends one may begin another.
    drop(open.pop());
    open.push(Reading::begin_as("another", &watches, ""));
    drop(open);
    assert!(watches.places.are_free());
}

#[tokio::test]
async fn of_a_cluster_that_is_gone_its_metadata_is_told_and_nothing_older_is_kept() {
    let desk = Desk::new();
    desk.register("alpha", &[("env", "prod")]).await;
    let watches = watches(&desk);
    let mut reading = Reading::begin(&watches, "");
    assert_eq!(reading.events(2).await, [(Added, "alpha".into()), (Synced, String::new())]);
    let id: ClusterId = "alpha".parse().unwrap();
    let shown = Arc::downgrade(&watches.board.get(&id).unwrap());
    edit(&desk, "alpha", "dev").await;
    assert_eq!(reading.event().await, (Modified, "alpha".into()));
    assert!(shown.upgrade().is_none(), "what was sent before is not held");
    desk.view.fleet.registry.remove(&id).await.unwrap();
    let line = reading.next().await.unwrap();
    let event: ClusterEvent = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
    let gone = event.cluster.unwrap();
    assert_eq!((event.kind, gone.metadata.labels["env"].as_str()), (Removed, "dev"));
    assert_eq!((gone.spec, gone.status), (ClusterSpec::default(), ClusterStatus::default()));
}

#[tokio::test]
async fn a_watch_ends_when_the_gateway_drains_and_when_its_reader_leaves() {
    let desk = Desk::new();
    let draining = CancellationToken::new();
    let watches = Watches::new(desk.board(), desk.tasks.clone(), draining.clone());
    let (mut stays, mut leaves) = (Reading::begin(&watches, ""), Reading::begin(&watches, ""));
    assert_eq!((stays.event().await.0, leaves.event().await.0), (Synced, Synced));
    assert_eq!(desk.tasks.alive(), 3);
    drop(leaves);
    while desk.tasks.alive() > 2 {
        tokio::task::yield_now().await;
    }
    draining.cancel();
    assert_eq!(stays.next().await, None);
}
