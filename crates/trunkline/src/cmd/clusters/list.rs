//! `trunkline clusters list`: columns, resources or names; once, or followed.

use std::cmp::Reverse;

use jiff::Timestamp;
use trunkline_api::{Cluster, ClusterList, ClusterState, Selector};

use crate::cli::{ListArgs, Output, SortBy};
use crate::cmd::{print, print_json, print_yaml, say};
use crate::exit::{Exit, Failure};
use crate::rest::{Change, Rest, Watch};
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, age, clean_json, clip, millis, until};

/// The longest reason in a table, in characters. `show` has all of it.
const REASON: usize = 60;

pub(super) async fn run(rest: &Rest, args: &ListArgs) -> anyhow::Result<()> {
    args.selector
        .parse::<Selector>()
        .map_err(|error| Failure::new(Exit::Usage, format!("--selector: {error}")))?;
    let mut table = Table::new(heads(args.output), !args.no_headers, Paint::output());
    if args.watch {
        return watch(rest, args, &mut table).await;
    }
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("selector", &args.selector).finish();
    let path = if args.selector.is_empty() { "/clusters".into() } else { format!("/clusters?{query}") };
    let mut list: ClusterList = rest.get(&path).await?;
    sort(&mut list.items, args.sort_by);
    match args.output {
        Output::Json => return print_json(&list),
        Output::Yaml => return print_yaml(&list),
        Output::Table | Output::Wide | Output::Name => {}
    }
    if list.items.is_empty() {
        let (what, next) = match args.selector.as_str() {
            "" => ("no clusters yet", "trunkline clusters register NAME"),
            _ => ("no cluster has these labels", "trunkline clusters"),
        };
        say(what);
        say(&format!("next:  {next}"));
        return Ok(());
    }
    show(&mut table, args.output, &list.items)
}

fn show(table: &mut Table, output: Output, clusters: &[Cluster]) -> anyhow::Result<()> {
    if output == Output::Name {
        return clusters.iter().try_for_each(|cluster| print(cluster.metadata.name.as_str()));
    }
    let now = Timestamp::now();
    let rows: Vec<_> = clusters.iter().map(|cluster| row(cluster, output, now)).collect();
    table.lines(&rows).iter().try_for_each(|line| print(line))
}

/// What is there in one piece, then each change as it comes, until somebody stops it.
async fn watch(rest: &Rest, args: &ListArgs, table: &mut Table) -> anyhow::Result<()> {
    let mut watch = Watch::open(rest, &args.selector).await?;
    let mut first = Some(Vec::new());
    loop {
        match (watch.next().await?, &mut first) {
            (Change::Is(cluster), Some(clusters)) => clusters.push(*cluster),
            (Change::Is(cluster), None) => one(table, args.output, "modified", *cluster)?,
            (Change::Gone(cluster), Some(clusters)) => {
                clusters.retain(|other| other.metadata.name != cluster.metadata.name);
            }
            (Change::Gone(cluster), None) => one(table, args.output, "removed", *cluster)?,
            (Change::Synced, _) => {
                let mut clusters = first.take().unwrap_or_default();
                sort(&mut clusters, args.sort_by);
                match args.output {
                    Output::Json | Output::Yaml => {
                        for cluster in clusters {
                            one(table, args.output, "added", cluster)?;
                        }
                    }
                    Output::Table | Output::Wide | Output::Name => show(table, args.output, &clusters)?,
                }
            }
        }
    }
}

/// One event: a row, a line of JSON, a document of YAML, a name.
fn one(table: &mut Table, output: Output, kind: &str, cluster: Cluster) -> anyhow::Result<()> {
    match output {
        Output::Json => {
            print(&clean_json(&serde_json::json!({"type": kind, "cluster": cluster}).to_string()))
        }
        Output::Yaml => {
            print("---")?;
            print_yaml(&serde_json::json!({"type": kind, "cluster": cluster}))
        }
        Output::Table | Output::Wide if kind == "removed" => {
            let mut cells = row(&cluster, output, Timestamp::now());
            if let Some(state) = cells.get_mut(1) {
                *state = Cell::new("removed");
            }
            table.lines(&[cells]).iter().try_for_each(|line| print(line))
        }
        Output::Table | Output::Wide | Output::Name => show(table, output, &[cluster]),
    }
}

