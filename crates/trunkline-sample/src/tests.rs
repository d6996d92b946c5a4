use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
use trunkline_runtime::Tasks;

use crate::SampleCluster;
use crate::contents::tick;
use crate::kinds::{KINDS, text};
use crate::store::HISTORY;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// A served cluster, and whoever asks it.
struct Sample {
    cluster: SampleCluster,
    address: SocketAddr,
    tasks: Tasks,
    group: &'static str,
    accept: &'static str,
}

impl Sample {
    async fn served() -> Self {
        let (cluster, tasks) = (SampleCluster::new("alpha", "sesame"), Tasks::new());
        let bound = cluster.clone().bind((Ipv4Addr::LOCALHOST, 0).into(), None).await.unwrap();
        let address = bound.address();
        bound.serve(&tasks);
        Self { cluster, address, tasks, group: "trunkline:admins", accept: "application/json" }
    }

    fn asking(&self, method: Method, path: &str) -> http::request::Builder {
        let fixed = [("host", "sample"), ("authorization", "Bearer sesame"), ("impersonate-user", "vera")];
        let own = [("accept", self.accept), ("impersonate-group", self.group)];
        let request = Request::builder().method(method).uri(path);
        fixed.into_iter().chain(own).fold(request, |request, (name, value)| request.header(name, value))
    }

    async fn send(&self, request: http::request::Builder) -> Response<Incoming> {
        self.send_with(request, Bytes::new()).await
    }

