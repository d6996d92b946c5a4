//! Watching the fleet: what is there, then each change of what should be and of what is seen.

use std::time::Instant;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use trunkline_tests::{Connection, within};

use super::*;

/// A watch as its reader sees it.
pub(super) struct Watching {
    body: Incoming,
    text: String,
    _connection: Connection,
}

impl Watching {
    /// Begins one on a connection of its own.
    pub(super) async fn begin(client: &Client, selector: &str) -> Self {
        let connection = client.http2().await;
        Self::begin_on(connection, selector).await
    }

    async fn begin_on(mut connection: Connection, selector: &str) -> Self {
        let path = format!("{CLUSTERS}?watch=true&selector={selector}");
        let response = connection.send(Request::get(path).body(empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new(), _connection: connection }
    }

    /// The next event; none at the end of a watch that ends well.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = event.strip_prefix("data: ").map(|event| serde_json::from_str(event).unwrap());
                self.text = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    // A sign of life.
                    None => continue,
                }
            }
            let frame = within("an event", 2 * SOON, self.body.frame()).await?.unwrap();
            self.text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    }

    /// Kind and name of the next event.
    async fn heard(&mut self) -> (String, String) {
        let event = self.next().await.unwrap();
        let name = event["cluster"]["metadata"]["name"].as_str().unwrap_or_default();
        (event["type"].as_str().unwrap().to_owned(), name.to_owned())
    }

    /// Goes on until a cluster is as is wanted, and gives it.
    pub(super) async fn until(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.next().await.unwrap();
            let cluster = &event["cluster"];
            if cluster["metadata"]["name"] == name && event["type"] != "removed" && wanted(cluster) {
                return cluster.clone();
            }
        }
    }

    pub(super) async fn until_synced(&mut self) {
        while self.heard().await.0 != "synced" {}
    }

    /// Reads to the end: whether it ended well.
    async fn ends_well(mut self) -> bool {
        loop {
            match within("the end", SOON, self.body.frame()).await {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(_)) => {}
            }
        }
    }
}

#[tokio::test]
async fn a_watch_tells_all_that_is_there_and_then_each_change() {
    let mut rig = Rig::builder().enrolling().cluster("alpha").cluster("beta").without_agents().start().await;
    let admin = rig.admin();
    let mut by_http1 = Watching::begin_on(admin.http1().await, "").await;
    let mut watching = Watching::begin(&admin, "").await;
    for watching in [&mut by_http1, &mut watching] {
        let mut first = Vec::new();
        for _ in 0..3 {
            first.push(watching.heard().await);
        }
        let event = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
        assert_eq!(first, [event("added", "alpha"), event("added", "beta"), event("synced", "")]);
    }
    // What is seen of it.
    rig.start_agent("alpha").await;
    let shown = watching.until("alpha", |cluster| cluster["status"]["state"] == "connected").await;
    assert_eq!((&shown["status"]["reason"], &shown["status"]["slots"][0]["links"]), (&json!(""), &json!(1)));
    assert!(shown["status"]["certificateNotAfter"].is_string() && shown["status"]["lastSeen"].is_string());
    // What is wanted of it.
    admin.send_json(Method::PATCH, &format!("{CLUSTERS}/beta"), &json!({"displayName": "B"})).await;
    watching.until("beta", |cluster| cluster["spec"]["displayName"] == "B").await;
    admin.post(&format!("{CLUSTERS}/alpha/lock"), &json!({"reason": "audit"})).await;
    let shown = watching.until("alpha", |cluster| cluster["status"]["state"] == "locked").await;
    assert!(shown["status"]["reason"].as_str().unwrap().contains("audit"));
    admin.post(&format!("{CLUSTERS}/alpha/unlock"), &json!({})).await;
    watching.until("alpha", |cluster| cluster["status"]["state"] == "connected").await;
    rig.cut_agent("alpha").await;
    watching.until("alpha", |cluster| cluster["status"]["state"] == "disconnected").await;
    bare(&admin, "DELETE", &format!("{CLUSTERS}/beta")).await;
    while watching.heard().await != ("removed".into(), "beta".into()) {}
    // The other one has heard the same.
    while by_http1.heard().await != ("removed".into(), "beta".into()) {}
}

#[tokio::test]
async fn a_watch_with_a_selector_tells_of_those_it_chooses() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let admin = rig.admin();
    let mut watching = Watching::begin(&admin, "env%3Dprod").await;
    assert_eq!(watching.heard().await.0, "synced");
    let label = |value: &str| {
        let (admin, patch) = (admin.clone(), json!({"labels": {"env": value}}));
        async move { admin.send_json(Method::PATCH, &format!("{CLUSTERS}/alpha"), &patch).await }
    };
    label("prod").await;
    assert_eq!(watching.heard().await, ("added".into(), "alpha".into()));
    label("dev").await;
    assert_eq!(watching.heard().await, ("removed".into(), "alpha".into()));
}

#[tokio::test]
async fn a_watch_ends_well_when_the_gateway_drains() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().enrolling().without_agents().start().await;
    let mut watching = Watching::begin(&rig.client_as("wanda", &["trunkline:viewers"]), "").await;
    watching.until_synced().await;
    let gateway = rig.take_gateway(0).unwrap();
    let began = Instant::now();
    let (well, ()) = tokio::join!(watching.ends_well(), gateway.drain());
    assert!(well && began.elapsed() < Duration::from_secs(4), "{well} {:?}", began.elapsed());
    let lines = logs.find(|line| line.target == "access" && line.field("user") == "wanda");
    let said: Vec<_> = lines.iter().map(|line| (line.field("kind"), line.field("reason"))).collect();
    assert_eq!(said, [("watch", "")]);
}

#[tokio::test]
async fn a_watch_ends_at_once_when_the_certificate_is_revoked() {
    let rig = Rig::builder().enrolling().without_agents().start().await;
    let issued = rig.paper.client("rita", &["trunkline:viewers"]);
    let mut watching = Watching::begin(&rig.client_showing(Some(&issued)), "").await;
    watching.until_synced().await;
    let mut config = rig.config_of(0);
    config.front.revoked.push(issued.serial.clone());
    rig.gateway().fleet().follow(&config).unwrap();
    let began = Instant::now();
    assert!(!watching.ends_well().await);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
