//! `trunkline clusters show`: all that is known of one cluster.

use jiff::Timestamp;
use trunkline_api::{Cluster, ClusterStatus, SlotStatus};
use trunkline_proto::IdentityMode;

use super::list::{colour, word};
use crate::cli::{Form, ShowArgs};
use crate::cmd::{print, print_json, print_yaml, say};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Paint, age, millis, moment, until};

pub(super) async fn run(rest: &Rest, args: &ShowArgs) -> anyhow::Result<()> {
    let cluster: Cluster = rest.get(&format!("/clusters/{}", args.name)).await?;
    match args.output {
        Form::Json => print_json(&cluster),
        Form::Yaml => print_yaml(&cluster),
        Form::Text => {
            lines(&cluster, Timestamp::now()).iter().try_for_each(|line| print(line))?;
            say(&format!("next:  trunkline status {}", args.name));
            Ok(())
        }
    }
}

fn lines(cluster: &Cluster, now: Timestamp) -> Vec<String> {
    let (metadata, spec, status) = (&cluster.metadata, &cluster.spec, &cluster.status);
    let labels: Vec<String> = metadata.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let ago = |when: Timestamp| format!("{} ({} ago)", moment(when), age(when, now));
    let ahead = |when: Timestamp| format!("{} ({})", moment(when), until(when, now));
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push(vec![Cell::new(name), Cell::new(value)]);
        }
    };
    row("Name", Some(metadata.name.to_string()));
    row("Display name", Some(spec.display_name.clone()));
    row("Description", Some(spec.description.clone()));
    row("State", Some(status.state.as_str().into()));
    row("Reason", Some(status.reason.clone()));
    row("Joining", joining(status));
    row("Environment", Some(spec.environment.clone()));
    row("Protection", Some(word(&spec.protection)));
    row("Labels", Some(labels.join(", ")));
    row("Kubernetes", status.kubernetes_version.clone());
    row("Nodes", status.nodes.map(|nodes| nodes.to_string()));
    row("Agent", status.agent_version.clone());
    row("Identity", identity(status));
    row("Round trip", status.rtt_ms.map(millis));
    row("Last seen", status.last_seen.map(ago));
    row("Certificate ends", status.certificate_not_after.map(ahead));
    row("Join token ends", status.join_expires.map(ahead));
    row("Registered", metadata.created.map(ago));
    row("Registered by", Some(metadata.created_by.clone()));
    row("Uid", metadata.uid.map(|uid| uid.to_string()));
    row("Revision", Some(metadata.revision.to_string()));
    row("Stands in", Some(word(&status.origin)));
    if let Some(lock) = &spec.locked {
        row("Locked", Some(format!("by {} since {}: {}", lock.by, ago(lock.since), lock.reason)));
    }
    for row in rows.iter_mut().filter(|row| row.first() == Some(&Cell::new("State"))) {
        row.truncate(1);
        row.push(Cell::new(status.state.as_str()).coloured(Some(colour(status.state))));
    }
    let mut lines = Table::new(vec!["", ""], false, Paint::output()).lines(&rows);
    if !status.slots.is_empty() {
        lines.push(String::new());
        let heads = vec!["SLOT", "LINKS", "FROM", "RTT", "AGENT", "EPOCH", "CERTIFICATE"];
        let rows: Vec<_> = status.slots.iter().map(|slot| slot_row(slot, now)).collect();
        lines.extend(Table::new(heads, true, Paint::output()).lines(&rows));
    }
    lines
}

/// Where its joining stands, and why it does not go on.
fn joining(status: &ClusterStatus) -> Option<String> {
    let step = status.joining.as_ref()?.stands_at()?;
    let why = if step.cause.is_empty() { "waiting" } else { &step.cause };
    Some(format!("{}: {why}", step.name.as_str()))
}

/// How the API server is told whose a request is: as the agent says, and as it is registered where no agent came yet.
fn identity(status: &ClusterStatus) -> Option<String> {
    let audiences = status.pass_through.join(", ");
    match (status.identity, audiences.is_empty()) {
        (None, true) => None,
        (Some(mode), true) => Some(mode.to_string()),
        (mode, false) => {
            let mode = mode.unwrap_or(IdentityMode::PassThrough);
            Some(format!("{mode}; tokens for {audiences}"))
        }
    }
}

fn slot_row(slot: &SlotStatus, now: Timestamp) -> Vec<Cell> {
    let text = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".into()));
    vec![
        Cell::new(slot.slot.0.to_string()),
        Cell::new(slot.links.to_string()),
        text(slot.from.clone()),
        text(slot.rtt_ms.map(millis)),
        text(slot.agent_version.clone()),
        text(slot.epoch.map(|epoch| epoch.to_string())),
        text(slot.certificate_not_after.map(|ends| until(ends, now))),
    ]
}
