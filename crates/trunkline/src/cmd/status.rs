//! `trunkline status`: what this cluster is; with a name, the way to that cluster, hop by hop.

use std::time::Instant;

use anyhow::Context as _;
use jiff::Timestamp;
use trunkline_agent::AgentStatus;
use trunkline_api::{GatewayStatus, Hop, HopReport};
use trunkline_proto::ClusterId;

use crate::cli::{Form, SignInArgs, StatusArgs};
use crate::cmd::logs::standings;
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, clean, mark, millis, moment, output_is_terminal, until};

pub(crate) fn run(args: &StatusArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    if let Some(url) = &args.agent {
        return of_agent(url, args.output);
    }
    let rest = gateway_api(sign_in)?;
    match &args.name {
        None => of_gateway(&rest, args.output),
        Some(name) => of_cluster(&rest, name, args.output),
    }
}

fn of_gateway(rest: &Rest, output: Form) -> anyhow::Result<()> {
    let status: GatewayStatus = ask("trunkline status", rest.get("/status"))?;
    match output {
        Form::Json => return print_json(&status),
        Form::Yaml => return print_yaml(&status),
        Form::Text => {}
    }
    let groups = if status.groups.is_empty() { "none".to_owned() } else { status.groups.join(", ") };
    let rows = [
        ("This cluster", status.cluster_type.as_str().to_owned()),
        ("Gateway", format!("{} (version {})", rest.gateway(), status.version)),
        ("You", status.user),
        ("Groups", groups),
        ("Clusters", format!("{}, {} of them connected", status.clusters, status.connected)),
        (
            "Management",
            if status.management { "served as the cluster `management`" } else { "not served" }.into(),
        ),
        ("Agents come to", status.tunnel.join(", ")),
        ("Pin", status.pin.unwrap_or_else(|| "none: this gateway issues no certificates".into())),
    ];
    print_pairs(rows)
}

/// Names and what they are, under each other.
pub(crate) fn print_pairs(rows: impl IntoIterator<Item = (&'static str, String)>) -> anyhow::Result<()> {
    let rows: Vec<_> =
        rows.into_iter().map(|(name, value)| vec![Cell::new(name), Cell::new(value)]).collect();
    Table::new(vec!["", ""], false, Paint::output()).lines(&rows).iter().try_for_each(|line| print(line))
}

fn of_cluster(rest: &Rest, name: &str, output: Form) -> anyhow::Result<()> {
    let name: ClusterId = name
        .parse()
        .map_err(|error: trunkline_proto::InvalidClusterId| Failure::new(Exit::Usage, error.to_string()))?;
    let began = Instant::now();
    let report: HopReport = ask("trunkline status", rest.walk(&format!("/clusters/{name}/status")))?;
    let walked: f64 = report.hops.iter().filter_map(|hop| hop.ms).sum();
    let to_gateway = (began.elapsed().as_secs_f64() * 1000.0 - walked).max(0.0);
    match output {
        Form::Json => print_json(&report)?,
        Form::Yaml => print_yaml(&report)?,
        Form::Text => {
            print_hops(rest, to_gateway, &report)?;
            if !report.logs.is_empty() {
                print("")?;
                standings(&report.logs)?;
            }
        }
    }
    match report.hops.iter().find(|hop| !hop.ok) {
        None => Ok(()),
        Some(hop) => Err(broken(&name, hop).into()),
    }
}

fn print_hops(rest: &Rest, to_gateway: f64, report: &HopReport) -> anyhow::Result<()> {
    let you = Hop {
        name: "you".into(),
        ok: true,
        detail: format!("reach {}", rest.gateway()),
        hint: String::new(),
        ms: Some(to_gateway),
    };
    let terminal = output_is_terminal();
    let rows: Vec<Vec<Cell>> = std::iter::once(&you)
        .chain(&report.hops)
        .map(|hop| {
            let colour = if hop.ok { Colour::Green } else { Colour::Red };
            vec![
                Cell::new(mark(hop.ok, terminal)).coloured(Some(colour)),
                Cell::new(&hop.name),
                Cell::new(hop.ms.map(millis).unwrap_or_default()),
                Cell::new(&hop.detail),
            ]
        })
        .collect();
    Table::new(vec!["", "", "", ""], false, Paint::output())
        .lines(&rows)
        .iter()
        .try_for_each(|line| print(line))
}

/// The first hop that does not work, as an error.
fn broken(name: &ClusterId, hop: &Hop) -> Failure {
    let what = format!("{name}: the way ends at {}: {}", clean(&hop.name), clean(&hop.detail));
    let hint = clean(&hop.hint);
    let next = if hint.is_empty() { format!("trunkline clusters show {name}") } else { hint };
    Failure::new(Exit::Disconnected, what).next(next)
}

/// Asks an agent's admin port, which speaks plain HTTP and is nobody's but the cluster's own.
fn of_agent(url: &str, output: Form) -> anyhow::Result<()> {
    let status = ask("trunkline status --agent URL", crate::rest::agent_status(url))?;
    match output {
        Form::Json => return print_json(&status),
        Form::Yaml => return print_yaml(&status),
        Form::Text => {}
    }
    let status: AgentStatus = serde_json::from_value(status)
        .with_context(|| format!("{url} is no agent of this version; -o yaml shows what it says"))?;
    let certificate = match status.certificate_not_after.as_deref().map(str::parse::<Timestamp>) {
        None => "none yet".into(),
        Some(Ok(ends)) => format!("ends {} ({})", moment(ends), until(ends, Timestamp::now())),
        Some(Err(_)) => status.certificate_not_after.unwrap_or_default(),
    };
    let renewed = if status.renews { "renewed by itself" } else { "from files" };
    let tunnel = match (status.links, status.last_error) {
        (0, Some(why)) => format!("down: {why}"),
        (0, None) => "down".into(),
        (links, _) => format!("up, {links} links"),
    };
    print_pairs([
        ("This cluster", format!("{} ({}), slot {}", status.cluster, status.cluster_type, status.slot.0)),
        ("Tunnel", tunnel),
        ("Gateways", status.gateways.join(", ")),
        ("Certificate", format!("{certificate}, {renewed}")),
        ("Version", status.software),
    ])
}