    async fn send_with(&self, request: http::request::Builder, body: Bytes) -> Response<Incoming> {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        self.tasks.spawn(connection);
        sender.send_request(request.body(Full::new(body)).unwrap()).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let response = self.send(self.asking(Method::GET, path)).await;
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    /// The path of some pod that stays.
    async fn pod(&self) -> String {
        let pods = self.get("/api/v1/namespaces/shop/pods").await;
        format!("/api/v1/namespaces/shop/pods/{}", text(&pods, "/items/0/metadata/name"))
    }

    /// Runs a command; gives its output and its status.
    async fn exec(&self, command: &str, input: &'static [u8]) -> (String, Value) {
        let path = format!("ws://sample{}/exec?stdin=1&stdout=1&stderr=1{command}", self.pod().await);
        let mut request = path.into_client_request().unwrap();
        request.headers_mut().extend(self.asking(Method::GET, "/").body(()).unwrap().headers().clone());
        request.headers_mut().insert("sec-websocket-protocol", "v5.channel.k8s.io".parse().unwrap());
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        for message in [[b"\0", input].concat(), vec![255, 0]] {
            socket.send(Message::Binary(message.into())).await.unwrap();
        }
        let (mut output, mut status) = (String::new(), Value::Null);
        while let Some(Ok(Message::Binary(message))) = socket.next().await {
            match message[0] {
                3 => status = serde_json::from_slice(&message[1..]).unwrap(),
                _ => output.push_str(std::str::from_utf8(&message[1..]).unwrap()),
            }
        }
        (output, status)
    }
}

/// The next chunk of a body that goes on.
async fn chunk(body: &mut Incoming) -> Bytes {
    body.frame().await.unwrap().unwrap().into_data().unwrap()
}

#[tokio::test]
async fn a_list_can_be_taken_in_chunks_and_narrowed() {
    let sample = Sample::served().await;
    let (mut token, mut names) = (String::new(), Vec::new());
    loop {
        let page = sample.get(&format!("/api/v1/pods?limit=5&continue={token}")).await;
        names.extend(
            page["items"].as_array().unwrap().iter().map(|pod| text(pod, "/metadata/name").to_owned()),
        );
        token = text(&page, "/metadata/continue").to_owned();
        if token.is_empty() {
            break;
        }
    }
    let all = names.len();
    names.dedup();
    assert_eq!((all, names.len()), (12, 12));
    let one = format!("/api/v1/pods?labelSelector=app%3Dcart&fieldSelector=metadata.name%3D{}", names[6]);
    assert_eq!(sample.get(&one).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(sample.get("/api/v1/pods?labelSelector=app%20in%20(cart)").await["code"], 400);
}

#[tokio::test]
async fn a_table_has_a_cell_for_every_column() {
    let sample = Sample { accept: TABLE, ..Sample::served().await };
    for kind in KINDS {
        let root = if kind.group.is_empty() { "/api" } else { "/apis" };
        let table = sample.get(&format!("{root}/{}/{}", kind.api_version(), kind.plural)).await;
        let row = table["rows"][0]["cells"].as_array().unwrap();
        assert_eq!(row.len(), table["columnDefinitions"].as_array().unwrap().len(), "{}", kind.plural);
        assert!(row.iter().all(|cell| !cell.is_null()), "{row:?}");
    }
}

#[tokio::test]
async fn a_watch_sees_what_a_tick_changes() {
    let sample = Sample { accept: TABLE, ..Sample::served().await };
    let version = text(&sample.get("/api/v1/pods").await, "/metadata/resourceVersion").to_owned();
    let watch = sample.asking(Method::GET, &format!("/api/v1/pods?watch=1&resourceVersion={version}"));
    let mut body = sample.send(watch).await.into_body();
    for (what, columns) in [("ADDED", 9), ("MODIFIED", 0), ("DELETED", 0)] {
        sample.cluster.tick();
        let event: Value = serde_json::from_slice(&chunk(&mut body).await).unwrap();
        assert_eq!((text(&event, "/type"), &event["object"]["kind"]), (what, &"Table".into()));
        assert_eq!(event["object"]["columnDefinitions"].as_array().unwrap().len(), columns);
    }
    assert_eq!(sample.cluster.requests(), 2);
}

#[tokio::test]
async fn a_watch_from_before_the_history_is_told_that_it_is_gone() {
    let sample = Sample::served().await;
    let version = text(&sample.get("/api/v1/pods").await, "/metadata/resourceVersion").to_owned();
    (0..HISTORY as u32).for_each(|serial| tick(&sample.cluster.state.store, "alpha", serial));
    let event = sample.get(&format!("/api/v1/pods?watch=1&resourceVersion={version}")).await;
    assert_eq!((text(&event, "/type"), &event["object"]["code"]), ("ERROR", &410.into()));
}

#[tokio::test]
async fn followed_logs_go_on() {
    let sample = Sample::served().await;
    let log = format!("{}/log?follow=true&tailLines=2", sample.pod().await);
    let mut body = sample.send(sample.asking(Method::GET, &log)).await.into_body();
    let past = chunk(&mut body).await;
    assert_eq!(past.iter().filter(|byte| **byte == b'\n').count(), 2);
    assert!(chunk(&mut body).await.starts_with(b"20"));
}

#[tokio::test]
async fn exec_runs_the_toy_shell_and_says_how_it_ended() {
    let sample = Sample::served().await;
    let (output, status) = sample.exec("&command=cat", b"said back").await;
    assert_eq!((output.as_str(), text(&status, "/status")), ("said back", "Success"));
    let (output, _) = sample.exec("&command=sh", b"echo one\n echo 'two'; nope").await;
    assert_eq!(output, "one\ntwo\nsh: nope: not found\n");
    let (_, status) = sample.exec("&command=rm&command=-rf&command=/", b"").await;
    assert_eq!(status["details"]["causes"][0]["message"], "127");
}

#[tokio::test]
async fn who_may_not_is_refused_with_a_status() {
    let mut sample = Sample::served().await;
    let pod = sample.pod().await;
    let stranger = Request::get("/api").header("host", "sample").header("authorization", "Bearer guess");
    assert_eq!(sample.send(stranger).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        sample.send(sample.asking(Method::DELETE, &pod)).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    sample.group = "trunkline:viewers";
    assert_eq!(sample.send(sample.asking(Method::DELETE, &pod)).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(sample.get(&pod).await["kind"], "Pod");
    let refused = sample.get(&format!("{pod}/exec?command=sh")).await;
    assert!(
        text(&refused, "/message").contains(r#"User "vera" cannot create resource "pods/exec""#),
        "{refused}"
    );
    sample.group = "somebody";
    assert_eq!(sample.get("/api/v1/pods").await["reason"], "Forbidden");
    assert_eq!(sample.get("/apis").await["kind"], "APIGroupList");
}

#[tokio::test]
async fn a_review_says_what_somebody_may() {
    let mut sample = Sample::served().await;
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let own = || Request::post(path).header("host", "sample").header("authorization", "Bearer sesame");
    let body = |verb: &str, resource: &str| {
        let what = json!({"verb": verb, "resource": resource});
        Bytes::from(json!({"spec": {"resourceAttributes": what}}).to_string())
    };
    let allowed = async |request, body| {
        let answer = sample.send_with(request, body).await.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<Value>(&answer).unwrap()["status"]["allowed"].as_bool()
    };
    assert_eq!(allowed(own(), body("impersonate", "users")).await, Some(true));
    assert_eq!(
        allowed(own(), body("list", "nodes")).await,
        Some(false),
        "the token alone may look at nothing"
    );
    assert_eq!(allowed(own(), Bytes::from("[")).await, None);
    let as_vera = || sample.asking(Method::POST, path);
    assert_eq!(allowed(as_vera(), body("list", "nodes")).await, Some(true));
    assert_eq!(allowed(as_vera(), body("impersonate", "users")).await, Some(true), "admins may everything");
    sample.group = "trunkline:viewers";
    let refused = sample.send_with(sample.asking(Method::POST, path), body("create", "pods")).await;
    let refused = refused.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&refused).contains(r#""allowed":false"#));
}
