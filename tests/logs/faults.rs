//! What was answered with yes arrives, once, whatever is killed or cut meanwhile.
//!
//! Two writers at one intake: one gives its records ids and sends them again, the other gives none.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;
use trunkline_tests::count;
use trunkline_tests::fleet::Plan;

use crate::parts::in_parts;
use crate::way::Way;
use crate::writer::{Manner, Writers};

/// How long a record may take to the search while a gateway comes and goes.
const ARRIVES: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_killed_at_any_point_loses_nothing_that_was_answered() -> Result<()> {
    in_parts("agent killed", count(10, 500), 50, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).raise().await;
        let writers = Writers::start(&fleet, "eu");
        for at in 0..times {
            // Every third time it need not have come to anything before it is killed again.
            if at % 3 != 2 {
                writers.go_on().await;
            }
            sleep(Duration::from_millis(rand::random_range(0..500))).await;
            fleet.kill_agent("eu");
            fleet.start_agent("eu");
        }
        writers.go_on().await;
        Ok(writers.are_even(&fleet).await)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_killed_at_any_point_loses_nothing_that_was_answered() -> Result<()> {
    in_parts("gateway killed", count(5, 100), 20, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).raise().await;
        let writers = Writers::start(&fleet, "eu").and_one_at_the_gateway(Manner::default(), &fleet);
        for at in 0..times {
            // Something arrived before it is killed, but for every third time: then it may be killed while it starts.
            if at % 3 != 2 {
                let before = fleet.count("clusters=eu&q=dataset:logs").await;
                fleet.finds("clusters=eu&q=dataset:logs", before + 20, ARRIVES).await;
            }
            sleep(Duration::from_millis(rand::random_range(0..1000))).await;
            fleet.kill_gateway();
            match at % 3 {
                1 => fleet.begin_gateway(),
                _ => fleet.start_gateway().await,
            }
        }
        fleet.listens().await;
        Ok(writers.are_even(&fleet).await)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_breaks_within_a_batch_loses_nothing_that_was_answered() -> Result<()> {
    in_parts("link cut", count(15, 500), 50, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).make();
        let way = Way::lay(&fleet.tasks, fleet.tunnel(), times).await?;
        fleet.lead("eu", way.address());
        fleet.start_gateway().await;
        fleet.start_agent("eu");
        let writers = Writers::start(&fleet, "eu");
        while way.cuts() < times {
            writers.go_on().await;
        }
        let within = way.cuts_within();
        assert!(within * 3 > times, "{within} of {times} cuts were within a session");
        let mut said = vec![format!("{within} within a session")];
        said.extend(writers.are_even(&fleet).await);
        Ok(said)
    })
    .await
}
