//! Spools with no room, and a disk with none: shippers wait, and nothing that was answered goes.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;
use trunkline_tests::command::Call;
use trunkline_tests::count;
use trunkline_tests::fleet::Plan;

use crate::parts::in_parts;
use crate::writer::{Manner, Writers};

/// Records that fill a spool.
const HEAVY: Manner = Manner { has_ids: true, weight: 16 * 1024, pause: Duration::from_millis(10) };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_refuses_and_takes_again_when_the_gateway_is_back() -> Result<()> {
    in_parts("spool full", count(1, 20), 5, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).max_mib(16).raise().await;
        let writers = Writers::start_in(HEAVY, &fleet, "eu");
        for _ in 0..times {
            fleet.kill_gateway();
            writers.are_refused().await;
            // A full spool is opened like any other.
            fleet.kill_agent("eu");
            fleet.start_agent("eu");
            writers.are_refused().await;
            fleet.start_gateway().await;
            writers.go_on().await;
        }
        Ok(writers.are_even(&fleet).await)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_takes_again_when_there_is_room() -> Result<()> {
    in_parts("disk full", count(2, 20), 10, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).make();
        let spool = fleet.spool("eu");
        std::fs::create_dir_all(&spool)?;
        // A disk of its own for the agent's process, without rights on the machine.
        let on = format!("mount -t tmpfs -o size=24m none {} && exec \"$@\"", spool.display());
        let program = ["unshare", "--map-root-user", "--mount", "sh", "-c", &on, "sh"];
        if Call::new("unshare").args([&program[1..5], &[&on, "sh", "true"]].concat()).bytes().await.is_err() {
            return Ok(vec!["NOT TRIED: no disk can be mounted here".into()]);
        }
        fleet.start_gateway().await;
        fleet.start_agent_within(&program, "eu");
        fleet.connected("eu").await;
        let inside = format!("/proc/{}/root{}", fleet.agent("eu").id(), spool.display());
        let somebody_else = Path::new(&inside).join("somebody-else");
        let writers = Writers::start_in(HEAVY, &fleet, "eu");
        writers.go_on().await;
        for _ in 0..times {
            fill(&somebody_else);
            writers.are_refused().await;
            sleep(Duration::from_millis(rand::random_range(0..500))).await;
            std::fs::remove_file(&somebody_else)?;
            writers.go_on().await;
        }
        Ok(writers.are_even(&fleet).await)
    })
    .await
}

/// Takes all the room that there is.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).unwrap();
    for piece in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![1; piece]).is_ok() {}
    }
}
