//! `trunkline audit`: query, verify, recordings, play.

mod play;
mod query;
mod verify;

use trunkline_api::AuditRecordings;

use crate::cli::{AuditCommand, RecordingsArgs, Records};
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml, say};
use crate::table::{Cell, Table};
use crate::words::{Paint, moment};

pub(crate) fn run(command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Query(args) => query::run(&args),
        AuditCommand::Verify(args) => verify::run(&args),
        AuditCommand::Recordings(args) => recordings(&args),
        AuditCommand::Play(args) => play::run(&args),
    }
}

fn recordings(args: &RecordingsArgs) -> anyhow::Result<()> {
    let rest = gateway_api(&args.sign_in)?;
    let list: AuditRecordings = ask("trunkline audit recordings", rest.get("/audit/recordings"))?;
    match args.output {
        Records::Json => return print_json(&list),
        Records::Yaml => return print_yaml(&list),
        Records::Table => {}
    }
    if list.items.is_empty() {
        say("no session was recorded");
        return Ok(());
    }
    let rows: Vec<Vec<Cell>> = list
        .items
        .iter()
        .map(|file| {
            let state = if file.live { "live" } else { "" };
            vec![
                Cell::new(&file.request),
                Cell::new(moment(file.modified)),
                Cell::new(file.bytes.to_string()),
                Cell::new(state),
            ]
        })
        .collect();
    let mut table = Table::new(vec!["REQUEST", "WRITTEN", "BYTES", "STATE"], true, Paint::output());
    table.lines(&rows).iter().try_for_each(|line| print(line))
}
