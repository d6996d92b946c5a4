//! Waits until a cluster has joined, and tells each step, or what holds it up and what to do.
//!
//! Nothing is asked again and again: the gateway tells of every step, and of every stall, by the watch.

use std::time::Instant;

use trunkline_api::{Cluster, ClusterState, JoinStall, JoinState, JoinStep, JoinStepName as Step};

use crate::cmd::say;
use crate::exit::{Exit, Failure};
use crate::rest::{Change, Rest, Watch};
use crate::words::{Colour, Paint, clean, mark, millis, words_are_on_terminal};

/// Waits until requests can go through to the cluster. The first log record is not waited for: nobody knows when
/// something is logged there.
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
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(change) = tokio::time::timeout(left, watch.next()).await else {
            let why = if progress.stall.is_empty() { "nothing was heard of it" } else { &progress.stall };
            return Err(Failure::new(Exit::TimedOut, format!("{name} has not joined in time: {why}"))
                .next(afterwards)
                .into());
        };
        match change? {
            Change::Is(cluster) if cluster.metadata.name == *name => {
                progress.tell(&cluster);
                if has_joined(&cluster) {
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
        }
    }
}

/// Whether requests can go through. Rights that the API server would not tell of are no reason to wait.
fn has_joined(cluster: &Cluster) -> bool {
    let status = &cluster.status;
    let at = status.joining.as_ref().and_then(|joining| joining.stands_at());
    let is_through = at.is_none_or(|step| {
        step.name == Step::Logs
            || (step.name == Step::Rights && step.reason == Some(JoinStall::RightsUnknown))
    });
    status.state == ClusterState::Connected && is_through
}

/// What was told already.
#[derive(Default)]
struct Progress {
    steps: Vec<Step>,
    stall: String,
}

impl Progress {
    fn tell(&mut self, cluster: &Cluster) {
        let status = &cluster.status;
        let Some(joining) = &status.joining else {
            // It was here before, and only comes back; or its time to come is over.
            if status.state != ClusterState::Connected {
                self.hold_up(clean(&status.reason), "");
            }
            return;
        };
        for step in joining.steps.iter().take_while(|step| step.state == JoinState::Done) {
            if !self.steps.contains(&step.name) {
                self.steps.push(step.name);
                self.stall.clear();
                let mark = Paint::words().paint(mark(true, words_are_on_terminal()), Some(Colour::Green));
                say(&format!("{mark} {}", words(step)));
            }
        }
        if let Some(step) = joining.stands_at().filter(|step| !step.cause.is_empty()) {
            self.hold_up(format!("{}: {}", step.name.as_str(), clean(&step.cause)), &step.fix);
        }
    }

    fn hold_up(&mut self, why: String, fix: &str) {
        if !why.is_empty() && self.stall != why {
            say(&format!("  {}", Paint::words().paint(&why, Some(Colour::Yellow))));
            fix.lines().for_each(|line| say(&format!("    {}", clean(line))));
            self.stall = why;
        }
    }
}

/// A step that is done.
fn words(step: &JoinStep) -> String {
    let detail = clean(&step.detail);
    match step.name {
        Step::Contact => format!("the agent reached the gateway, {detail}"),
        Step::Tls | Step::Token | Step::Logs => detail,
        Step::Certificate => format!("certificate issued, {detail}"),
        Step::Tunnel => {
            let rtt = step.ms.map(|ms| format!(", {}", millis(ms))).unwrap_or_default();
            format!("tunnel up{rtt}, {detail}")
        }
        Step::ApiServer => format!("Kubernetes {detail}"),
        Step::Rights => format!("rights: {detail}"),
    }
}
