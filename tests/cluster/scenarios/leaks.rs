//! Thousands of requests, many of them given up half way, and what they leave behind: nothing.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::command::until;
use crate::papers::User::Jane;
use crate::scenarios::how_many;
use crate::stage::Stage;
use crate::wire::{Connection, Door};

const WORKERS: usize = 16;
/// A list of about 180 kB, so that there is something to leave unread.
const LONG: &str = "/clusters/alpha/apis/rbac.authorization.k8s.io/v1/clusterroles";
const SHORT: &str = "/clusters/alpha/api/v1/namespaces/default/configmaps/kube-root-ca.crt";
const WATCH: &str = "/clusters/alpha/api/v1/namespaces/default/configmaps?watch=1";
/// What may differ afterwards: memory in KiB, open files, threads.
const MEMORY: u64 = 32 * 1024;
const FILES: u64 = 5;
const THREADS: u64 = 3;

/// What a process holds.
#[derive(Clone, Copy)]
struct Held {
    files: u64,
    threads: u64,
    memory: u64,
}

impl Held {
    fn by(pid: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let number = |field: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            let digits = line
                .and_then(|line| line.split_whitespace().next())
                .context("a field of /proc is missing")?;
            Ok(digits.parse()?)
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd"))?.count() as u64;
        Ok(Self { files, threads: number("Threads:")?, memory: number("VmRSS:")? })
    }

    fn is_back_at(self, before: Self) -> bool {
        self.files <= before.files + FILES
            && self.threads <= before.threads + THREADS
            && self.memory <= before.memory + MEMORY
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files, {} threads, {} MiB", self.files, self.threads, self.memory / 1024)
    }
}

pub(crate) async fn cancelled_requests_leave_nothing_behind(stage: &mut Stage) -> Result<String> {
    let total = how_many(100_000, 2_000);
    // The same kind of load first, so that what is kept on purpose is there before the count begins.
    load(stage, total / 10).await?;
    let pids = [stage.gateway()?.pid()?, stage.agent("alpha")?.process.pid()?];
    quiet(stage).await?;
    let before = [Held::by(pids[0])?, Held::by(pids[1])?];
    load(stage, total).await?;
    quiet(stage).await?;
    let mut after = before;
    let back = until("gateway and agent hold what they held before", Duration::from_secs(30), async || {
        after = [Held::by(pids[0])?, Held::by(pids[1])?];
        Ok((after[0].is_back_at(before[0]) && after[1].is_back_at(before[1])).then_some(()))
    });
    let outcome = back.await;
    let said = format!(
        "{total} requests; gateway: {} before, {} after; agent: {} before, {} after",
        before[0], after[0], before[1], after[1]
    );
    outcome.context(said.clone())?;
    Ok(said)
}

/// Waits until the gateway has no request and no connection of ours under way.
async fn quiet(stage: &Stage) -> Result<()> {
    let admin = stage.papers.ports.admin;
    until("no request is under way", Duration::from_secs(20), async || {
        let requests = stage.metric(admin, "trunkline_gateway_requests_open").await?;
        let connections = stage.metric(admin, "trunkline_gateway_front_connections_open").await?;
        Ok((requests == 0.0 && connections == 0.0).then_some(()))
    })
    .await
}

async fn load(stage: &Stage, total: usize) -> Result<()> {
    let count = AtomicUsize::new(0);
    let doors = [Door::gateway(stage, Jane, true)?, Door::gateway(stage, Jane, false)?];
    let workers = (0..WORKERS).map(|worker| work(stage, &doors[worker % doors.len()], &count, total));
    try_join_all(workers).await.map(|_| ())
}

/// Sends requests until `total` were sent by all, and gives up on many of them in one way or another.
async fn work(stage: &Stage, door: &Door, count: &AtomicUsize, total: usize) -> Result<()> {
    let mut connection: Option<Connection> = None;
    while count.fetch_add(1, Ordering::Relaxed) < total {
        let mut open = match connection.take().filter(Connection::is_open) {
            Some(open) => open,
            None => door.connect(&stage.tasks).await?,
        };
        let get = |path| door.request("GET", path, "");
        match rand::random_range(0..10) {
            // The head of a long answer and one piece of it.
            0 | 1 => {
                let mut answer = open.send(get(LONG)?).await?;
                ensure!(answer.status() == 200, "{}", answer.status());
                answer.body_mut().frame().await;
            }
            // A watch that nothing comes of.
            2 => {
                let answer = open.send(get(WATCH)?).await?;
                ensure!(answer.status() == 200, "{}", answer.status());
            }
            // Not even the head is waited for.
            3 => {
                let patience = Duration::from_micros(rand::random_range(0..3_000));
                let _ = timeout(patience, open.ask(get(LONG)?)).await;
            }
            _ => {
                let answer = open.ask(get(SHORT)?).await?;
                ensure!(answer.status == 200, "{answer:?}");
                connection = Some(open);
                continue;
            }
        }
        // HTTP/1.1 is cancelled by leaving, HTTP/2 by resetting one stream; now and then by leaving, too.
        if open.is_shared() && rand::random_range(0..20) > 0 {
            connection = Some(open);
        }
    }
    Ok(())
}
