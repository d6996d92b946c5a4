//! Waits until a cluster has joined, and tells each step, or what holds it up.
//!
//! Nothing is asked again and again: the gateway tells of every change. While nothing changes, it is asked every
//! 10 s to walk the way to the cluster and say where it ends.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use trunkline_api::{Cluster, ClusterState, HopReport};

use crate::cmd::say;
use crate::exit::{Exit, Failure};
use crate::rest::{Change, Rest, Watch};
use crate::words::{Colour, Paint, clean, mark, millis, until, words_are_on_terminal};

/// How long nothing may happen before the gateway is asked why.
const STALL: Duration = Duration::from_secs(10);

/// Waits until the cluster's API server answers through its tunnel.
///
/// # Errors
/// When it takes longer than `deadline`, or the cluster is removed or locked meanwhile.
pub(super) async fn until_joined(
    rest: &Rest,
    cluster: &Cluster,
    deadline: Instant,
    afterwards: &str,
) -> anyhow::Result<()> {
    let name = &cluster.metadata.name;
    say(&format!("Waiting for {name}... (Ctrl-C is safe; see it later with: trunkline status {name})"));
    let mut watch = Watch::open(rest, "").await?;
    // What it says before anything happened is no news.
    let mut progress = Progress { stall: clean(&cluster.status.reason), ..Progress::default() };
    let mut quiet_since = Instant::now();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let why = if progress.stall.is_empty() { "nothing was heard of it" } else { &progress.stall };
            return Err(Failure::new(Exit::TimedOut, format!("{name} has not joined in time: {why}"))
                .next(afterwards)
                .into());
        }
        let patience = STALL.saturating_sub(quiet_since.elapsed());
        match tokio::time::timeout(left.min(patience), watch.next()).await {
            Ok(change) => match change? {
                Change::Is(cluster) if cluster.metadata.name == *name => {
                    quiet_since = Instant::now();
                    progress.tell(&cluster);
                    if cluster.status.state == ClusterState::Connected {
                        say(&format!("next:  trunkline use {name} && kubectl get pods -A"));
                        return Ok(());
                    }
                    if cluster.status.state == ClusterState::Locked {
                        return Err(Failure::new(Exit::Failed, format!("{name} is locked"))
                            .next(format!("trunkline clusters unlock {name}"))
                            .into());
                    }
                }
                Change::Gone(cluster) if cluster.metadata.name == *name => {
                    return Err(Failure::new(Exit::NotFound, format!("{name} was removed meanwhile")).into());
                }
                Change::Is(_) | Change::Gone(_) | Change::Synced => {}
            },
            Err(_) => {
                progress.stalled(rest, name.as_str()).await?;
                quiet_since = Instant::now();
            }
        }
    }
}

/// What was told already.
#[derive(Default)]
struct Progress {
    steps: Vec<&'static str>,
    stall: String,
}

impl Progress {
    fn tell(&mut self, cluster: &Cluster) {
        let status = &cluster.status;
        let now = jiff::Timestamp::now();
        let from = status.slots.iter().find_map(|slot| slot.from.clone());
        let links = status.slots.iter().any(|slot| slot.links > 0);
        let ends = status
            .certificate_not_after
            .or_else(|| status.slots.iter().find_map(|slot| slot.certificate_not_after));
        // Who has a certificate or a link was there, though the gateway may not say any more from where.
        if from.is_some() || ends.is_some() || links {
            let from = from.map(|from| format!(" from {}", clean(&from))).unwrap_or_default();
            self.step("agent", format!("the agent reached the gateway{from}"));
        }
        if let Some(ends) = ends {
            self.step("certificate", format!("certificate issued ({})", until(ends, now)));
        }
        if links {
            let rtt = status.rtt_ms.map(|rtt| format!(", {}", millis(rtt))).unwrap_or_default();
            self.step("tunnel", format!("tunnel up{rtt}"));
        }
        if let Some(version) = &status.kubernetes_version {
            let nodes = status.nodes.map(|nodes| format!(", {nodes} nodes")).unwrap_or_default();
            self.step("kubernetes", format!("Kubernetes {}{nodes}", clean(version)));
        }
        // Between its certificate and its first link an agent is away for a moment; if it stays so, the walk tells why.
        let told = !matches!(status.state, ClusterState::Connected | ClusterState::Disconnected);
        if !status.reason.is_empty() && told {
            self.hold_up(clean(&status.reason));
        }
    }

    fn step(&mut self, step: &'static str, text: String) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
            self.stall.clear();
            let mark = mark(true, words_are_on_terminal());
            say(&format!("{} {text}", Paint::words().paint(mark, Some(Colour::Green))));
        }
    }

    fn hold_up(&mut self, why: String) {
        if self.stall != why {
            say(&format!("  {}", Paint::words().paint(&why, Some(Colour::Yellow))));
            self.stall = why;
        }
    }

    /// Nothing changed for a while: where does the way end?
    async fn stalled(&mut self, rest: &Rest, name: &str) -> anyhow::Result<()> {
        let report: anyhow::Result<HopReport> = rest.walk(&format!("/clusters/{name}/status")).await;
        let report = match report {
            Ok(report) => report,
            Err(error) if crate::exit::of(&error).0 == Exit::NotFound => {
                return Err(error).context("the cluster was removed meanwhile");
            }
            Err(error) => {
                self.hold_up(format!("{error:#}"));
                return Ok(());
            }
        };
        if let Some(hop) = report.hops.iter().find(|hop| !hop.ok) {
            let hint = if hop.hint.is_empty() { String::new() } else { format!("; {}", clean(&hop.hint)) };
            self.hold_up(format!("{}: {}{hint}", clean(&hop.name), clean(&hop.detail)));
        }
        Ok(())
    }
}
