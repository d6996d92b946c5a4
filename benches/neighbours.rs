//! A noisy neighbour: fifty users, of whom one floods, beside the same forty-nine without a flood.
//!
//! The forty-nine ask at a steady pace; the hostile one asks as fast as it can on many connections and lets large answers stand unread.
//! The gateway has its default limits. Quiet and noisy rounds are interleaved; what is printed is the ratio of the medians
//! of the others' p99. Load, gateway, agent and upstream share one machine, so that the flood's own client is in the figure as well.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use trunkline_benches::load::{Client, paced};
use trunkline_benches::roles::{LoadLimits, Rig, play};
use trunkline_benches::stats::{median, percentile};
use trunkline_runtime::Tasks;

const PATH: &str = "/clusters/alpha/small";
/// An answer of 1 GiB.
const UNREAD: &str = "/clusters/alpha/bulk/1073741824";
const OTHERS: usize = 49;
/// How often each of the others asks.
const PAUSE: Duration = Duration::from_millis(100);
const FLOODING: usize = 16;
const STANDING: usize = 16;

/// What came of a flood.
#[derive(Default)]
struct Flood {
    answered: u64,
    refused: u64,
}

fn main() -> anyhow::Result<()> {
    if let Some(played) = play() {
        return played;
    }
    let smoke = std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some();
    let (rounds, time) = if smoke { (1, Duration::from_secs(1)) } else { (5, Duration::from_secs(10)) };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(rounds, time))
}

async fn bench(rounds: usize, time: Duration) -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let rig = Rig::start_with(LoadLimits::Default).await?;
    let mut others = Vec::new();
    for at in 0..OTHERS {
        let tls = rig.client_as(&format!("user {at}"))?;
        others.push(Client::connect(rig.gateway.address, &tls, &tasks).await?);
    }
    let (mut quiet, mut noisy, mut asked) = (Vec::new(), Vec::new(), 0);
    let mut flood = Flood::default();
    for _ in 0..rounds {
        let (latencies, back) = paced(others, PATH, PAUSE, time, &tasks).await?;
        quiet.push(p99(latencies));
        let stop = Arc::new(AtomicBool::new(false));
        let standing = stand(&rig, &tasks).await?;
        let flooding = start_flood(&rig, &stop, &tasks).await?;
        // Whoever of the others is refused ends the bench with an error.
        let (latencies, back) = paced(back, PATH, PAUSE, time, &tasks).await?;
        asked += latencies.len();
        noisy.push(p99(latencies));
        others = back;
        stop.store(true, Ordering::Relaxed);
        for one in flooding {
            let one = one.await??;
            flood.answered += one.answered;
            flood.refused += one.refused;
        }
        drop(standing);
    }
    let (quiet, noisy) = (median(quiet), median(noisy));
    println!(
        "medians of {rounds} interleaved rounds of {} s; {OTHERS} users, one of fifty floods",
        time.as_secs()
    );
    println!(
        "others' p99 beside the flood / without: {:.2}   ({noisy:.2} ms / {quiet:.2} ms)",
        noisy / quiet
    );
    println!("others: {asked} requests beside the flood, all answered");
    println!("the flood: {} answered, {} refused with 429", flood.answered, flood.refused);
    anyhow::ensure!(flood.refused > 0, "the flood was not refused");
    tasks.shut_down().await;
    Ok(())
}

/// Milliseconds.
fn p99(mut latencies: Vec<Duration>) -> f64 {
    percentile(&mut latencies, 99.0).as_secs_f64() * 1e3
}

/// Large answers that are begun and not read.
async fn stand(
    rig: &Rig,
    tasks: &Tasks,
) -> anyhow::Result<Vec<(Client, hyper::Response<hyper::body::Incoming>)>> {
    let tls = rig.client_as("hostile")?;
    let mut standing = Vec::new();
    for _ in 0..STANDING {
        let mut client = Client::connect(rig.gateway.address, &tls, tasks).await?;
        let answer = client.get(UNREAD).await?;
        standing.push((client, answer));
    }
    Ok(standing)
}

async fn start_flood(
    rig: &Rig,
    stop: &Arc<AtomicBool>,
    tasks: &Tasks,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<anyhow::Result<Flood>>>> {
    let tls = rig.client_as("hostile")?;
    let mut flooding = Vec::new();
    for _ in 0..FLOODING {
        let mut client = Client::connect(rig.gateway.address, &tls, tasks).await?;
        let stop = stop.clone();
        flooding.push(tasks.spawn(async move {
            let mut flood = Flood::default();
            while !stop.load(Ordering::Relaxed) {
                match client.status(PATH).await? {
                    200 => flood.answered += 1,
                    429 => flood.refused += 1,
                    other => anyhow::bail!("the flood was answered {other}"),
                }
            }
            Ok(flood)
        }));
    }
    Ok(flooding)
}
