//! Requests, bulk and a stopped reader through gateway and agent, beside the same two TLS hops without a tunnel.
//!
//! "Without" is the same gateway process reaching the same upstream as `management`: TLS from the client, TLS to the
//! upstream, the same code but for tunnel and agent. Runs are interleaved, and what is printed are ratios of medians;
//! absolute figures are for orientation.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::time::{Duration, Instant};

use trunkline_benches::load::{Client, flat_out, paced};
use trunkline_benches::roles::{Rig, play};
use trunkline_benches::stats::{median, percentile, processor_seconds, resident_mib};
use trunkline_runtime::Tasks;

const TUNNEL: &str = "/clusters/alpha/small";
const DIRECT: &str = "/clusters/management/small";

/// How much is measured: all, or just enough to show that the bench runs.
struct Amount {
    rounds: usize,
    requests: usize,
    bulk_mib: u64,
    paced: Duration,
}

fn main() -> anyhow::Result<()> {
    if let Some(played) = play() {
        return played;
    }
    let amount = if std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some() {
        Amount { rounds: 1, requests: 400, bulk_mib: 16, paced: Duration::from_secs(1) }
    } else {
        Amount { rounds: 5, requests: 20_000, bulk_mib: 512, paced: Duration::from_secs(5) }
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(&amount))
}

async fn bench(amount: &Amount) -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let rig = Rig::start().await?;
    println!("medians of {} interleaved rounds; a ratio is tunnel / direct", amount.rounds);
    for connections in [1, 16, 128] {
        requests(&rig, amount, connections, &tasks).await?;
    }
    bulk(&rig, amount, &tasks).await?;
    stopped_reader(&rig, amount, &tasks).await?;
    tasks.shut_down().await;
    Ok(())
}

async fn clients(rig: &Rig, count: usize, tasks: &Tasks) -> anyhow::Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        clients.push(Client::connect(rig.gateway.address, &rig.client, tasks).await?);
    }
    Ok(clients)
}

/// Processor seconds of gateway and agent so far.
fn spent(rig: &Rig) -> f64 {
    processor_seconds(rig.gateway.pid) + processor_seconds(rig.agent.pid)
}

async fn requests(rig: &Rig, amount: &Amount, connections: usize, tasks: &Tasks) -> anyhow::Result<()> {
    let mut pool = clients(rig, connections, tasks).await?;
    let mut rows = [Rows::default(), Rows::default()];
    for _ in 0..amount.rounds {
        for (row, path) in rows.iter_mut().zip([TUNNEL, DIRECT]) {
            let (before, began) = (spent(rig), Instant::now());
            let (mut latencies, back) = flat_out(pool, path, amount.requests, tasks).await?;
            pool = back;
            let count = latencies.len() as f64;
            row.rate.push(count / began.elapsed().as_secs_f64());
            row.p50.push(percentile(&mut latencies, 50.0).as_secs_f64() * 1e3);
            row.p99.push(percentile(&mut latencies, 99.0).as_secs_f64() * 1e3);
            row.cpu.push((spent(rig) - before) / count * 1e5);
        }
    }
    let [tunnel, direct] = rows.map(Rows::medians);
    println!("\n1 KiB requests, {connections} connections");
    print_row("CPU s per 100k, gateway + agent", tunnel.cpu, direct.cpu);
    print_row("requests per s", tunnel.rate, direct.rate);
    print_row("p50 ms", tunnel.p50, direct.p50);
    print_row("p99 ms", tunnel.p99, direct.p99);
    Ok(())
}

async fn bulk(rig: &Rig, amount: &Amount, tasks: &Tasks) -> anyhow::Result<()> {
    let mut client = Client::connect(rig.gateway.address, &rig.client, tasks).await?;
    let bytes = amount.bulk_mib << 20;
    let mut rows = [Rows::default(), Rows::default()];
    for _ in 0..amount.rounds {
        for (row, cluster) in rows.iter_mut().zip(["alpha", "management"]) {
            let (before, began) = (spent(rig), Instant::now());
            let read = client.read(&format!("/clusters/{cluster}/bulk/{bytes}")).await?;
            anyhow::ensure!(read == bytes, "{read} of {bytes} bytes came");
            row.rate.push(bytes as f64 / 1e6 / began.elapsed().as_secs_f64());
            row.cpu.push((spent(rig) - before) / (bytes as f64 / f64::from(1 << 30)));
        }
    }
    let [tunnel, direct] = rows.map(Rows::medians);
    println!("\none stream of {} MiB", amount.bulk_mib);
    print_row("CPU s per GiB, gateway + agent", tunnel.cpu, direct.cpu);
    print_row("MB per s", tunnel.rate, direct.rate);
    Ok(())
}

/// 200 clients at an easy pace, with and without one reader that stopped on a gigabyte, in turn.
async fn stopped_reader(rig: &Rig, amount: &Amount, tasks: &Tasks) -> anyhow::Result<()> {
    let mut pool = clients(rig, 200, tasks).await?;
    let pause = Duration::from_millis(400);
    let (mut idle, mut beside, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..amount.rounds {
        let (mut latencies, back) = paced(pool, TUNNEL, pause, amount.paced, tasks).await?;
        idle.push(percentile(&mut latencies, 99.0).as_secs_f64() * 1e3);
        let mut stopping = Client::connect(rig.gateway.address, &rig.client, tasks).await?;
        let stopped = stopping.get(&format!("/clusters/alpha/bulk/{}", 1u64 << 30)).await?;
        let (mut latencies, back) = paced(back, TUNNEL, pause, amount.paced, tasks).await?;
        beside.push(percentile(&mut latencies, 99.0).as_secs_f64() * 1e3);
        memory.push(resident_mib(rig.gateway.pid) + resident_mib(rig.agent.pid));
        drop(stopped);
        pool = back;
    }
    println!("\n200 clients beside a reader that stopped on 1 GiB: ratio is beside / without");
    print_row("p99 ms", median(beside), median(idle));
    println!("  {:<34} {:>10.1}", "MiB resident, gateway + agent", median(memory));
    Ok(())
}

/// What is measured of one side, a value per round.
#[derive(Default)]
struct Rows {
    cpu: Vec<f64>,
    rate: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

struct Medians {
    cpu: f64,
    rate: f64,
    p50: f64,
    p99: f64,
}

impl Rows {
    fn medians(self) -> Medians {
        Medians {
            cpu: median(self.cpu),
            rate: median(self.rate),
            p50: median(self.p50),
            p99: median(self.p99),
        }
    }
}

fn print_row(what: &str, one: f64, other: f64) {
    println!("  {what:<34} {one:>10.2} {other:>10.2}   ratio {:.2}", one / other);
}
