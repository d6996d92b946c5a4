//! The log lane beside shippers that write into the store by themselves: the same lines, in one run.
//!
//! ```text
//! by itself     a file ── rsyslog | Filebeat ────────────────────── OpenSearch
//! by the lane   a file ── rsyslog | Filebeat ── agent ══ gateway ── the same OpenSearch
//! embedded      a file ── rsyslog ── agent ══ gateway with its own store
//! ```
//!
//! The ways take turns, each time with everything anew but OpenSearch itself, whose indices are. A run ends when the store has
//! indexed each line; it is looked whether they are all there once. What is printed are medians of the rounds and their ratios.
//! Filebeat takes an OpenSearch for an Elasticsearch only behind a door that says so, whose own time is not counted.
//! `TRUNKLINE_BENCH_RECORDS` says how many lines a run has, 100,000 unless it does.

#![allow(clippy::print_stdout, reason = "a bench prints")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;
use trunkline_benches::records::said;
use trunkline_benches::stats::{median, processor_seconds};
use trunkline_runtime::Tasks;
use trunkline_tests::command::until;
use trunkline_tests::fleet::{Fleet, Plan, store_at};
use trunkline_tests::real_parts::{Filebeat, OpenSearch, Parts, PassThrough, Rsyslog, Shipping};

/// Where the lane writes.
const INDEX: &str = "trunkline-logs.logs.*";
const CLUSTER: &str = "alpha";
/// The longest run.
const LONGEST: Duration = Duration::from_secs(1800);
const LOOK: Duration = Duration::from_millis(100);

/// Who follows the file.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Rsyslog,
    Filebeat,
}

enum Shipper {
    Rsyslog(Rsyslog),
    Filebeat(Filebeat),
}

/// What every run has.
struct Course {
    parts: Parts,
    opensearch: OpenSearch,
    folder: tempfile::TempDir,
    lines: u64,
    bytes: u64,
}

/// One of the figures of a run, or several together.
type Part = fn(&Spent) -> f64;

/// Seconds of one run, of the clock and of processors.
#[derive(Default)]
struct Spent {
    wall: f64,
    shipper: f64,
    agent: f64,
    gateway: f64,
    store: f64,
}

fn main() -> anyhow::Result<()> {
    let smoke = std::env::var_os("TRUNKLINE_BENCH_SMOKE").is_some();
    let told = std::env::var("TRUNKLINE_BENCH_RECORDS").ok().and_then(|lines| lines.parse().ok());
    let lines = told.unwrap_or(if smoke { 2_000 } else { 100_000 });
    let rounds = if smoke { 1 } else { 3 };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(bench(lines, rounds))
}

async fn bench(lines: u64, rounds: usize) -> anyhow::Result<()> {
    let Some(parts) = Parts::wanted_by("the bench of the log lane").await else { return Ok(()) };
    let folder = tempfile::tempdir()?;
    let opensearch = OpenSearch::start(folder.path()).await?;
    let text: String = (0..lines).map(|number| format!("{}\n", said(number))).collect();
    std::fs::write(folder.path().join("followed.log"), &text)?;
    let course = Course { parts, opensearch, folder, lines, bytes: text.len() as u64 };
    println!("medians of {rounds} rounds of {lines} lines, {} bytes each", course.bytes / lines);
    for kind in [Kind::Rsyslog, Kind::Filebeat] {
        let (mut alone, mut lane) = (Vec::new(), Vec::new());
        // The first of each is not counted: OpenSearch has to compile what it does.
        for round in 0..=rounds {
            let (one, other) = (course.by_itself(kind).await?, course.by_the_lane(kind).await?);
            if round > 0 || rounds == 1 {
                alone.push(one);
                lane.push(other);
            }
        }
        course.compare(kind, &alone, &lane);
    }
    let mut embedded = Vec::new();
    for _ in 0..rounds {
        embedded.push(course.embedded().await?);
    }
    println!("rsyslog, by the lane into the embedded store");
    course.print("  by the lane", &embedded);
    course.opensearch.stop().await
}

