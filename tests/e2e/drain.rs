//! Stopping without breaking: what is in flight finishes, what is new goes elsewhere.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{Client, Connection, Rig, eventually, within};

const SOON: Duration = Duration::from_secs(10);

/// An answer of which the first piece has come and the last has not.
async fn held(client: &Client) -> (Incoming, Connection) {
    let mut connection = client.http1().await;
    let request = Request::get("/clusters/alpha/held").body(empty()).unwrap();
    let mut body = connection.send(request).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "first ");
    (body, connection)
}

#[tokio::test]
async fn a_draining_gateway_finishes_what_is_in_flight_and_its_agents_open_elsewhere() {
    let mut rig = Rig::builder().gateways(2).drain_seconds(30).start().await;
    assert_eq!((rig.gateway_at(0).links(), rig.gateway_at(1).links()), (1, 0));
    let client = rig.client();
    let second = client.clone().at(rig.gateway_at(1).front());
    let (body, _connection) = held(&client).await;
    let tasks = Tasks::new();
    let leaving = rig.take_gateway(0).unwrap();
    let draining = tasks.spawn(leaving.drain());
    eventually("the door is shut", SOON, || {
        std::net::TcpStream::connect(rig.config_of(0).front.listen).is_err()
    })
    .await;
    rig.upstream("alpha").release();
    let rest = within("the rest", SOON, body.collect()).await.unwrap().to_bytes();
    assert_eq!(rest, "last");
    eventually("the agent is with the other", SOON, || rig.gateway_at(1).links() == 1).await;
    assert_eq!(second.get("/clusters/alpha/api").await.status, 200);
    within("the gateway has drained", SOON, draining).await.unwrap();
}

#[tokio::test]
async fn a_draining_gateway_cuts_what_outlasts_its_grace() {
    let mut rig = Rig::builder().drain_seconds(1).start().await;
    let (body, _connection) = held(&rig.client()).await;
    let leaving = rig.take_gateway(0).unwrap();
    within("the grace", SOON, leaving.drain()).await;
    let rest = within("the end", SOON, body.collect()).await;
    assert!(rest.is_err(), "a cut body must not look whole");
}

#[tokio::test]
async fn a_draining_agent_finishes_what_is_in_flight_and_its_successor_takes_what_is_new() {
    let mut rig = Rig::builder().drain_seconds(30).start().await;
    let client = rig.client();
    let (body, _connection) = held(&client).await;
    let tasks = Tasks::new();
    let draining = tasks.spawn(rig.take_agent("alpha").unwrap().drain());
    // The other slot's agent, as a StatefulSet has it.
    let cluster = rig.cluster("alpha");
    let (_, certificate) = rig.paper.agent("second-slot", &cluster.id, cluster.uid, 1);
    let mut config = rig.agent_config("alpha");
    config.gateway.credentials = rig.showing(certificate);
    rig.start_agent_with("alpha", config).await;
    for at in 0..20 {
        assert_eq!(client.get(&format!("/clusters/alpha/api/{at}")).await.status, 200);
    }
    assert!(!draining.is_finished());
    rig.upstream("alpha").release();
    let rest = within("the rest", SOON, body.collect()).await.unwrap().to_bytes();
    assert_eq!(rest, "last");
    within("the agent has drained", SOON, draining).await.unwrap();
    rig.wait_for_links(1).await;
}

#[tokio::test]
async fn requests_during_a_change_of_agents_all_succeed() {
    let mut rig = Rig::start().await;
    let client = rig.client();
    let tasks = Tasks::new();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (client, stopped) = (client.clone(), stopped.clone());
            tasks.spawn(async move {
                let mut connection = client.http2().await;
                let mut asked = 0;
                while !*stopped.borrow() {
                    let reply = connection.get("/clusters/alpha/api").await.unwrap();
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    for _ in 0..3 {
        let leaving = rig.take_agent("alpha").unwrap();
        within("drained", SOON, leaving.drain()).await;
        rig.start_agent("alpha").await;
    }
    stop.send_replace(true);
    for task in asking {
        assert!(task.await.unwrap() > 0);
    }
}
