use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use http::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use trunkline_pki::ClusterKey;
use trunkline_proto::ClusterUid;
use trunkline_runtime::{Door, Tasks};
use trunkline_upstream::UpstreamConfig;

use super::*;
use crate::config::IdentityConfig;
use crate::identity::IdentityStore;

const PATH: &str = "/api/v1/namespaces/trunkline/secrets/trunkline-agent-identity";

/// An API server that holds one Secret and minds resource versions.
#[derive(Clone)]
struct ApiServer {
    state: Arc<Mutex<State>>,
}

struct State {
    secret: Value,
    version: u64,
    writes: usize,
    conflicts: usize,
    /// Answers everything with this instead.
    instead: Option<(StatusCode, String)>,
    asked: BTreeSet<String>,
}

impl ApiServer {
    async fn start(tasks: &Tasks) -> (Self, String) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": "trunkline-agent-identity", "labels": {"app": "trunkline"}, "resourceVersion": "1"}});
        let state =
            State { secret, version: 1, writes: 0, conflicts: 0, instead: None, asked: BTreeSet::new() };
        let this = Self { state: Arc::new(Mutex::new(state)) };
        let door = Door::bind("api server", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", door.address().unwrap());
        let (server, family) = (this.clone(), tasks.clone());
        tasks.spawn_until_stopped(async move {
            loop {
                let (tcp, _) = door.accept().await;
                let server = server.clone();
                family.spawn_until_stopped(async move {
                    let service = service_fn(move |request| {
                        let server = server.clone();
                        async move { Ok::<_, std::convert::Infallible>(server.answer(request).await) }
                    });
                    let serving = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(tcp), service);
                    let _ = serving.await;
                });
            }
        });
        (this, url)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let asked = format!("{} {}", request.method(), request.uri());
        let bearer = request.headers().get(header::AUTHORIZATION).cloned();
        let method = request.method().clone();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let mut state = self.state.lock().unwrap();
        state.asked.insert(asked);
        assert_eq!(bearer.unwrap(), "Bearer the-agents-token");
        let (status, text) = match &state.instead {
            Some(instead) => instead.clone(),
            None if method == Method::PUT => state.put(&body),
            None => (StatusCode::OK, state.secret.to_string()),
        };
        let mut response = Response::new(Full::new(text.into()));
        *response.status_mut() = status;
        response
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn field(&self, name: &str) -> Option<String> {
        let state = self.state();
        let bytes = STANDARD.decode(state.secret["data"][name].as_str()?).unwrap();
        Some(String::from_utf8(bytes).unwrap())
    }
}

impl State {
    fn put(&mut self, body: &[u8]) -> (StatusCode, String) {
        let mut object: Value = serde_json::from_slice(body).unwrap();
        if object["metadata"]["resourceVersion"].as_str() != Some(&self.version.to_string()) {
            self.conflicts += 1;
            return (StatusCode::CONFLICT, json!({"message": "the object has been modified"}).to_string());
        }
        self.version += 1;
        self.writes += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.secret = object;
        (StatusCode::OK, self.secret.to_string())
    }
}

fn store(url: &str, folder: &Path, tasks: &Tasks) -> IdentityStore {
    let token = folder.join("token");
    std::fs::write(&token, "the-agents-token").unwrap();
    let config =
        UpstreamConfig { server: Some(url.into()), token_file: Some(token), ..UpstreamConfig::default() };
    let upstream = Upstream::new(&config, tasks, trunkline_upstream::Metrics::default()).unwrap();
    let (name, namespace) = ("trunkline-agent-identity".into(), "trunkline".into());
    IdentityStore::new(&IdentityConfig::Secret { name, namespace }, &upstream)
}

#[tokio::test]
async fn an_empty_secret_gets_a_key_and_keeps_it() {
    let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
    let (server, url) = ApiServer::start(&tasks).await;
    let store = store(&url, folder.path(), &tasks);
    let first = store.load().await.unwrap();
    assert!(first.roots.is_none() && first.uid.is_none());
    let uid = ClusterUid::random();
    let pin = ClusterKey::generate().unwrap().pin();
    store.keep(Brought { roots: "the roots", uid, pin }).await.unwrap();
    let again = store.load().await.unwrap();
    assert_eq!(again.key.pin(), first.key.pin());
    assert_eq!((again.roots.as_deref(), again.uid, again.pin), (Some("the roots"), Some(uid), Some(pin)));
    assert_eq!(server.field("uid").unwrap(), uid.to_string());
    assert_eq!(server.state().secret["metadata"]["labels"]["app"], "trunkline", "what is not ours stays");
    store.keep(Brought { roots: "the roots", uid, pin }).await.unwrap();
    assert_eq!(server.state().writes, 2, "nothing is written that is there already");
    let asked: Vec<_> = server.state().asked.iter().cloned().collect();
    assert_eq!(asked, [format!("GET {PATH}"), format!("PUT {PATH}")], "this one Secret, and nothing else");
    tasks.shut_down().await;
}

#[tokio::test]
async fn of_many_pods_that_find_no_key_one_wins_and_all_use_its_key() {
    let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
    let (server, url) = ApiServer::start(&tasks).await;
    let pods: Vec<_> = (0..ATTEMPTS)
        .map(|_| {
            let store = store(&url, folder.path(), &tasks);
            tasks.spawn(async move {
                let identity = store.load().await.unwrap();
                let uid = "123e4567-e89b-42d3-a456-426614174000".parse().unwrap();
                let pin = identity.key.pin();
                store.keep(Brought { roots: "the roots", uid, pin }).await.unwrap();
                identity.key.to_pem()
            })
        })
        .collect();
    let mut keys = BTreeSet::new();
    for pod in pods {
        keys.insert(pod.await.unwrap().to_string());
    }
    assert_eq!(keys.len(), 1);
    assert_eq!(server.field("cluster.key").as_ref(), keys.first());
    assert_eq!(server.field("roots.pem").unwrap(), "the roots");
    tasks.shut_down().await;
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_without_the_key() {
    let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
    let (server, url) = ApiServer::start(&tasks).await;
    let store = store(&url, folder.path(), &tasks);
    let status = |message: &str| json!({"message": message}).to_string();
    for (code, text, says) in [
        (
            403,
            status("secrets \"x\" is forbidden"),
            "may not read the Secret trunkline/trunkline-agent-identity",
        ),
        (403, status("secrets \"x\" is forbidden"), "is forbidden"),
        (404, status("not found"), "apply the registration's manifest again"),
        (500, status(&"x".repeat(5_000)), "answered 500"),
        (200, "<html>".into(), "is no Secret"),
        (200, "x".repeat(MAX_SECRET + 1), "more than"),
        (
            200,
            json!({"metadata": {"resourceVersion": "1"}, "data": {"cluster.key": "#"}}).to_string(),
            "is no text",
        ),
        (
            200,
            json!({"metadata": {"resourceVersion": "1"}, "data": {"cluster.key": "aGk="}}).to_string(),
            "cluster.key",
        ),
        (409, status("conflict"), "answered 409"),
    ] {
        server.state().instead = Some((StatusCode::from_u16(code).unwrap(), text));
        let error = trunkline_runtime::chain(&store.load().await.unwrap_err());
        assert!(error.contains(says), "{code}: {error}");
        assert!(error.len() < 700, "{error}");
    }
    assert_eq!(server.state().writes, 0, "a key that is there is never replaced");
    tasks.shut_down().await;
    let error = trunkline_runtime::chain(&store.load().await.unwrap_err());
    assert!(error.contains("cannot reach the API server for the Secret"), "{error}");
}
