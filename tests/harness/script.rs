//! What a fake upstream answers, by path:
//!
//! | path | answer |
//! |---|---|
//! | `/bytes/N` | N bytes with a `content-length` |
//! | `/stream/N` | N bytes without |
//! | `/echo` | the request's body, while it comes |
//! | `/collect` | reads the whole body, answers its length |
//! | `/lines/N` | N lines of 100 bytes, in plain text; how many bytes were made is counted |
//! | `/line/N` | one line of N bytes without its end, and no end of the body |
//! | `/held` | 200 and a first piece; the rest when released |
//! | `/stuck` | no answer until released |
//! | `/watch` | one event, then one more per release |
//! | `.../log` | one line, then one more per release |
//! | `/status/N` | that status, empty |
//! | `/redirect` | 302 to what stands in the field `x-requested-with` |
//! | `/fields?name=value&...` | 200 with these fields |
//! | `/upgrade`, `.../exec` | 101 and an echo, if asked; else 400 |
//! | `/decline/N` | that status with a body, whatever is asked |
//! | `.../selfsubjectaccessreviews` | whether the agent has that right, see [`crate::FakeUpstream::deny`] |
//! | else | 200 and `{}` |

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use trunkline_runtime::{Body, boxed, empty, full};

use crate::bodies::{channel, repeated};
use crate::upstream::Shared;

/// Where an agent asks for its rights.
pub(crate) const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

pub(crate) async fn answer(mut request: Request<Incoming>, shared: Arc<Shared>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let mut parts = path.trim_start_matches('/').split('/');
    let (what, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let number: u64 = number.parse().unwrap_or(0);
    if path == REVIEWS {
        return review(request, &shared).await;
    }
    if path.ends_with("/log") {
        return plain(told_by_release(shared, |at| format!("line {at}\n")));
    }
    if path.ends_with("/exec") {
        return upgrade(&mut request, &shared);
    }
    match what {
        "bytes" => {
            let mut response = Response::new(repeated(number));
            response.headers_mut().insert(header::CONTENT_LENGTH, number.into());
            response
        }
        "stream" => Response::new(repeated(number)),
        "echo" => Response::new(boxed(request.into_body())),
        "collect" => {
            let mut body = request.into_body();
            let mut length = 0;
            while let Some(Ok(frame)) = body.frame().await {
                length += frame.data_ref().map_or(0, Bytes::len);
            }
            Response::new(full(length.to_string()))
        }
        "lines" => plain(lines(&shared, number)),
        "line" => plain(endless(&shared, number)),
        "held" => held(&shared, b"first ", b"last"),
        "stuck" => {
            shared.released.notified().await;
            Response::new(full("released"))
        }
        "watch" => watch(shared),
        "status" => with_status(number, empty()),
        "decline" => with_status(number, full("not today")),
        "redirect" => {
            let mut response = with_status(302, empty());
            if let Some(to) = request.headers().get("x-requested-with") {
                response.headers_mut().insert(header::LOCATION, to.clone());
            }
            response
        }
        "fields" => fields(&query),
        "upgrade" => upgrade(&mut request, &shared),
        _ => {
            let mut response = Response::new(full("{}"));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    }
}

fn plain(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// So many lines, a thousand at a time, each with its number.
fn lines(shared: &Arc<Shared>, number: u64) -> Body {
    let (sender, body) = channel();
    let made = shared.clone();
    shared.tasks.spawn_until_stopped(async move {
        for first in (0..number).step_by(1000) {
            let piece: String = (first..number.min(first + 1000)).map(|at| format!("{at:099}\n")).collect();
            made.made.fetch_add(piece.len() as u64, Ordering::Relaxed);
            if !sender.send(piece).await {
                return;
            }
        }
    });
    body
}

/// A line that is begun and never ended.
fn endless(shared: &Arc<Shared>, bytes: u64) -> Body {
    let (sender, body) = channel();
    let waiting = shared.clone();
    shared.tasks.spawn_until_stopped(async move {
        sender.send(vec![b'x'; usize::try_from(bytes).unwrap_or(0)]).await;
        waiting.released.notified().await;
    });
    body
}

async fn review(request: Request<Incoming>, shared: &Shared) -> Response<Body> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let asked: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let resource = asked["spec"]["resourceAttributes"]["resource"].as_str().unwrap_or_default().to_owned();
    let allowed = !shared.denied.lock().unwrap().contains(&resource);
    with_status(201, full(serde_json::json!({"status": {"allowed": allowed}}).to_string()))
}

fn with_status(status: u64, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        u16::try_from(status).ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default();
    response
}

fn held(shared: &Arc<Shared>, first: &'static [u8], last: &'static [u8]) -> Response<Body> {
    let (sender, body) = channel();
    let released = shared.clone();
    shared.tasks.spawn_until_stopped(async move {
        // Listening begins before the first piece leaves: whoever has seen it may release at once.
        let mut waiting = std::pin::pin!(released.released.notified());
        waiting.as_mut().enable();
        sender.send(first).await;
        waiting.await;
        sender.send(last).await;
    });
    Response::new(body)
}

fn watch(shared: Arc<Shared>) -> Response<Body> {
    let event = |at| format!("{{\"type\":\"ADDED\",\"object\":{{\"at\":{at}}}}}\n");
    let mut response = Response::new(told_by_release(shared, event));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body of one piece at once and one more per release.
fn told_by_release(shared: Arc<Shared>, piece: impl Fn(usize) -> String + Send + 'static) -> Body {
    let (sender, body) = channel();
    let tasks = shared.tasks.clone();
    tasks.spawn_until_stopped(async move {
        for at in 0.. {
            let mut waiting = std::pin::pin!(shared.released.notified());
            waiting.as_mut().enable();
            if !sender.send(piece(at)).await {
                return;
            }
            waiting.await;
        }
    });
    body
}

fn fields(query: &str) -> Response<Body> {
    let mut response = Response::new(full("<script>1</script>"));
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn upgrade(request: &mut Request<Incoming>, shared: &Arc<Shared>) -> Response<Body> {
    let Some(token) = request.headers().get(header::UPGRADE).cloned() else {
        return with_status(400, full("nobody asked"));
    };
    let protocol = request.headers().get(header::SEC_WEBSOCKET_PROTOCOL).cloned();
    let upgraded = hyper::upgrade::on(request);
    shared.tasks.spawn_until_stopped(async move {
        let Ok(upgraded) = upgraded.await else { return };
        let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
        let _ = tokio::io::copy(&mut read, &mut write).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut write).await;
    });
    let mut response = with_status(101, empty());
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response.headers_mut().insert(header::UPGRADE, token);
    if let Some(protocol) = protocol {
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}
