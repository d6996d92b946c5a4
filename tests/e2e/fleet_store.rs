//! `kill -9` in the middle of the registry's writes: what was acknowledged is there again, and nothing is half.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use trunkline_runtime::{Tasks, empty, full};
use trunkline_tests::{Client, Connection, Paper, Process, count, within};

const SOON: Duration = Duration::from_secs(30);
/// Who writes at once, and how many clusters each has.
const WRITERS: usize = 4;
const CLUSTERS: usize = 3;
/// The latest a gateway is killed after the writes began, in microseconds.
const LATEST: u64 = 150_000;
const SEED: u64 = 20_261_124;

/// A cluster as it should be found: what a client can see of its writes. None: there is no such cluster.
type Seen = Option<(String, Value)>;

/// What one writer knows.
#[derive(Clone, Debug, Default)]
struct Known {
    /// What was acknowledged.
    acknowledged: BTreeMap<String, Seen>,
    /// What was asked for last and not answered: it may have happened or not.
    asked: Option<(String, What)>,
    writes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Register(u32),
    Edit(u32),
    Lock(u32),
    Unlock,
    Remove,
    RenewToken,
}

impl What {
    fn request(self, name: &str) -> (Method, String, Value) {
        let path = format!("/trunkline/v1/clusters/{name}");
        match self {
            Self::Register(at) => {
                let body = json!({"name": name, "labels": {"at": at.to_string()}});
                (Method::POST, "/trunkline/v1/clusters".into(), body)
            }
            Self::Edit(at) => (Method::PATCH, path, json!({"labels": {"at": at.to_string()}})),
            Self::Lock(at) => (Method::POST, format!("{path}/lock"), json!({"reason": at.to_string()})),
            Self::Unlock => (Method::POST, format!("{path}/unlock"), json!({})),
            Self::Remove => (Method::DELETE, path, Value::Null),
            Self::RenewToken => (Method::POST, format!("{path}/join"), json!({})),
        }
    }

    /// Whether a cluster that was `before` may be found as `found` if this has happened.
    fn leads(self, before: &Seen, found: &Seen) -> bool {
        match (self, before, found) {
            (Self::Register(at), None, Some((_, view))) => {
                view["labels"]["at"] == json!(at.to_string())
                    && view["locked"].is_null()
                    && view["revision"] == 1
            }
            (Self::Remove, Some(_), None) => true,
            (Self::RenewToken, before, found) => before == found,
            (Self::Edit(_) | Self::Lock(_) | Self::Unlock, Some((uid, old)), Some((now, view))) => {
                let mut wanted = old.clone();
                match self {
                    Self::Edit(at) => wanted["labels"]["at"] = json!(at.to_string()),
                    Self::Lock(at) => wanted["locked"] = json!(at.to_string()),
                    _ => wanted["locked"] = Value::Null,
                }
                if wanted != *old {
                    wanted["revision"] = json!(old["revision"].as_u64().unwrap() + 1);
                }
                uid == now && wanted == *view
            }
            _ => false,
        }
    }
}

/// What there is to see of a cluster.
fn seen(cluster: &Value) -> (String, Value) {
    let (metadata, spec) = (&cluster["metadata"], &cluster["spec"]);
    let view = json!({
        "labels": metadata["labels"], "revision": metadata["revision"], "locked": spec["locked"]["reason"],
    });
    (metadata["uid"].as_str().unwrap().to_owned(), view)
}

/// One writer: changes its clusters, one after another, until the gateway is gone.
async fn write(mut connection: Connection, writer: usize, seed: u64, known: Arc<Mutex<Vec<Known>>>) {
    let mut random = StdRng::seed_from_u64(seed);
    loop {
        let name = format!("w{writer}-{}", random.random_range(0..CLUSTERS));
        let at = random.random::<u32>() % 1_000;
        let before = known.lock().unwrap()[writer].acknowledged.get(&name).cloned().flatten();
        let what = match (&before, random.random_range(0..10)) {
            (None, _) => What::Register(at),
            (Some(_), 0..4) => What::Edit(at),
            (Some(_), 4..6) => What::Lock(at),
            (Some(_), 6) => What::Unlock,
            (Some(_), 7..9) => What::Remove,
            (Some(_), _) => What::RenewToken,
        };
        known.lock().unwrap()[writer].asked = Some((name.clone(), what));
        let (method, path, body) = what.request(&name);
        let body = if body.is_null() { empty() } else { full(body.to_string()) };
        let request =
            Request::builder().method(method).uri(path).header("content-type", "application/json").body(body);
        let Ok(reply) = connection.whole(request.unwrap()).await else { return };
        assert!(reply.status.is_success(), "{name} {what:?}: {} {}", reply.status, reply.text());
        let answer = reply.json();
        let after = match what {
            What::Remove => None,
            What::Register(_) | What::RenewToken => Some(seen(&answer["cluster"])),
            _ => Some(seen(&answer)),
        };
        assert!(what.leads(&before, &after), "{name} {what:?}: {before:?} became {after:?}");
        let mut known = known.lock().unwrap();
        known[writer].acknowledged.insert(name, after);
        known[writer].asked = None;
        known[writer].writes += 1;
    }
}