impl Course {
    /// The shipper writes into OpenSearch.
    async fn by_itself(&self, kind: Kind) -> anyhow::Result<Spent> {
        let (tasks, folder) = (Tasks::new(), tempfile::tempdir_in(self.folder.path())?);
        let pass = PassThrough::start(&tasks, self.opensearch.url()).await?;
        let (url, index) = match kind {
            Kind::Rsyslog => (self.opensearch.url(), Rsyslog::INDEX),
            Kind::Filebeat => (pass.url(), Filebeat::INDEX),
        };
        let store = processor_seconds(self.opensearch.pid()?);
        let began = Instant::now();
        let shipper = self.start(kind, folder.path(), url)?;
        self.indexed(index).await?;
        let spent = Spent {
            wall: began.elapsed().as_secs_f64(),
            shipper: processor_seconds(shipper.pid()?),
            store: processor_seconds(self.opensearch.pid()?) - store,
            ..Spent::default()
        };
        shipper.stop().await?;
        self.all_are_there_and_go(index).await?;
        tasks.shut_down().await;
        Ok(spent)
    }

    /// The shipper hands in at an agent, and the gateway writes into the same OpenSearch.
    async fn by_the_lane(&self, kind: Kind) -> anyhow::Result<Spent> {
        let fleet = Plan::new(store_at(self.opensearch.url()), &[CLUSTER]).raise().await;
        let store = processor_seconds(self.opensearch.pid()?);
        let mut spent = self.through(kind, fleet, async |_| self.indexed(INDEX).await).await?;
        spent.store = processor_seconds(self.opensearch.pid()?) - store;
        self.all_are_there_and_go(INDEX).await?;
        Ok(spent)
    }

    /// The same into the store that the gateway has in itself.
    async fn embedded(&self) -> anyhow::Result<Spent> {
        let fleet = Plan::new(json!({"embedded": {}}), &[CLUSTER]).raise().await;
        self.through(Kind::Rsyslog, fleet, async |fleet| {
            until("the embedded store has all lines", LONGEST, async || {
                tokio::time::sleep(LOOK).await;
                let stored = fleet.gateway_counts("trunkline_gateway_logs_records_total").await;
                Ok((stored >= self.lines as f64).then_some(()))
            })
            .await?;
            fleet.nothing_waits(LONGEST).await;
            let found = fleet.count(&format!("clusters={CLUSTER}")).await;
            ensure!(found as u64 == self.lines, "{found} of {}", self.lines);
            Ok(())
        })
        .await
    }

    async fn through(
        &self,
        kind: Kind,
        mut fleet: Fleet,
        all_are_stored: impl AsyncFnOnce(&Fleet) -> anyhow::Result<()>,
    ) -> anyhow::Result<Spent> {
        let folder = tempfile::tempdir_in(self.folder.path())?;
        let (gateway, agent) = (fleet.gateway().id(), fleet.agent(CLUSTER).id());
        let ours = || (processor_seconds(agent), processor_seconds(gateway));
        let before = ours();
        let began = Instant::now();
        let shipper = self.start(kind, folder.path(), &format!("http://{}", fleet.intake(CLUSTER)))?;
        all_are_stored(&fleet).await?;
        let (wall, after) = (began.elapsed().as_secs_f64(), ours());
        let spent = Spent {
            wall,
            shipper: processor_seconds(shipper.pid()?),
            agent: after.0 - before.0,
            gateway: after.1 - before.1,
            store: 0.0,
        };
        shipper.stop().await?;
        Ok(spent)
    }

    fn start(&self, kind: Kind, folder: &Path, url: &str) -> anyhow::Result<Shipper> {
        let file = self.folder.path().join("followed.log");
        let shipping = Shipping { folder, file: &file, url, login: None };
        Ok(match kind {
            Kind::Rsyslog => Shipper::Rsyslog(Rsyslog::start(shipping)?),
            Kind::Filebeat => Shipper::Filebeat(Filebeat::start(&self.parts, shipping)?),
        })
    }

