//! A gateway's REST API without a gateway: clusters in a map, a watch, and answers that a test orders.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_rustls::TlsAcceptor;
use trunkline_api::{
    API_VERSION, BASE, Cluster, ClusterEvent, ClusterList, ClusterPatch, ClusterSpec, ClusterState,
    ClusterStatus, EventKind, Join, Lock, LockRequest, ManifestPatch, Metadata, NewCluster, Problem,
    ProblemReason, Registered, RotationStatus, Selector,
};
use trunkline_pki::crypto_provider;
use trunkline_proto::ClusterUid;
use trunkline_runtime::Tasks;
use trunkline_tests::Paper;

type Body = BoxBody<Bytes, Infallible>;

/// How a stream of events begins.
const EVENTS: &str = ": here\n\n";

/// The fake.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Tasks,
}

struct Shared {
    state: Mutex<State>,
    events: broadcast::Sender<Told>,
}

/// What a watch is told.
#[derive(Clone)]
enum Told {
    Event(Box<ClusterEvent>),
    /// Its stream ends.
    Cut,
}

#[derive(Default)]
struct State {
    clusters: BTreeMap<String, Cluster>,
    /// What was asked: method, path with query, body.
    asked: Vec<(Method, String, Value)>,
    /// The last `Authorization` that was shown.
    shown: Option<String>,
    /// Answers that come before all others: the beginning of the path, then status and body.
    ordered: Vec<(String, StatusCode, Value)>,
    rotation: VecDeque<RotationStatus>,
    /// Paths that are never answered.
    silent: Vec<String>,
    watches: usize,
}

impl Gateway {
    /// Starts one with the papers of a rig.
    pub(crate) async fn start(paper: &Paper) -> Self {
        let issued = paper.renew_front();
        let mut roots = RootCertStore::empty();
        roots.add(paper.pki.front.certificate_der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), crypto_provider())
            .allow_unauthenticated()
            .build()
            .unwrap();
        let tls = ServerConfig::builder_with_provider(crypto_provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![issued.certificate_der.clone()], issued.key_der.clone_key())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, _) = broadcast::channel(1024);
        let shared = Arc::new(Shared { state: Mutex::default(), events });
        let tasks = Tasks::new();
        let (family, state) = (tasks.clone(), shared.clone());
        tasks.spawn_until_stopped(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), state.clone());
                family.spawn_until_stopped(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(move |request| {
                        let state = state.clone();
                        async move { Ok::<_, Infallible>(state.answer(request).await) }
                    });
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { address, shared, tasks }
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Puts a cluster there, or in place of the one of its name, and tells the watches.
    pub(crate) fn put(&self, cluster: Cluster) {
        self.shared.put(cluster);
    }

    /// Puts a cluster of this name and state there.
    pub(crate) fn has(&self, name: &str, state: ClusterState) -> Cluster {
        let cluster = cluster(name, state);
        self.put(cluster.clone());
        cluster
    }

    /// A cluster as it is now.
    pub(crate) fn cluster(&self, name: &str) -> Option<Cluster> {
        self.shared.lock().clusters.get(name).cloned()
    }

    /// Takes a cluster away and tells the watches.
    pub(crate) fn lose(&self, name: &str) {
        self.shared.lose(name);
    }

    /// Takes a cluster away and tells nobody.
    pub(crate) fn lose_quietly(&self, name: &str) {
        self.shared.lock().clusters.remove(name);
    }

    /// Answers every request to a path that begins like this with `status` and `body`.
    pub(crate) fn order(&self, path: &str, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).unwrap();
        self.shared.lock().ordered.insert(0, (format!("{BASE}{path}"), status, body));
    }

    /// Answers every request to a path that begins like this with these events; the stream ends behind them.
    pub(crate) fn order_events(&self, path: &str, events: &[Value]) {
        let lines: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        self.order(path, 200, Value::String(format!("{EVENTS}{lines}")));
    }

    /// Never answers requests to a path that begins like this.
    pub(crate) fn is_silent_on(&self, path: &str) {
        self.shared.lock().silent.push(format!("{BASE}{path}"));
    }

    /// What a rotation's status is, call by call; the last one stays.
    pub(crate) fn rotates(&self, statuses: impl IntoIterator<Item = RotationStatus>) {
        self.shared.lock().rotation = statuses.into_iter().collect();
    }

    /// What was asked with this method of a path that ends like this: its bodies.
    pub(crate) fn asked(&self, method: &Method, path: &str) -> Vec<Value> {
        let state = self.shared.lock();
        let found = state.asked.iter().filter(|(m, p, _)| m == method && p.ends_with(path));
        found.map(|(_, _, body)| body.clone()).collect()
    }

    /// The token that was shown last.
    pub(crate) fn shown(&self) -> Option<String> {
        self.shared.lock().shown.as_ref().map(|shown| shown.strip_prefix("Bearer ").unwrap().to_owned())
    }

    /// How many watches were ever opened.
    pub(crate) fn watches(&self) -> usize {
        self.shared.lock().watches
    }

    /// Ends every watch's stream.
    pub(crate) fn cut_watches(&self) {
        let _ = self.shared.events.send(Told::Cut);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.tasks.token().cancel();
    }
}

