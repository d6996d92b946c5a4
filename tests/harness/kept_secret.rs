//! A fake API server that holds one Secret and knows of resource versions.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use trunkline_agent::{AgentConfig, Credentials, IdentityConfig};
use trunkline_pki::ClusterKey;
use trunkline_runtime::{Body, Tasks, full};

use crate::paper::Paper;
use crate::upstream::{FakeUpstream, Wire};

/// A Secret at a fake API server. Clones are the same one.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    upstream: FakeUpstream,
    namespace: String,
    name: String,
    object: Arc<Mutex<Value>>,
}

impl KeptSecret {
    /// An empty Secret, as the manifest makes it.
    pub async fn start(paper: &Paper, tasks: &Tasks, namespace: &str, name: &str) -> Self {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": "1"},
        });
        let object = Arc::new(Mutex::new(object));
        let (held, path) = (object.clone(), format!("/api/v1/namespaces/{namespace}/secrets/{name}"));
        let upstream = FakeUpstream::answering(paper, Wire::Tls, tasks, move |request| {
            let (held, path) = (held.clone(), path.clone());
            async move { answer(request, &held, &path).await }
        })
        .await;
        Self { upstream, namespace: namespace.to_owned(), name: name.to_owned(), object }
    }

    /// The same agent, with its identity in this Secret.
    pub fn pod(&self, mut config: AgentConfig, paper: &Paper) -> AgentConfig {
        config.upstream = self.upstream.config(paper);
        if let Credentials::Enrol(enrol) = &mut config.gateway.credentials {
            let (name, namespace) = (self.name.clone(), self.namespace.clone());
            enrol.identity = IdentityConfig::Secret { name, namespace };
        }
        config
    }

    /// The cluster key that is in it.
    pub fn key(&self) -> ClusterKey {
        let text = self.object.lock().unwrap()["data"]["cluster.key"].as_str().unwrap().to_owned();
        ClusterKey::from_pem(&String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()).unwrap()
    }
}

async fn answer(request: Request<Incoming>, held: &Mutex<Value>, path: &str) -> Response<Body> {
    if request.uri().path() != path {
        return Response::new(full("{}"));
    }
    let put = request.method() == Method::PUT;
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let mut object = held.lock().unwrap();
    let version = object["metadata"]["resourceVersion"].clone();
    if put {
        let mut newest: Value = serde_json::from_slice(&body).unwrap();
        if newest["metadata"]["resourceVersion"] != version {
            let status =
                json!({"kind": "Status", "reason": "Conflict", "message": "the object has been modified"});
            let mut conflict = Response::new(full(status.to_string()));
            *conflict.status_mut() = StatusCode::CONFLICT;
            return conflict;
        }
        let next = version.as_str().unwrap().parse::<u64>().unwrap() + 1;
        newest["metadata"]["resourceVersion"] = json!(next.to_string());
        *object = newest;
    }
    Response::new(full(object.to_string()))
}
