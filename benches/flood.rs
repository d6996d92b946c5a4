//! Small requests while shippers hand in as many records as an agent takes, beside the same requests while none do.
//!
//! The shippers are threads of least priority, as they were in containers of their own: what is measured is what the agent lets them take
//! from its requests. What is printed is the median over the pairs of stretches of p99 with them by p99 without, each pair by itself.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::ensure;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use trunkline_benches::load::small_requests;
use trunkline_benches::records::said;
use trunkline_benches::roles::{Rig, play};
use trunkline_benches::stats::median;
use trunkline_runtime::Tasks;

const SHIPPERS: usize = 4;
/// How many records a shipper hands in at once.
const AT_ONCE: u64 = 1_000;

fn main() -> anyhow::Result<()> {
    if let Some(played) = play() {
        return played;
    }
    let smoke = std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some();
    let (time, pairs) = if smoke { (Duration::from_secs(1), 1) } else { (Duration::from_secs(5), 9) };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(time, pairs))
}

async fn bench(time: Duration, pairs: usize) -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let spools = tempfile::tempdir()?;
    let mut rig = Rig::start_with_logs().await?;
    rig.start_agent_anew(spools.path()).await?;
    let lines = (0..AT_ONCE).map(|number| format!("{{\"create\":{{}}}}\n{}\n", said(number)));
    let body = Bytes::from(lines.collect::<String>());
    println!("{SHIPPERS} shippers, {AT_ONCE} records at once; stretches of {} s", time.as_secs());
    let mut ratios = Vec::new();
    for _ in 0..pairs {
        let quiet = small_requests(&rig, time, &tasks).await?;
        let (stop, taken) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let intake = rig.intake()?;
        let flood: Vec<_> = (0..SHIPPERS)
            .map(|_| {
                let aside = tasks.aside();
                aside.spawn(ship(intake, body.clone(), stop.clone(), taken.clone(), aside.clone()))
            })
            .collect();
        let flooded = small_requests(&rig, time, &tasks).await?;
        stop.cancel();
        for shipper in flood {
            shipper.await??;
        }
        println!(
            "  quiet p50 {:.2} ms p99 {:.2} ms   flooded p50 {:.2} ms p99 {:.2} ms   {:.0} records/s",
            quiet.0,
            quiet.1,
            flooded.0,
            flooded.1,
            taken.load(Ordering::Relaxed) as f64 / time.as_secs_f64()
        );
        ensure!(taken.load(Ordering::Relaxed) > 0, "the agent took no records");
        ratios.push(flooded.1 / quiet.1);
    }
    println!("p99 while shippers hand in / without, median of {pairs} pairs: {:.2}", median(ratios));
    tasks.shut_down().await;
    Ok(())
}

/// Hands in the same records again and again.
async fn ship(
    intake: SocketAddr,
    body: Bytes,
    stop: CancellationToken,
    taken: Arc<AtomicU64>,
    tasks: Tasks,
) -> anyhow::Result<()> {
    let tcp = TcpStream::connect(intake).await?;
    tcp.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await?;
    let driven = tasks.spawn(connection);
    while !stop.is_cancelled() {
        sender.ready().await?;
        let request = Request::post("/_bulk")
            .header("host", "intake")
            .header("content-type", "application/x-ndjson")
            .body(Full::new(body.clone()))?;
        let (head, mut answer) = sender.send_request(request).await?.into_parts();
        while let Some(frame) = answer.frame().await {
            frame?;
        }
        if head.status.is_success() {
            taken.fetch_add(AT_ONCE, Ordering::Relaxed);
        }
    }
    drop(sender);
    driven.await??;
    Ok(())
}
