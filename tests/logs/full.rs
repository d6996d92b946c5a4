//! Spools with no room, and a disk with none: shippers wait, and nothing that was answered goes.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use trunkline_tests::command::Call;
use trunkline_tests::{count, wait_until};

use crate::fleet::{Fleet, Plan};
use crate::parts::in_parts;
use crate::writer::{Balance, Writer};

const FILLS: Duration = Duration::from_secs(300);
const ARRIVES: Duration = Duration::from_secs(300);
/// Bytes of a record beside its message.
const HEAVY: usize = 16 * 1024;

/// A writer that fills a spool, and one beside it without ids.
fn writers(fleet: &Fleet) -> [(Writer, &'static str); 2] {
    let start = |name, path, has_ids| {
        Writer::start_heavy(name, fleet.intake("eu"), path, has_ids, HEAVY, &fleet.tasks)
    };
    [
        (start("named", "/_bulk", true), "q=dataset:logs"),
        (start("plain", "/datasets/audit/_bulk", false), "q=dataset:audit"),
    ]
}

async fn balances(fleet: &Fleet, writers: &[(Writer, &'static str)]) -> Vec<String> {
    for (writer, query) in writers {
        writer.stop().await;
        fleet.finds(query, writer.answered(), ARRIVES).await;
    }
    fleet.nothing_waits(ARRIVES).await;
    let mut said = Vec::new();
    for (writer, query) in writers {
        let balance: Balance = writer.balance(&fleet.messages(query).await);
        let refused = writer.ledger().refused;
        assert!(balance.is_even(), "{query}: {balance}");
        said.push(format!("{query}: {refused} requests refused, {balance}"));
    }
    said
}

async fn are_refused(writers: &[(Writer, &'static str)]) {
    for (writer, query) in writers {
        let before = writer.ledger().refused;
        wait_until(&format!("{query}: there is no room"), FILLS, async || {
            (writer.ledger().refused > before).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_spool_refuses_and_takes_again_when_the_gateway_is_back() {
    in_parts("spool full", count(1, 20), 5, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).max_mib(16).raise().await;
        let writers = writers(&fleet);
        for _ in 0..times {
            fleet.kill_gateway();
            are_refused(&writers).await;
            // A full spool is opened like any other.
            fleet.kill_agent("eu");
            fleet.start_agent("eu");
            are_refused(&writers).await;
            fleet.start_gateway().await;
            for (writer, _) in &writers {
                writer.goes_on(40, ARRIVES).await;
            }
        }
        balances(&fleet, &writers).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_takes_again_when_there_is_room() {
    in_parts("disk full", count(2, 20), 10, async |times| {
        let mut fleet = Plan::new(json!({"embedded": {}}), &["eu"]).make();
        let spool = fleet.spool("eu");
        std::fs::create_dir_all(&spool).unwrap();
        // A disk of its own for the agent's process, without rights on the machine.
        let on = format!("mount -t tmpfs -o size=24m none {} && exec \"$@\"", spool.display());
        let program = ["unshare", "--map-root-user", "--mount", "sh", "-c", &on, "sh"];
        if Call::new("unshare").args([&program[1..5], &[&on, "sh", "true"]].concat()).bytes().await.is_err() {
            return vec!["NOT TRIED: no disk can be mounted here".into()];
        }
        fleet.start_gateway().await;
        fleet.start_agent_within(&program, "eu");
        fleet.connected("eu").await;
        let inside = format!("/proc/{}/root{}", fleet.agent("eu").id(), spool.display());
        let somebody_else = Path::new(&inside).join("somebody-else");
        let writers = writers(&fleet);
        for (writer, _) in &writers {
            writer.goes_on(40, ARRIVES).await;
        }
        for _ in 0..times {
            fill(&somebody_else);
            are_refused(&writers).await;
            sleep(Duration::from_millis(rand::random_range(0..500))).await;
            std::fs::remove_file(&somebody_else).unwrap();
            for (writer, _) in &writers {
                writer.goes_on(40, ARRIVES).await;
            }
        }
        balances(&fleet, &writers).await
    })
    .await;
}

/// Takes all the room that there is.
fn fill(file: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(file).unwrap();
    for piece in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![1; piece]).is_ok() {}
    }
}
