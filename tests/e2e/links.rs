//! Further links: opened when bulk is under way, closed when idle, opened again.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use trunkline_runtime::empty;
use trunkline_tests::{Client, Rig, eventually, pass, within};

const SOON: Duration = Duration::from_secs(15);

/// Starts a stream and reads it slowly until it counts as bulk and the cluster has `links` links.
async fn bulk_until(rig: &Rig, client: &Client, links: usize) -> Incoming {
    let mut connection = client.http2().await;
    let request = Request::get("/clusters/alpha/stream/100000000000").body(empty()).unwrap();
    let mut body = connection.send(request).await.unwrap().into_body();
    let reading = async {
        while rig.gateway().links() < links {
            body.frame().await.unwrap().unwrap();
        }
    };
    within("a further link", SOON, reading).await;
    body
}

#[tokio::test]
async fn a_further_link_opens_for_bulk_ends_when_idle_and_opens_again() {
    let rig = Rig::start().await;
    let client = rig.client();
    for _ in 0..2 {
        assert_eq!(rig.gateway().links(), 1);
        let bulk = bulk_until(&rig, &client, 2).await;
        // What is interactive goes on meanwhile.
        assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
        drop(bulk);
        eventually("nothing under way", SOON, || rig.gateway().requests() == 0).await;
        // Two rounds of a minute: traffic of the first still counts. The links live on meanwhile.
        let mut seconds = 0;
        while rig.gateway().links() > 1 {
            assert!(seconds < 200, "a further link is idle and stays");
            pass(Duration::from_secs(1)).await;
            assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
            seconds += 1;
        }
        assert!(seconds >= 30, "{seconds} s is no idleness");
    }
}

#[tokio::test]
async fn a_further_link_goes_to_the_gateway_that_asked_for_it() {
    let mut rig = Rig::builder().gateways(2).without_agents().start().await;
    let mut config = rig.agent_config("alpha");
    // The agent is with the second gateway, since it could not reach the first.
    rig.cut_gateway(0).await;
    config.drain_seconds = 1;
    rig.start_agent_with("alpha", config).await;
    assert_eq!(rig.gateway_at(1).links(), 1);
    rig.start_gateway(0).await;
    let client = rig.client().at(rig.gateway_at(1).front());
    let mut connection = client.http2().await;
    let request = Request::get("/clusters/alpha/stream/100000000000").body(empty()).unwrap();
    let mut body = connection.send(request).await.unwrap().into_body();
    let reading = async {
        while rig.gateway_at(1).links() < 2 {
            body.frame().await.unwrap().unwrap();
        }
    };
    within("a further link", SOON, reading).await;
    assert_eq!(rig.gateway_at(0).links(), 0);
}