/// A cluster in a state.
pub(crate) fn cluster(name: &str, state: ClusterState) -> Cluster {
    let metadata = Metadata {
        name: name.parse().unwrap(),
        uid: Some(ClusterUid::random()),
        labels: [("env".to_owned(), "test".to_owned())].into(),
        created: Some(Timestamp::now()),
        created_by: "alice".into(),
        revision: 1,
    };
    let up = state == ClusterState::Connected;
    let status = ClusterStatus {
        state,
        last_seen: up.then(Timestamp::now),
        rtt_ms: up.then_some(38.4),
        kubernetes_version: up.then(|| "v1.34.2".into()),
        nodes: up.then_some(12),
        agent_version: up.then(|| "0.1.0".into()),
        ..ClusterStatus::default()
    };
    Cluster::new(metadata, ClusterSpec::default(), status)
}

/// A problem as the gateway writes it.
pub(crate) fn problem(reason: ProblemReason, detail: &str) -> Value {
    let status = reason.status();
    let problem = Problem {
        kind: "about:blank".into(),
        title: StatusCode::from_u16(status).unwrap().to_string(),
        status,
        detail: detail.into(),
        reason,
        request: "r1".into(),
    };
    serde_json::to_value(problem).unwrap()
}

/// The token in every manifest: it must be seen nowhere else.
pub(crate) const TOKEN: &str = "tlj_0123456789012345678901234567890123456789012";

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn put(&self, cluster: Cluster) {
        let name = cluster.metadata.name.to_string();
        let before = self.lock().clusters.insert(name, cluster.clone());
        let kind = if before.is_some() { EventKind::Modified } else { EventKind::Added };
        let _ =
            self.events.send(Told::Event(Box::new(ClusterEvent { kind, cluster: Some(Box::new(cluster)) })));
    }

    fn lose(&self, name: &str) -> Option<Cluster> {
        let cluster = self.lock().clusters.remove(name)?;
        let event = ClusterEvent { kind: EventKind::Removed, cluster: Some(Box::new(cluster.clone())) };
        let _ = self.events.send(Told::Event(Box::new(event)));
        Some(cluster)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let full = head.uri.path_and_query().unwrap().to_string();
        let ordered = {
            let mut state = self.lock();
            state.asked.push((head.method.clone(), full.clone(), body.clone()));
            state.shown = head.headers.get(header::AUTHORIZATION).map(|v| v.to_str().unwrap().to_owned());
            state.ordered.iter().find(|(path, ..)| full.starts_with(path)).cloned()
        };
        if self.lock().silent.iter().any(|path| full.starts_with(path)) {
            return std::future::pending().await;
        }
        if let Some((_, status, body)) = ordered {
            return match body {
                Value::String(events) if events.starts_with(EVENTS) => Response::builder()
                    .header(header::CONTENT_TYPE, "text/event-stream")
                    .body(BodyExt::boxed(Full::from(events)))
                    .unwrap(),
                body => answer(status, &body),
            };
        }
        let path = head.uri.path().strip_prefix(BASE).unwrap_or_default().to_owned();
        let query: BTreeMap<String, String> = head
            .uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| {
                (key.to_owned(), value.replace("%3D", "=").replace("%2C", ",").replace('+', " "))
            })
            .collect();
        self.route(&head.method, &path, &query, body)
    }

    fn route(
        &self,
        method: &Method,
        path: &str,
        query: &BTreeMap<String, String>,
        body: Value,
    ) -> Response<Body> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["status"]) => answer(StatusCode::OK, &self.status()),
            ("GET", ["clusters"]) if query.contains_key("watch") => self.watch(),
            ("GET", ["clusters"]) => {
                let selector: Selector = query.get("selector").map_or("", String::as_str).parse().unwrap();
                let state = self.lock();
                let chosen =
                    state.clusters.values().filter(|c| selector.matches(&c.metadata.labels)).cloned();
                answer(StatusCode::OK, &json!(ClusterList::new(chosen.collect())))
            }
            ("POST", ["clusters"]) => self.register(serde_json::from_value(body).unwrap()),
            ("POST", ["clusters", name, "join"]) => match self.found(name) {
                Some(cluster) => {
                    let _: ManifestPatch = serde_json::from_value(body).unwrap();
                    answer(StatusCode::OK, &json!(registered(cluster)))
                }
                None => no_cluster(name),
            },
            ("GET", ["clusters", name]) => {
                self.found(name).map_or_else(|| no_cluster(name), |c| answer(StatusCode::OK, &json!(c)))
            }
            ("GET", ["clusters", name, "status"]) => match self.found(name) {
                Some(_) => answer(StatusCode::OK, &json!({"cluster": name, "hops": []})),
                None => no_cluster(name),
            },
            ("PATCH", ["clusters", name]) => self.change(name, |cluster| {
                let patch: ClusterPatch = serde_json::from_value(body).unwrap();
                for (key, value) in patch.labels {
                    match value {
                        Some(value) => cluster.metadata.labels.insert(key, value),
                        None => cluster.metadata.labels.remove(&key),
                    };
                }
                cluster.spec.display_name = patch.display_name.unwrap_or_default();
                cluster.metadata.revision += 1;
            }),
            ("POST", ["clusters", name, "lock"]) => self.change(name, |cluster| {
                let request: LockRequest = serde_json::from_value(body).unwrap();
                cluster.spec.locked =
                    Some(Lock { by: "alice".into(), since: Timestamp::now(), reason: request.reason });
                cluster.status.state = ClusterState::Locked;
            }),
            ("POST", ["clusters", name, "unlock"]) => self.change(name, |cluster| {
                cluster.spec.locked = None;
                cluster.status.state = ClusterState::Disconnected;
            }),
            ("POST", ["clusters", name, "rotate"]) => self.change(name, |_| {}),
            ("DELETE", ["clusters", name]) => match self.lose(name) {
                Some(cluster) => answer(StatusCode::OK, &json!(cluster)),
                None => no_cluster(name),
            },
            (_, ["pki", ..]) => {
                let mut state = self.lock();
                let status = match state.rotation.len() {
                    0 => RotationStatus::new(vec![], vec![]),
                    1 => state.rotation[0].clone(),
                    _ => state.rotation.pop_front().unwrap(),
                };
                answer(StatusCode::OK, &json!(status))
            }
            _ => answer(StatusCode::NOT_FOUND, &problem(ProblemReason::NotFound, "there is no such path")),
        }
    }

    fn status(&self) -> Value {
        let clusters = self.lock().clusters.len();
        json!({
            "apiVersion": API_VERSION, "kind": "GatewayStatus", "clusterType": "management", "version": "0.1.0",
            "user": "alice", "groups": ["trunkline:admins"], "front": "https://gw.test", "hostSuffix": null,
            "frontRoots": null, "tunnel": ["gw.test:9443"], "pin": "sha256:00", "management": false,
            "clusters": clusters, "connected": 1,
        })
    }

    fn found(&self, name: &str) -> Option<Cluster> {
        self.lock().clusters.get(name).cloned()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Cluster)) -> Response<Body> {
        let Some(mut cluster) = self.found(name) else { return no_cluster(name) };
        change(&mut cluster);
        self.put(cluster.clone());
        answer(StatusCode::OK, &json!(cluster))
    }

    fn register(&self, new: NewCluster) -> Response<Body> {
        if self.found(new.name.as_str()).is_some() {
            let detail = format!("{} is registered already", new.name);
            return answer(StatusCode::CONFLICT, &problem(ProblemReason::Exists, &detail));
        }
        let mut cluster = cluster(new.name.as_str(), ClusterState::Joining);
        cluster.metadata.labels = new.labels;
        self.put(cluster.clone());
        answer(StatusCode::CREATED, &json!(registered(cluster)))
    }

    /// All that is there, `synced`, then what changes. Subscribed before looking, so that nothing is missed.
    fn watch(&self) -> Response<Body> {
        let changes = self.events.subscribe();
        let mut first: Vec<Bytes> = vec![": hello\n\n".into()];
        {
            let mut state = self.lock();
            state.watches += 1;
            for cluster in state.clusters.values().cloned() {
                first.push(line(&ClusterEvent { kind: EventKind::Added, cluster: Some(Box::new(cluster)) }));
            }
        }
        first.push(line(&ClusterEvent { kind: EventKind::Synced, cluster: None }));
        let later = futures_util::stream::unfold(changes, |mut changes| async move {
            match changes.recv().await {
                Ok(Told::Event(event)) => Some((line(&event), changes)),
                Ok(Told::Cut) | Err(_) => None,
            }
        });
        let stream = futures_util::stream::iter(first).chain(later);
        let body = StreamBody::new(stream.map(|bytes| Ok(Frame::data(bytes))));
        Response::builder()
            .header(header::CONTENT_TYPE, "text/event-stream")
            .body(BodyExt::boxed(body))
            .unwrap()
    }
}

fn line(event: &ClusterEvent) -> Bytes {
    format!("data: {}\n\n", serde_json::to_string(event).unwrap()).into()
}

fn registered(cluster: Cluster) -> Registered {
    let manifest = format!("# the manifest\ntoken: {TOKEN}\n");
    let values = format!("# the values\ntoken: {TOKEN}\n");
    let join = Join {
        manifest,
        values,
        chart: "https://gw.test/trunkline/v1/charts/trunkline-agent-0.1.0.tgz".into(),
        namespace: "trunkline".into(),
        expires: Timestamp::now() + jiff::SignedDuration::from_mins(30),
        pin: "sha256:00".into(),
        warnings: vec!["127.0.0.1:9443 is a loopback address: no other machine reaches it".into()],
    };
    Registered { cluster, join }
}

fn no_cluster(name: &str) -> Response<Body> {
    answer(StatusCode::NOT_FOUND, &problem(ProblemReason::NotFound, &format!("there is no cluster {name}")))
}

fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, kind)
        .body(BodyExt::boxed(Full::from(body.to_string())))
        .unwrap()
}