fn heads(output: Output) -> Vec<&'static str> {
    let mut heads =
        vec!["NAME", "STATE", "ENVIRONMENT", "KUBERNETES", "NODES", "RTT", "SEEN", "AGE", "REASON"];
    if output == Output::Wide {
        heads.extend(["DISPLAY NAME", "LABELS", "AGENT", "CERTIFICATE", "PROTECTION", "ORIGIN", "UID"]);
    }
    heads
}

fn row(cluster: &Cluster, output: Output, now: Timestamp) -> Vec<Cell> {
    let (metadata, spec, status) = (&cluster.metadata, &cluster.spec, &cluster.status);
    let text = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".into()));
    let mut cells = vec![
        Cell::new(metadata.name.as_str()),
        Cell::new(status.state.as_str()).coloured(Some(colour(status.state))),
        text((!spec.environment.is_empty()).then(|| clip(&spec.environment, REASON))),
        text(status.kubernetes_version.as_deref().map(|version| clip(version, REASON))),
        text(status.nodes.map(|nodes| nodes.to_string())),
        text(status.rtt_ms.map(millis)),
        text(status.last_seen.map(|seen| age(seen, now))),
        text(metadata.created.map(|created| age(created, now))),
        Cell::new(clip(&status.reason, REASON)),
    ];
    if output == Output::Wide {
        let labels: Vec<String> =
            metadata.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        cells.extend([
            text((!spec.display_name.is_empty()).then(|| clip(&spec.display_name, REASON))),
            text((!labels.is_empty()).then(|| labels.join(","))),
            text(status.agent_version.as_deref().map(|version| clip(version, REASON))),
            text(status.certificate_not_after.map(|ends| until(ends, now))),
            Cell::new(word(&spec.protection)),
            Cell::new(word(&status.origin)),
            text(metadata.uid.map(|uid| uid.to_string())),
        ]);
    }
    cells
}

/// One of the API's own words as it is written there.
pub(super) fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn colour(state: ClusterState) -> Colour {
    match state {
        ClusterState::Connected => Colour::Green,
        ClusterState::Joining | ClusterState::Degraded => Colour::Yellow,
        ClusterState::Disconnected | ClusterState::Locked | ClusterState::DuplicateIdentity => Colour::Red,
    }
}

/// Sorts stably, so that names decide among equals; the management cluster stays first among them.
fn sort(clusters: &mut [Cluster], by: SortBy) {
    let urgency = |state: ClusterState| match state {
        ClusterState::DuplicateIdentity => 0,
        ClusterState::Disconnected => 1,
        ClusterState::Degraded => 2,
        ClusterState::Joining => 3,
        ClusterState::Locked => 4,
        ClusterState::Connected => 5,
    };
    match by {
        SortBy::Name => {}
        SortBy::State => clusters.sort_by_key(|cluster| urgency(cluster.status.state)),
        SortBy::Environment => clusters.sort_by(|a, b| a.spec.environment.cmp(&b.spec.environment)),
        SortBy::Kubernetes => {
            clusters.sort_by_key(|cluster| numbers(cluster.status.kubernetes_version.as_deref()))
        }
        SortBy::Nodes => clusters.sort_by_key(|cluster| Reverse(cluster.status.nodes)),
        SortBy::Rtt => clusters.sort_by(|a, b| {
            let rtt = |cluster: &Cluster| cluster.status.rtt_ms.unwrap_or(-1.0);
            rtt(b).total_cmp(&rtt(a))
        }),
        SortBy::Seen => clusters.sort_by_key(|cluster| cluster.status.last_seen),
        SortBy::Age => clusters.sort_by_key(|cluster| Reverse(cluster.metadata.created)),
        SortBy::Certificate => {
            clusters.sort_by_key(|cluster| {
                let ends = cluster.status.certificate_not_after;
                (ends.is_none(), ends)
            });
        }
    }
}

/// The numbers of a version, so that v1.9 comes before v1.31.
fn numbers(version: Option<&str>) -> Vec<u64> {
    version
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_sorted_as_numbers() {
        assert!(numbers(Some("v1.9.3")) < numbers(Some("v1.31.0")));
        assert!(numbers(None) < numbers(Some("v1.0.0")));
    }
}