    /// Waits until OpenSearch has taken every line into these indices. Asked in this way it does not make them show for it.
    async fn indexed(&self, index: &str) -> anyhow::Result<()> {
        until(&format!("all lines in {index}"), LONGEST, async || {
            tokio::time::sleep(LOOK).await;
            // An index that is not there yet is no error.
            let stats = self.opensearch.ask("GET", &format!("/{index}/_stats/indexing"), None).await;
            let taken =
                stats.ok().and_then(|stats| stats["_all"]["primaries"]["indexing"]["index_total"].as_u64());
            Ok((taken >= Some(self.lines)).then_some(()))
        })
        .await
    }

    async fn all_are_there_and_go(&self, index: &str) -> anyhow::Result<()> {
        self.opensearch.refresh().await?;
        let there = self.opensearch.count(index).await?;
        ensure!(there == self.lines, "{index} has {there} documents of {} lines", self.lines);
        let listed = self.opensearch.ask("GET", &format!("/_cat/indices/{index}?format=json"), None).await?;
        for one in listed.as_array().context("a list of indices")? {
            self.opensearch.delete(one["index"].as_str().context("an index's name")?).await?;
        }
        Ok(())
    }

    fn compare(&self, kind: Kind, alone: &[Spent], lane: &[Spent]) {
        println!("{kind:?}, into OpenSearch");
        self.print("  by itself", alone);
        self.print("  by the lane", lane);
        let cpu = |runs: &[Spent], of: Part| median(runs.iter().map(of).collect());
        let shipper = cpu(alone, |one| one.shipper);
        let ratio = |what: &str, one: f64, other: f64| println!("  {what:<74} {:>6.2}", one / other);
        ratio("records/s, by the lane / by itself", cpu(alone, |one| one.wall), cpu(lane, |one| one.wall));
        ratio(
            "records/s of a core, agent and gateway / the shipper by itself",
            shipper,
            cpu(lane, |one| one.agent + one.gateway),
        );
        ratio(
            "records/s of a core, shipper, agent and gateway / the shipper by itself",
            shipper,
            cpu(lane, |one| one.shipper + one.agent + one.gateway),
        );
        ratio(
            "processor time of OpenSearch, by the lane / by itself",
            cpu(lane, |one| one.store),
            cpu(alone, |one| one.store),
        );
    }

    fn print(&self, what: &str, runs: &[Spent]) {
        let of = |of: Part| median(runs.iter().map(of).collect());
        let wall = of(|one| one.wall);
        let mut text = format!(
            "{what:<14} {:>8.0} records/s {:>6.1} MB/s;  CPU s per 100k:",
            self.lines as f64 / wall,
            self.bytes as f64 / wall / 1e6
        );
        let per_100k = 1e5 / self.lines as f64;
        let columns: [(&str, Part); 4] = [
            ("shipper", |one| one.shipper),
            ("agent", |one| one.agent),
            ("gateway", |one| one.gateway),
            ("store", |one| one.store),
        ];
        for (name, column) in columns {
            let _ = write!(text, "  {name} {:.2}", of(column) * per_100k);
        }
        let ours = of(|one| one.agent + one.gateway);
        if ours > 0.0 {
            let a_core = self.bytes as f64 / ours / 1e6;
            let _ = write!(
                text,
                ";  agent and gateway {:.0} records/s, {a_core:.1} MB/s of a core",
                self.lines as f64 / ours
            );
        }
        println!("{text}");
    }
}

impl Shipper {
    fn pid(&self) -> anyhow::Result<u32> {
        match self {
            Self::Rsyslog(rsyslog) => rsyslog.pid(),
            Self::Filebeat(filebeat) => filebeat.pid(),
        }
    }

    async fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Rsyslog(rsyslog) => {
                let given_up = rsyslog.given_up();
                ensure!(given_up.is_empty(), "rsyslog gave up: {given_up}");
                rsyslog.stop().await
            }
            Self::Filebeat(filebeat) => filebeat.stop().await,
        }
    }
}
