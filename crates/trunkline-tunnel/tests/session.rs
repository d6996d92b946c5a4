//! A gateway's and an agent's session over an in-memory link: what must hold whatever the mux does.

#![allow(clippy::unwrap_used, reason = "a test may fail by panic anywhere")]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use trunkline_proto::{CloseReason, Epoch, Limits};
use trunkline_runtime::{Body, Tasks, empty, full};
use trunkline_tunnel::{Inbound, OpenError, Role, Session, serve};

struct Pair {
    gateway: Session,
    agent: Session,
    at_agent: Option<Inbound>,
    tasks: Tasks,
}

fn pair() -> Pair {
    pair_with(Limits::DEFAULT)
}

fn pair_with(agent_allows: Limits) -> Pair {
    let (near, far) = tokio::io::duplex(256 * 1024);
    let tasks = Tasks::new();
    let (gateway, _) = Session::start(near, Role::Door, Limits::DEFAULT, &tasks);
    let (agent, at_agent) = Session::start(far, Role::Dialler, agent_allows, &tasks);
    gateway.allow(agent_allows);
    agent.allow(Limits::DEFAULT);
    Pair { gateway, agent, at_agent: Some(at_agent), tasks }
}

impl Pair {
    /// The agent answers with `answer`.
    fn serving<A, F>(mut self, answer: A) -> Self
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let inbound = self.at_agent.take().unwrap();
        self.tasks.spawn(serve(inbound, answer));
        self
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, "kubernetes").body(empty()).unwrap()
}

/// A body that sends what the sender is given, and ends when it is dropped.
fn channel_body() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(1);
    let stream = futures_util::stream::poll_fn(move |cx| {
        receiver.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    });
    (sender, StreamBody::new(stream).boxed_unsync())
}

/// Answers `/big` with a gigabyte, anything else with "ok", and counts the streams it was reached by.
async fn sample(request: Request<Incoming>) -> Response<Body> {
    if request.uri().path() == "/big" {
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        let chunks = futures_util::stream::repeat_with(move || Ok(Frame::data(chunk.clone())));
        let chunks = futures_util::StreamExt::take(chunks, 16 * 1024);
        return Response::new(StreamBody::new(chunks).boxed_unsync());
    }
    Response::new(full("ok"))
}

