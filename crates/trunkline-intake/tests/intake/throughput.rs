//! How many records a second come through: `cargo test --profile ci -p trunkline-intake --test intake -- --ignored
//! --nocapture how_many`. Shippers are in the same process, and say the same bulk again and again.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::rig::{NDJSON, Rig, gzip, pairs, request};

const SHIPPERS: usize = 8;
const RECORDS: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: it says how fast this machine is, and cannot fail"]
async fn how_many_records_a_second_come_through() {
    let document = |n: usize| {
        let message = format!(
            "GET /api/v1/items/{n} HTTP/1.1 200 {} bytes in {} us from 10.0.{}.{}",
            n * 37,
            n * 11,
            n % 250,
            n % 199
        );
        format!(
            "{{\"@timestamp\":\"2026-11-27T03:09:19.782Z\",\"log\":{{\"level\":\"info\",\"offset\":{n}}},\"kubernetes\":{{\"namespace\":\
             \"shop\",\"pod\":{{\"name\":\"web-{n}\"}},\"container\":{{\"name\":\"web\"}}}},\"host\":{{\"name\":\"node-1\"}},\"message\":\"{message}\"}}"
        )
    };
    let documents: Vec<_> = (0..RECORDS).map(document).collect();
    let length = documents.iter().map(String::len).sum::<usize>() / RECORDS;
    let body = pairs(documents.iter().map(String::as_str));
    let packed = gzip(&body);
    for (what, bytes) in [
        ("plain", request("POST /_bulk", NDJSON, &body)),
        ("gzip", request("POST /_bulk", &format!("{NDJSON}Content-Encoding: gzip\r\n"), &packed)),
    ] {
        let rig = Rig::new().await;
        let spool = rig.spool("logs");
        let (begun, before) = (Instant::now(), spent());
        let shippers = (0..SHIPPERS).map(|_| async {
            let (mut shipper, mut kept) = (rig.shipper().await, 0);
            while begun.elapsed() < Duration::from_secs(5) {
                shipper.write(&bytes).await;
                assert_eq!(shipper.answer().await.unwrap().status, 200);
                kept += RECORDS;
                spool.ack(spool.status().last).unwrap();
            }
            kept
        });
        let kept: usize = join_all(shippers).await.into_iter().sum();
        let rate = kept as f64 / begun.elapsed().as_secs_f64();
        let each = (spent() - before) / kept as f64 * 1e6;
        println!(
            "{what}: {rate:.0} records of {length} bytes a second, {each:.2} us of CPU each (shippers included)"
        );
    }
}

/// The CPU time of this process, in seconds.
fn spent() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: Vec<f64> = fields.split(' ').skip(11).take(2).map(|field| field.parse().unwrap()).collect();
    ticks.iter().sum::<f64>() / 100.0
}
