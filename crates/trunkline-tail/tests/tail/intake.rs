//! An intake that is a fake: it keeps what it says yes to by `_id`, and says what it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use trunkline_runtime::{Body, Door, Tasks, full};

/// What the next request hears.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// Yes.
    Yes,
    /// A status for all of it, and nothing is kept.
    No(u16),
    /// This status for every second record, which is not kept.
    Half(u16),
    /// Yes, and nobody hears it.
    Cut,
}

#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Documents by `_id`.
    pub(crate) stored: BTreeMap<String, Value>,
    pub(crate) requests: usize,
    /// How many records the last request had.
    pub(crate) last: usize,
    pub(crate) says: VecDeque<Says>,
    pub(crate) authorization: Option<String>,
}

/// An intake that is a fake.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    pub(crate) url: String,
    pub(crate) heard: Arc<Mutex<Heard>>,
    pub(crate) tasks: Tasks,
}

impl Intake {
    pub(crate) async fn start() -> Self {
        let tasks = Tasks::new();
        let door = Door::bind("fake intake", ([127, 0, 0, 1], 0).into()).await.unwrap();
        let url = format!("http://{}", door.address().unwrap());
        let heard = Arc::new(Mutex::new(Heard::default()));
        let intake = Self { url, heard, tasks: tasks.clone() };
        let served = intake.clone();
        tasks.spawn_until_stopped(async move {
            loop {
                let (stream, _) = door.accept().await;
                let intake = served.clone();
                let service = service_fn(move |request| {
                    let intake = intake.clone();
                    async move { intake.answer(request).await }
                });
                let served_one = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                served.tasks.spawn_until_stopped(async move { _ = served_one.await });
            }
        });
        intake
    }

    pub(crate) fn say(&self, says: impl IntoIterator<Item = Says>) {
        self.heard.lock().unwrap().says.extend(says);
    }

    pub(crate) fn messages(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let mut all: Vec<_> =
            heard.stored.values().map(|document| document["message"].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, std::io::Error> {
        if request.method() == http::Method::GET {
            return Ok(Response::new(full("{}")));
        }
        let shown = request.headers().get(header::AUTHORIZATION);
        let shown = shown.map(|value| value.to_str().unwrap().to_owned());
        let body = request.into_body().collect().await.map_err(std::io::Error::other)?.to_bytes();
        let text = std::str::from_utf8(&body).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut heard = self.heard.lock().unwrap();
        let says = heard.says.pop_front().unwrap_or(Says::Yes);
        (heard.requests, heard.authorization, heard.last) = (heard.requests + 1, shown, 0);
        let mut items = Vec::new();
        while let (Some(action), Some(document)) = (lines.next(), lines.next()) {
            let at = heard.last;
            heard.last += 1;
            let id = action["create"]["_id"].as_str().unwrap().to_owned();
            let status = match says {
                Says::No(status) => status,
                Says::Half(status) if at % 2 == 1 => status,
                Says::Yes | Says::Cut | Says::Half(_) => 201,
            };
            if status == 201 {
                let before = heard.stored.insert(id, document.clone());
                if let Some(before) = before {
                    assert_eq!(before["message"], document["message"], "one id for two records");
                }
            }
            items.push(json!({"create": {"status": status, "error": {"reason": "said so"}}}));
        }
        match says {
            Says::Cut => Err(std::io::Error::other("cut")),
            Says::No(status) => {
                let mut response = Response::new(full("no"));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
                Ok(response)
            }
            Says::Yes | Says::Half(_) => {
                Ok(Response::new(full(json!({"errors": true, "items": items}).to_string())))
            }
        }
    }
}