/// Holds what is there against what is known, and goes on from there.
async fn compare(client: &Client, known: &Mutex<Vec<Known>>) -> usize {
    let reply = client.get("/trunkline/v1/clusters").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let list = reply.json();
    let mut there: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for cluster in list["items"].as_array().unwrap() {
        there.insert(cluster["metadata"]["name"].as_str().unwrap().to_owned(), seen(cluster));
    }
    let mut happened = 0;
    for known in known.lock().unwrap().iter_mut() {
        let asked = known.asked.take();
        if let Some((name, _)) = &asked {
            known.acknowledged.entry(name.clone()).or_default();
        }
        for (name, before) in &mut known.acknowledged {
            let found = there.remove(name);
            let what = asked.as_ref().filter(|(asked, _)| asked == name).map(|(_, what)| *what);
            if found != *before {
                let explained = what.is_some_and(|what| what.leads(before, &found));
                assert!(explained, "{name}: acknowledged {before:?}, found {found:?}, asked for {what:?}");
                happened += 1;
            }
            *before = found;
        }
    }
    assert!(there.is_empty(), "nobody has registered {there:?}");
    happened
}

fn config(paper: &Paper) -> String {
    let path = |name: &str| paper.path(name).display().to_string();
    format!(
        "data: {}\nfront:\n  listen: 127.0.0.1:0\n  certificate: {{certificate: {}, key: {}}}\n  client_roots: {}\n\
         tunnel:\n  listen: 127.0.0.1:0\n",
        path("data"),
        path("front.pem"),
        path("front.key"),
        path("front-ca.pem"),
    )
}

async fn started(config: &Path, log: &Path) -> (Process, SocketAddr) {
    let mut gateway = Process::start(&["gateway", "--config", config.to_str().unwrap()], log);
    let (front, _) = gateway.doors().await;
    (gateway, front)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_at_any_point_of_its_writes_has_lost_nothing_it_acknowledged() {
    let kills = count(8, 200);
    let (paper, tasks) = (Paper::new(), Tasks::new());
    let config = paper.write("gateway.yaml", config(&paper));
    let root = paper.client("root", &["trunkline:admins"]);
    let known = Arc::new(Mutex::new(vec![Known::default(); WRITERS]));
    let mut random = StdRng::seed_from_u64(SEED);
    let mut unanswered = 0;
    for kill in 0..kills.times {
        let (gateway, front) = started(&config, &paper.path("gateway.log")).await;
        let client = Client::new(front, paper.client_tls(Some(&root)), &tasks);
        unanswered += compare(&client, &known).await;
        let mut writing = Vec::new();
        for writer in 0..WRITERS {
            let (connection, seed) = (client.http2().await, random.random());
            writing.push(tasks.spawn(write(connection, writer, seed, known.clone())));
        }
        tokio::time::sleep(Duration::from_micros(random.random_range(0..LATEST))).await;
        gateway.kill();
        for writer in writing {
            within(&format!("kill {kill}: a writer's end"), SOON, writer).await.unwrap();
        }
    }
    let (gateway, front) = started(&config, &paper.path("gateway.log")).await;
    let client = Client::new(front, paper.client_tls(Some(&root)), &tasks);
    unanswered += compare(&client, &known).await;
    gateway.stop().await;
    let writes: usize = known.lock().unwrap().iter().map(|known| known.writes).sum();
    println!(
        "{kills} kills (seed {SEED}): {writes} acknowledged writes are all there, {unanswered} that were not answered as \
         well"
    );
    assert!(writes > kills.times, "{writes} writes");
}
