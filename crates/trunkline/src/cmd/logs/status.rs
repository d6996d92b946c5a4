//! `trunkline logs --status`: how the records of each cluster get on, and the store.

use jiff::Timestamp;
use trunkline_api::{LogStanding, LogStatus};

use crate::cli::LogsOutput;
use crate::cmd::{print, print_json, say};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, age, clean, millis};

pub(super) async fn tell(rest: &Rest, output: LogsOutput) -> anyhow::Result<()> {
    let status: LogStatus = rest.get("/logs/status").await?;
    if output == LogsOutput::Json {
        return print_json(&status);
    }
    standings(&status.items)?;
    if status.items.is_empty() {
        say("no records have come yet");
    }
    let store = &status.store;
    let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
    let oldest = store.oldest_day.as_deref().unwrap_or("none");
    say(&format!(
        "store: {}, {} records, {} bytes, oldest day {oldest}, {} not found yet",
        clean(&store.kind),
        number(store.records),
        number(store.bytes),
        store.waiting
    ));
    if store.lost > 0 {
        say(&format!("{} records of the store are gone before their time", store.lost));
    }
    store.notes.iter().for_each(|note| say(&clean(note)));
    if let Some(fault) = &store.fault {
        say(&format!("the store takes or answers nothing: {}", clean(fault)));
    }
    Ok(())
}

/// A line for each dataset of each cluster.
pub(crate) fn standings(items: &[LogStanding]) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let rows: Vec<Vec<Cell>> = items.iter().map(|item| row(item, now)).collect();
    let heads =
        vec!["CLUSTER", "DATASET", "RECORDS/S", "LAG", "WAITING", "OLDEST", "SPOOL", "DEAD", "LOST", "STATE"];
    Table::new(heads, true, Paint::output()).lines(&rows).iter().try_for_each(|line| print(line))
}

fn row(item: &LogStanding, now: Timestamp) -> Vec<Cell> {
    let full = match item.spool_cap {
        0 => String::new(),
        cap => format!("{} %", item.spool_bytes.saturating_mul(100) / cap),
    };
    let (state, colour) = match item.why.as_str() {
        "" => ("ok".to_owned(), Colour::Green),
        why => (clean(why), Colour::Red),
    };
    vec![
        Cell::new(&item.cluster),
        Cell::new(&item.dataset),
        Cell::new(format!("{:.1}", item.rate)),
        Cell::new(item.lag_ms.map(|lag| millis(lag as f64)).unwrap_or_default()),
        Cell::new(item.waiting.to_string()),
        Cell::new(item.oldest.map(|oldest| age(oldest, now)).unwrap_or_default()),
        Cell::new(full),
        Cell::new(item.dead_letters.to_string()),
        Cell::new(item.lost.to_string()),
        Cell::new(state).coloured(Some(colour)),
    ]
}
