//! `trunkline pki show` and `rotate`: how far the tunnel's root has been replaced, and replacing it.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use trunkline_api::{RootRole, RotationStatus};

use crate::cli::{Form, PkiShowArgs, RotateArgs, SignInArgs};
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml, question, say};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, clean, mark, until, words_are_on_terminal};

/// How often the gateway is asked how far it is. There is no watch for it: a rotation takes seconds, once a year.
const EVERY: Duration = Duration::from_millis(500);
/// How often what is waited for is told again.
const REMIND: u32 = 60;

pub(crate) fn show(args: &PkiShowArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let rest = gateway_api(sign_in)?;
    let status: RotationStatus = ask("trunkline pki show", rest.get("/pki"))?;
    match args.output {
        Form::Json => return print_json(&status),
        Form::Yaml => return print_yaml(&status),
        Form::Text => {}
    }
    let now = Timestamp::now();
    let roots: Vec<Vec<Cell>> = status
        .roots
        .iter()
        .map(|root| {
            let role = match root.role {
                RootRole::Issuing => "issuing",
                RootRole::Retiring => "retiring",
            };
            vec![Cell::new(&root.pin), Cell::new(role), Cell::new(until(root.not_after, now))]
        })
        .collect();
    let mut lines = Table::new(vec!["ROOT", "ROLE", "ENDS"], true, Paint::output()).lines(&roots);
    if status.rotating {
        let rows: Vec<Vec<Cell>> = status
            .clusters
            .iter()
            .map(|cluster| {
                let moved = if cluster.moved { "yes" } else { "no" };
                vec![Cell::new(&cluster.name), Cell::new(moved), Cell::new(&cluster.detail)]
            })
            .collect();
        lines.push(String::new());
        lines.extend(Table::new(vec!["CLUSTER", "MOVED", "WAITS FOR"], true, Paint::output()).lines(&rows));
    }
    lines.iter().try_for_each(|line| print(line))
}

pub(crate) fn rotate(args: &RotateArgs, sign_in: &SignInArgs) -> anyhow::Result<()> {
    let rest = gateway_api(sign_in)?;
    ask("trunkline pki show; the rotation goes on without this command", async {
        if args.finish { finish(&rest, args.yes).await } else { start(&rest, args.no_wait).await }
    })
}

/// Drops the retiring root.
async fn finish(rest: &Rest, yes: bool) -> anyhow::Result<()> {
    let status: RotationStatus = rest.get("/pki").await?;
    if !status.rotating {
        return print("no rotation is under way");
    }
    let behind: Vec<String> =
        status.clusters.iter().filter(|cluster| !cluster.moved).map(|cluster| clean(&cluster.name)).collect();
    if !behind.is_empty() && !yes {
        say(&format!("these have not moved and are cut until they join again: {}", behind.join(", ")));
        if question("Drop the old root? Type yes:", "trunkline pki rotate --finish --yes").await? != "yes" {
            return print("nothing was changed");
        }
    }
    let _: RotationStatus = rest.ask(Method::POST, "/pki/finish").await?;
    print("the old root is dropped")
}

/// Starts a rotation, or finds one under way, and follows it.
async fn start(rest: &Rest, no_wait: bool) -> anyhow::Result<()> {
    let mut status: RotationStatus = rest.ask(Method::POST, "/pki/rotate").await?;
    if no_wait {
        say("next:  trunkline pki show");
        return print("the rotation has begun: both roots are trusted");
    }
    say("Both roots are trusted; every agent is told, and moves while its links stay up. (Ctrl-C is safe)");
    let mut behind = BTreeSet::new();
    let mut moved = BTreeSet::new();
    for round in 1u32.. {
        behind.extend(status.clusters.iter().map(|cluster| cluster.name.clone()));
        tell(&status, &behind, &mut moved, round % REMIND == 0);
        if !status.rotating {
            break;
        }
        tokio::time::sleep(EVERY).await;
        status = rest.get("/pki").await?;
    }
    print("every cluster has moved; the old root is dropped")
}

/// Tells who has moved since the last time, and every now and then what is waited for.
fn tell(status: &RotationStatus, all: &BTreeSet<String>, moved: &mut BTreeSet<String>, remind: bool) {
    let ok = Paint::words().paint(mark(true, words_are_on_terminal()), Some(Colour::Green));
    for name in all {
        // When the rotation is over nobody is behind any more, and nobody may be told of.
        let cluster = status.clusters.iter().find(|cluster| cluster.name == *name && status.rotating);
        match cluster {
            Some(cluster) if !cluster.moved => {
                if remind {
                    say(&format!("  {} waits: {}", clean(name), clean(&cluster.detail)));
                }
            }
            Some(_) | None => {
                if moved.insert(name.clone()) {
                    say(&format!("{ok} {}", clean(name)));
                }
            }
        }
    }
}