async fn text(response: Response<trunkline_tunnel::Answer>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_stream_is_kept_between_requests_and_reused() {
    let mut pair = pair();
    let mut inbound = pair.at_agent.take().unwrap();
    let streams = Arc::new(AtomicUsize::new(0));
    let (counted, tasks) = (streams.clone(), pair.tasks.clone());
    pair.tasks.spawn(async move {
        while let Some(stream) = inbound.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tasks.spawn(async move {
                let service = hyper::service::service_fn(|_| async {
                    Ok::<_, hyper::Error>(Response::new(full("ok")))
                });
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
            });
        }
    });
    for _ in 0..50 {
        let response = pair.gateway.request(get("/")).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    assert_eq!(streams.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_cancelled_exchange_resets_its_stream_and_the_other_end_notices() {
    let (body, sending) = channel_body();
    let sending = Arc::new(std::sync::Mutex::new(Some(sending)));
    let pair = pair().serving(move |_| {
        let body = sending.lock().unwrap().take();
        async move { Response::new(body.unwrap_or_else(|| full("ok"))) }
    });
    let response = pair.gateway.request(get("/watch")).await.unwrap();
    drop(response);
    // The agent's body is dropped once the reset arrives.
    tokio::time::timeout(Duration::from_secs(5), body.closed()).await.expect("the cancel must arrive");
    let response = pair.gateway.request(get("/")).await.unwrap();
    assert_eq!(text(response).await, "ok");
    assert_eq!(pair.gateway.in_flight(), 0);
}

#[tokio::test]
async fn an_answer_before_the_requests_end_is_delivered_and_the_stream_not_kept() {
    let pair = pair().serving(|_| async {
        let mut refused = Response::new(full("too large"));
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        refused
    });
    let (_held_open, body) = channel_body();
    let request = Request::post("/").header(header::HOST, "kubernetes").body(body).unwrap();
    let response = pair.gateway.request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text(response).await, "too large");
    let response = pair.gateway.request(get("/")).await.unwrap();
    assert_eq!(text(response).await, "too large");
}

#[tokio::test]
async fn a_thousand_requests_may_wait_for_their_answers_at_once() {
    // More than the library's backlog of unacknowledged streams.
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let held = gate.clone();
    let pair = pair().serving(move |_| {
        let held = held.clone();
        async move {
            let _ = held.acquire().await;
            Response::new(full("ok"))
        }
    });
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let gateway = pair.gateway.clone();
            pair.tasks.spawn(async move { text(gateway.request(get("/")).await.unwrap()).await })
        })
        .collect();
    while pair.gateway.in_flight() < 1000 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(1000);
    for request in requests {
        assert_eq!(request.await.unwrap(), "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn one_stream_over_the_other_ends_limit_waits_and_fails_alone() {
    let pair = pair_with(Limits { streams: 2 });
    let _first = pair.gateway.open().await.unwrap();
    let _second = pair.gateway.open().await.unwrap();
    assert!(matches!(pair.gateway.open().await, Err(OpenError::NoStreams)));
    assert!(!pair.gateway.is_ended(), "the session must survive");
}

#[tokio::test]
async fn t32_a_half_closed_and_dropped_stream_does_not_leave_the_other_ends_writer_stuck() {
    let mut pair = pair();
    let mut inbound = pair.at_agent.take().unwrap();
    let mut stream = pair.gateway.open().await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.shutdown().await.unwrap();
    drop(stream);
    let mut at_agent = inbound.accept().await.unwrap();
    let writing = async {
        let chunk = vec![0; 64 * 1024];
        for _ in 0..200 {
            at_agent.write_all(&chunk).await?;
        }
        at_agent.flush().await
    };
    let ended = tokio::time::timeout(Duration::from_secs(10), writing).await;
    assert!(ended.is_ok(), "the writer must end, well or badly, but not hang");
}

#[tokio::test]
async fn a_reset_is_an_error_and_an_end_is_not() {
    let mut pair = pair();
    let mut inbound = pair.at_agent.take().unwrap();
    let mut ending = pair.gateway.open().await.unwrap();
    ending.write_all(b"all").await.unwrap();
    ending.shutdown().await.unwrap();
    let mut resetting = pair.gateway.open().await.unwrap();
    resetting.write_all(b"part").await.unwrap();
    resetting.flush().await.unwrap();
    let mut first = inbound.accept().await.unwrap();
    let mut second = inbound.accept().await.unwrap();
    let mut heard = Vec::new();
    first.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"all");
    let mut part = [0; 4];
    second.read_exact(&mut part).await.unwrap();
    drop(resetting);
    let error = second.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn t32_the_sessions_end_ends_every_read_and_says_why() {
    let mut pair = pair();
    let mut inbound = pair.at_agent.take().unwrap();
    let mut stream = pair.gateway.open().await.unwrap();
    stream.write_all(b"x").await.unwrap();
    stream.flush().await.unwrap();
    let mut at_agent = inbound.accept().await.unwrap();
    assert_eq!(at_agent.read_u8().await.unwrap(), b'x');
    pair.gateway.close(CloseReason::Revoked);
    assert!(at_agent.read_u8().await.is_err());
    assert_eq!(pair.gateway.ended().await, CloseReason::Revoked);
    assert!(matches!(pair.agent.ended().await, CloseReason::LinkLost(_)));
    assert!(matches!(pair.gateway.open().await, Err(OpenError::Ended(CloseReason::Revoked))));
}

#[tokio::test]
async fn a_draining_session_opens_nothing_and_finishes_what_is_in_flight() {
    let (body, sending) = channel_body();
    let sending = Arc::new(std::sync::Mutex::new(Some(sending)));
    let pair = pair().serving(move |_| {
        let body = sending.lock().unwrap().take().unwrap();
        async move { Response::new(body) }
    });
    let response = pair.gateway.request(get("/slow")).await.unwrap();
    pair.gateway.drain();
    assert!(matches!(pair.gateway.open().await, Err(OpenError::Draining)));
    body.send(Bytes::from("late")).await.unwrap();
    drop(body);
    assert_eq!(text(response).await, "late");
}

#[tokio::test(start_paused = true)]
async fn t32_a_silent_other_end_is_dead_nine_seconds_after_its_last_byte() {
    // The far end of this link swallows everything and says nothing, like a frozen process.
    let (near, far) = tokio::io::duplex(1 << 20);
    let tasks = Tasks::new();
    let (gateway, _inbound) = Session::start(near, Role::Door, Limits::DEFAULT, &tasks);
    let started = tokio::time::Instant::now();
    gateway.keep_alive(Epoch(1)).await;
    assert_eq!(gateway.ended().await, CloseReason::Silent);
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(9) && took < Duration::from_secs(10), "{took:?}");
    drop(far);
}

/// A link whose other end has said no and hung up: the no can be read a moment after a write has failed.
#[derive(Default)]
struct HungUp {
    written: bool,
    reader: Option<Waker>,
}

impl tokio::io::AsyncRead for HungUp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.written {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "no")));
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl tokio::io::AsyncWrite for HungUp {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        self.written = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn what_the_other_end_said_counts_more_than_that_it_hung_up() {
    let tasks = Tasks::new();
    let (agent, _inbound) = Session::start(HungUp::default(), Role::Dialler, Limits::DEFAULT, &tasks);
    assert!(agent.request(get("/")).await.is_err());
    assert_eq!(agent.ended().await, CloseReason::LinkLost("no".into()));
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_lives_although_answers_take_no_time() {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let tasks = Tasks::new();
    let (gateway, at_gateway) = Session::start(near, Role::Door, Limits::DEFAULT, &tasks);
    let (agent, at_agent) = Session::start(far, Role::Dialler, Limits::DEFAULT, &tasks);
    for inbound in [at_gateway, at_agent] {
        tasks.spawn(serve(inbound, async |_| Response::new(full("null"))));
    }
    let watched = async { tokio::join!(gateway.keep_alive(Epoch(1)), agent.keep_alive(Epoch(1))) };
    assert!(tokio::time::timeout(Duration::from_secs(3600), watched).await.is_err());
    assert!(gateway.is_open() && agent.is_open());
}

#[tokio::test]
async fn t29_a_stopped_reader_holds_back_its_own_stream_only() {
    let pair = pair().serving(sample);
    let stopped = pair.gateway.request(get("/big")).await.unwrap();
    for _ in 0..200 {
        let response = pair.gateway.request(get("/")).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    let heard = pair.gateway.traffic().received;
    assert!(heard < 32 * 1024 * 1024, "a stopped reader must not make us hold its gigabyte: {heard} bytes");
    drop(stopped);
}

#[tokio::test]
async fn an_upgrade_has_a_stream_of_its_own_that_dies_with_it() {
    let pair = pair().serving(|mut request| async move {
        let upgrade = hyper::upgrade::on(&mut request);
        #[expect(clippy::disallowed_methods, reason = "the test's own echo task")]
        tokio::spawn(async move {
            let mut io = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
            let mut word = [0; 4];
            io.read_exact(&mut word).await.unwrap();
            io.write_all(&word).await.unwrap();
            io.shutdown().await.unwrap();
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "echo")
            .body(empty())
            .unwrap()
    });
    let request = Request::get("/exec")
        .header(header::HOST, "kubernetes")
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "echo")
        .body(empty())
        .unwrap();
    let mut response = pair.gateway.request(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut io = hyper_util::rt::TokioIo::new(hyper::upgrade::on(&mut response).await.unwrap());
    assert_eq!(pair.gateway.in_flight(), 1, "an upgrade counts as long as its answer is held");
    io.write_all(b"ping").await.unwrap();
    let mut heard = Vec::new();
    io.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, b"ping");
    drop((io, response));
    assert_eq!(pair.gateway.in_flight(), 0);
}

/// The panics are in what answers, which is the test's: the product has no place to put one.
#[tokio::test]
async fn t34_an_answer_that_panics_ends_its_own_stream_and_no_other() {
    let answer = |request: Request<Incoming>| async move {
        assert!(!request.uri().path().starts_with("/panic"), "on purpose");
        Response::new(full("ok"))
    };
    let pair = pair().serving(answer);
    let (watch, body) = channel_body();
    let open = Request::post("/open").header(header::HOST, "kubernetes").body(body).unwrap();
    let open = pair.gateway.request(open);
    tokio::pin!(open);
    for n in 0..50 {
        assert!(pair.gateway.request(get(&format!("/panic/{n}"))).await.is_err());
        let response = pair.gateway.request(get("/good")).await.unwrap();
        assert_eq!(text(response).await, "ok");
    }
    drop(watch);
    assert_eq!(open.await.unwrap().status(), StatusCode::OK);
    assert!(pair.gateway.is_open() && pair.agent.is_open());
}

#[tokio::test]
async fn a_session_that_steps_aside_goes_on_and_what_answers_on_it_does_so_aside() {
    let answer = async |_: Request<Incoming>| {
        Response::new(full(std::thread::current().name().unwrap_or_default().to_owned()))
    };
    let pair = pair().serving(answer);
    let where_it_runs = async || text(pair.gateway.request(get("/")).await.unwrap()).await;
    assert_ne!(where_it_runs().await, "aside");
    pair.gateway.step_aside();
    pair.agent.step_aside();
    // The stream that was kept has its place already; the one that is opened beside it has it aside.
    let (one, other) = tokio::join!(where_it_runs(), where_it_runs());
    assert!([one, other].contains(&Bytes::from_static(b"aside")));
    pair.tasks.shut_down().await;
    assert_eq!(pair.gateway.ended().await, CloseReason::Shutdown);
}
