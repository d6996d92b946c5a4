//! Streams are kept between requests. No answer goes to another request, and what a client leaves is ended all the
//! way to the upstream.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use trunkline_runtime::{Tasks, empty, full};
use trunkline_tests::{BodySender, FakeUpstream, Rig, Wire, channel, eventually, repeated, within};

const SOON: Duration = Duration::from_secs(10);
/// Users at once, and what each asks for.
const USERS: usize = 8;
const ROUNDS: usize = 150;

/// A rig whose upstream answers many times over with each request's own user and path.
async fn mirror(wire: Wire) -> Rig {
    let mut rig = Rig::builder().without_agents().start().await;
    let answering = move |request: Request<hyper::body::Incoming>| async move {
        let user =
            request.headers().get("impersonate-user").map_or("", |user| user.to_str().unwrap()).to_owned();
        let mine = format!("{user} {}\n", request.uri().path());
        // A server of HTTP/1.1 that answers early hangs up; over HTTP/2 it need not read what it does not want.
        let reads = wire == Wire::TlsHttp1 && request.method() == Method::PUT;
        let times = if request.uri().path().contains("/long/") { 5000 } else { 1 };
        if reads {
            let _ = request.into_body().collect().await;
        }
        Response::new(full(mine.repeat(times)))
    };
    let upstream = FakeUpstream::answering(&rig.paper, wire, &rig.tasks, answering).await;
    let mut config = rig.agent_config("alpha");
    config.upstream = upstream.config(&rig.paper);
    rig.start_agent_with("alpha", config).await;
    rig
}

/// One user who asks, leaves, asks again: in every way that a stream can be left.
async fn ask_and_leave(rig_client: trunkline_tests::Client, user: String, tasks: Tasks) -> usize {
    let mut http2 = rig_client.http2().await;
    let mut whole = 0;
    for round in 0..ROUNDS {
        let path = format!("/api/{user}/{round}");
        let mine = format!("{user} {path}\n");
        let get = |path: &str| Request::get(format!("/clusters/alpha{path}")).body(empty()).unwrap();
        match round % 6 {
            // Left before the answer.
            0 => {
                let mut connection = http2.another();
                let request = get(&format!("/long{path}"));
                let asking = tasks.spawn(async move { connection.send(request).await.is_ok() });
                tokio::task::yield_now().await;
                asking.abort();
            }
            // Left in the middle of the answer.
            1 => {
                let path = format!("/long{path}");
                let mut body = http2.send(get(&path)).await.unwrap().into_body();
                let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
                assert!(first.starts_with(format!("{user} {path}\n").as_bytes()));
            }
            // Answered before the request has ended.
            2 => {
                let (_sender, body) = channel();
                let request = Request::post(format!("/clusters/alpha{path}")).body(body).unwrap();
                let response = http2.send(request).await.unwrap();
                assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), mine);
            }
            // Large requests, and answers without a body.
            3 => {
                let request = Request::put(format!("/clusters/alpha{path}")).body(repeated(200_000)).unwrap();
                assert_eq!(http2.whole(request).await.unwrap().text(), mine);
            }
            4 => {
                let mut request = get(&path);
                *request.method_mut() = Method::HEAD;
                assert!(http2.whole(request).await.unwrap().body.is_empty());
            }
            _ => {
                let reply = http2.whole(get(&format!("/long{path}"))).await.unwrap();
                assert_eq!(reply.text(), format!("{user} /long{path}\n").repeat(5000));
            }
        }
        let reply = http2.whole(get(&path)).await.unwrap();
        assert_eq!((reply.status.as_u16(), reply.text()), (200, mine), "round {round}");
        whole += 1;
    }
    whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_goes_to_another_request_whatever_is_left_half_way() {
    for wire in [Wire::Tls, Wire::TlsHttp1] {
        let rig = mirror(wire).await;
        let tasks = Tasks::new();
        let asking: Vec<_> = (0..USERS)
            .map(|at| {
                let user = format!("user-{at}");
                let client = rig.client_as(&user, &["dev"]);
                tasks.spawn(ask_and_leave(client, user, tasks.clone()))
            })
            .collect();
        for task in asking {
            assert_eq!(within("all rounds", Duration::from_secs(60), task).await.unwrap(), ROUNDS);
        }
        eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
        rig.cut().await;
    }
}

#[tokio::test]
async fn what_a_client_leaves_is_ended_all_the_way_to_the_upstream() {
    for wire in [Wire::Tls, Wire::TlsHttp1] {
        let (fed, mut feeding) = tokio::sync::mpsc::channel::<BodySender>(8);
        let mut rig = Rig::builder().without_agents().start().await;
        let upstream = FakeUpstream::answering(&rig.paper, wire, &rig.tasks, move |_| {
            let fed = fed.clone();
            async move {
                let (sender, body) = channel();
                sender.send("first").await;
                fed.send(sender).await.unwrap();
                Response::new(body)
            }
        })
        .await;
        let mut config = rig.agent_config("alpha");
        config.upstream = upstream.config(&rig.paper);
        rig.start_agent_with("alpha", config).await;
        // The agent's own probe is answered by the same function.
        let probe = within("the probe", SOON, feeding.recv()).await;
        let client = rig.client();
        for mut connection in [client.http1().await, client.http2().await] {
            let request = Request::get("/clusters/alpha/api").body(empty()).unwrap();
            let mut body = connection.send(request).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
            let sender = within("the answer's feeder", SOON, feeding.recv()).await.unwrap();
            drop((body, connection));
            let until_nobody_reads = async { while sender.send("more").await {} };
            within("the upstream hears of it", SOON, until_nobody_reads).await;
        }
        drop(probe);
    }
}
