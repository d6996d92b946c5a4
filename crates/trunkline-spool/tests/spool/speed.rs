//! How quick it is: asked for by hand, judged by nobody.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use trunkline_runtime::Tasks;
use trunkline_spool::{NewRecord, Settings, Spool};

/// A line as shippers bring it, 300 bytes.
fn line(n: u64) -> NewRecord {
    let line = format!(
        r#"{{"@timestamp":"2026-01-01T00:00:{:02}.{:03}Z","log.level":"info","message":"GET /api/v1/items/{} 200 in {} ms","trace.id":"{:032x}","kubernetes":{{"namespace":"shop","pod":{{"name":"cart-7d9f5c6b8-{:05x}"}},"container":"cart"}}"#,
        n % 60,
        n % 1_000,
        n * 7_919 % 100_000,
        n * 31 % 700,
        u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834),
        n * 17 % 0xf_ffff,
    );
    NewRecord { tag: 1, bytes: Bytes::from(format!("{line:<299}}}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: cargo test --profile ci -p trunkline-spool --test spool -- --ignored --nocapture measured"]
async fn measured_appends_of_lines_of_300_bytes() {
    for per_call in [1, 100, 1_000] {
        for callers in [1, 8, 64] {
            let folder = tempfile::tempdir().unwrap();
            let tasks = Tasks::new();
            let spool = Spool::open(folder.path(), Settings::default(), &tasks).unwrap();
            let (began, time) = (Instant::now(), Duration::from_secs(3));
            let mut all = JoinSet::new();
            for caller in 0..callers {
                let writer = spool.writer();
                all.spawn(async move {
                    let mut brought = 0;
                    while began.elapsed() < time {
                        let records = (0..per_call).map(|n| line(caller << 32 | (brought + n))).collect();
                        brought += per_call;
                        writer.append(records).await.unwrap();
                    }
                    brought
                });
            }
            let records: u64 = all.join_all().await.iter().sum();
            let seconds = began.elapsed().as_secs_f64();
            println!(
                "{callers:>2} callers x {per_call:>4} records: {:>7.0} records/s, {:>6.1} MB/s, {:.1} bytes on disk for each",
                records as f64 / seconds,
                records as f64 * 300.0 / 1e6 / seconds,
                spool.status().bytes as f64 / records as f64,
            );
        }
    }
}
