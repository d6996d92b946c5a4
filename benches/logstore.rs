//! The embedded log store: how fast it takes records, how large they are there, and how quick searches are.
//!
//! Records are pod lines of a few hundred bytes, rebuilt as the gateway does it; one field is another in each of them.
//! `TRUNKLINE_BENCH_RECORDS` says how many, a million unless it does.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::time::{Duration, Instant, SystemTime};

use anyhow::ensure;
use trunkline_benches::records::said;
use trunkline_benches::stats::{median, resident_mib};
use trunkline_logs::{
    Dataset, Day, Document, Entry, Field, Filter, Order, Question, Scope, SpoolEpoch, Stamp, rebuild,
};
use trunkline_logstore::embedded::{Embedded, Settings};
use trunkline_proto::{ClusterUid, Slot};
use trunkline_runtime::Tasks;

/// How many records are handed in at once.
const BATCH: u64 = 1_000;
/// How many moments, in milliseconds, lie between two records.
const STEP: i64 = 5;
/// How often each search is done.
const TIMES: usize = 11;

/// Records, always the same.
struct Source {
    uid: ClusterUid,
    begins: i64,
    /// Bytes of what shippers said.
    said: u64,
}

impl Source {
    fn record(&mut self, sequence: u64, now: i64) -> anyhow::Result<Document> {
        let mut said = said(sequence);
        said["@timestamp"] = (self.begins + sequence as i64 * STEP).into();
        let json = said.to_string();
        self.said += json.len() as u64;
        let stamp = Stamp {
            cluster: "prod".parse()?,
            uid: self.uid,
            slot: Slot(0),
            dataset: Dataset::unnamed(),
            spool: SpoolEpoch([1; 16]),
            sequence,
            day: Day::of(now),
            arrived: now,
        };
        Ok(rebuild(stamp, &Entry { received: now, own_id: None, json: json.into() })?)
    }
}

fn main() -> anyhow::Result<()> {
    let smoke = std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some();
    let told = std::env::var("TRUNKLINE_BENCH_RECORDS").ok().and_then(|records| records.parse().ok());
    let records = told.unwrap_or(if smoke { 20_000 } else { 1_000_000 });
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(records))
}

async fn bench(records: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let tasks = Tasks::new();
    // As the gateway has it: it steps aside for all else.
    let store = Embedded::open(folder.path(), Settings::default(), &tasks.aside())?;
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis())?;
    let mut source = Source { uid: ClusterUid::random(), begins: now - records as i64 * STEP, said: 0 };
    let (mut rebuilding, began) = (Duration::ZERO, Instant::now());
    for first in (1..=records).step_by(BATCH as usize) {
        let rebuilt = Instant::now();
        let batch: Vec<Document> =
            (first..first + BATCH).map(|sequence| source.record(sequence, now)).collect::<Result<_, _>>()?;
        rebuilding += rebuilt.elapsed();
        store.write(&batch).await?;
    }
    let answered = began.elapsed();
    while store.status().waiting > 0 {
        ensure!(store.status().fault.is_none(), "{:?}", store.status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let indexed = began.elapsed();
    let status = store.status();
    ensure!(status.documents == records, "{status:?}");
    let rate = |time: Duration| records as f64 / time.as_secs_f64();
    println!("{records} records, {} bytes each as shippers said them", source.said / records);
    println!(
        "  answered   {:9.0} records/s, of that {:.0} s to rebuild them",
        rate(answered),
        rebuilding.as_secs_f64()
    );
    println!("  indexed    {:9.0} records/s", rate(indexed));
    println!("  on disk    {:9.1} bytes a record", status.bytes as f64 / records as f64);
    println!("  memory     {:9.0} MiB resident after writing", resident_mib(std::process::id()));
    searches(&store, source.uid).await?;
    println!(
        "  memory     {:9.0} MiB resident after searching, mapped files included",
        resident_mib(std::process::id())
    );
    tasks.shut_down().await;
    Ok(())
}

async fn searches(store: &Embedded, uid: ClusterUid) -> anyhow::Result<()> {
    let question = |text: &str| -> anyhow::Result<Question> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_millis() as i64 + 60_000;
        Ok(Question {
            scope: Scope(vec![uid]),
            filter: text.parse::<Filter>()?,
            from: now - 7 * 86_400_000,
            to: now,
        })
    };
    for text in ["", "took", "level:error orders", "panicked", "\"api v1 orders\" -level:info", "pan*"] {
        let question = question(text)?;
        let mut times = Vec::new();
        let mut hits = 0;
        for _ in 0..TIMES {
            let began = Instant::now();
            hits = store.find(&question, Order::Newest, None, 200).await?.hits.len();
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        println!("  newest 200 {:9.1} ms  {text:?}, {hits} found", median(times));
    }
    for (text, by) in
        [("", None), ("", Some("level")), ("level:error", Some("app")), ("panicked", Some("pod"))]
    {
        let question = question(text)?;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            store.histogram(&question, 100, by.map(Field::named).as_ref()).await?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        println!("  histogram  {:9.1} ms  {text:?} by {by:?}", median(times));
    }
    for (text, field) in [("", "pod"), ("level:error", "pod"), ("", "http.status"), ("level:error", "trace")]
    {
        let question = question(text)?;
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            // Of very many values it may be: that is a figure as well.
            if let Err(error) = store.top(&question, &Field::named(field), 10).await {
                println!("  top        {error}");
                break;
            }
            times.push(began.elapsed().as_secs_f64() * 1e3);
        }
        println!("  top        {:9.1} ms  {field} of {text:?}", median(times));
    }
    Ok(())
}
