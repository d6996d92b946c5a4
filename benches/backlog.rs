//! Small requests while a backlog of log records drains through the same tunnel, beside the same requests while there is none.
//!
//! The backlog lies in a spool as an agent left it. The agent is started in turn with an empty spool and with that one, which so
//! drains stretch by stretch; before each quiet one the gateway's own store, the embedded one, has indexed all that it has. What is printed is
//! the median over the pairs of stretches of p99 while it drains by p99 without, each pair by itself. Load, gateway, agent and
//! upstream share one machine: the processors that records take are in the figure.
//! `TRUNKLINE_BENCH_BACKLOG_MIB` says how much of records it is, 2048 unless it does.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use trunkline_benches::load::{Client, small_requests};
use trunkline_benches::records::said;
use trunkline_benches::roles::{Rig, play};
use trunkline_benches::stats::median;
use trunkline_logs::{ENTRY, Entry};
use trunkline_runtime::Tasks;
use trunkline_spool::{NewRecord, Settings, Spool};

const STATUS: &str = "/trunkline/v1/logs/status";
/// How many pairs of stretches there are at the most: the backlog need not be gone.
const PAIRS: usize = 12;
/// How many records are put into the spool at once.
const AT_ONCE: usize = 1_000;
/// How long the store may take to index what it has.
const INDEXED: Duration = Duration::from_secs(600);
const MIB: usize = 1024 * 1024;

/// One stretch.
struct Stretch {
    p50: f64,
    p99: f64,
    /// Records that were stored meanwhile.
    records: u64,
}

fn main() -> anyhow::Result<()> {
    if let Some(played) = play() {
        return played;
    }
    let smoke = std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some();
    let told = std::env::var("TRUNKLINE_BENCH_BACKLOG_MIB").ok().and_then(|mib| mib.parse().ok());
    let mib = told.unwrap_or(if smoke { 64 } else { 2048 });
    let time = Duration::from_secs(if smoke { 1 } else { 10 });
    let most = if smoke { 1 } else { PAIRS };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(mib, time, most))
}

async fn bench(mib: usize, time: Duration, most: usize) -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let folder = tempfile::tempdir()?;
    let (empty, full) = (folder.path().join("empty"), folder.path().join("full"));
    let backlog = fill(&full.join("logs"), mib * MIB).await?;
    println!("a backlog of {backlog} records, {mib} MiB; stretches of {} s", time.as_secs());
    let mut rig = Rig::start_with_logs().await?;
    let (mut pairs, mut drained) = (Vec::new(), 0);
    while drained < backlog && pairs.len() < most {
        rig.start_agent_anew(&empty).await?;
        all_is_indexed(&rig, &tasks).await?;
        let quiet = stretch(&rig, time, &tasks).await?;
        ensure!(quiet.records == 0, "records came from an empty spool");
        rig.start_agent_anew(&full).await?;
        let loaded = stretch(&rig, time, &tasks).await?;
        drained = taken(&status(&rig, &tasks).await?);
        println!(
            "  quiet p50 {:.2} ms p99 {:.2} ms   draining p50 {:.2} ms p99 {:.2} ms   {:.0} records/s, {drained} drained",
            quiet.p50,
            quiet.p99,
            loaded.p50,
            loaded.p99,
            loaded.records as f64 / time.as_secs_f64()
        );
        // The last one, in which it ran empty, is of both kinds.
        if drained < backlog || pairs.is_empty() {
            pairs.push((quiet, loaded));
        }
    }
    ensure!(drained > 0, "nothing drained");
    let of = |of: fn(&(Stretch, Stretch)) -> f64| median(pairs.iter().map(of).collect());
    println!(
        "p99 while it drains / without, median of {} pairs: {:.2}   (p50: {:.2})",
        pairs.len(),
        of(|(quiet, loaded)| loaded.p99 / quiet.p99),
        of(|(quiet, loaded)| loaded.p50 / quiet.p50)
    );
    tasks.shut_down().await;
    Ok(())
}

async fn stretch(rig: &Rig, time: Duration, tasks: &Tasks) -> anyhow::Result<Stretch> {
    let before = taken(&status(rig, tasks).await?);
    let (p50, p99) = small_requests(rig, time, tasks).await?;
    let records = taken(&status(rig, tasks).await?) - before;
    Ok(Stretch { p50, p99, records })
}

/// How the logs get on. Asked on a connection of its own: the gateway closes those that are idle.
async fn status(rig: &Rig, tasks: &Tasks) -> anyhow::Result<Value> {
    Client::connect(rig.gateway.address, &rig.client, tasks).await?.json(STATUS).await
}

/// How many records the store has taken.
fn taken(status: &Value) -> u64 {
    let items = status["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| item["records"].as_u64()).sum()
}

async fn all_is_indexed(rig: &Rig, tasks: &Tasks) -> anyhow::Result<()> {
    let looking = async {
        while status(rig, tasks).await?["store"]["waiting"] != 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(INDEXED, looking).await.context("the store is still indexing")?
}

/// Puts so many bytes of records into a spool; gives their number.
async fn fill(folder: &Path, bytes: usize) -> anyhow::Result<u64> {
    let tasks = Tasks::new();
    std::fs::create_dir_all(folder)?;
    let settings = Settings { cap: u64::MAX, ..Settings::default() };
    let spool = Spool::open(folder, settings, &tasks)?;
    let received = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
    let (mut put, mut number) = (0, 0);
    while put < bytes {
        let mut records = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            let json = said(number).to_string();
            put += json.len();
            number += 1;
            records.push(NewRecord {
                tag: ENTRY,
                bytes: Entry { received, own_id: None, json: json.into() }.encode(),
            });
        }
        spool.writer().append(records).await?;
    }
    tasks.shut_down().await;
    Ok(number)
}
