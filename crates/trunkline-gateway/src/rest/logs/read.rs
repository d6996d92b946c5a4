//! What is read of a query.

use jiff::{SignedDuration, Timestamp};
use trunkline_api::{LogOrder, LogQuery};
use trunkline_logs::{Cursor, Filter, Order};

use super::super::problem::No;

/// How far back a question goes that says nothing.
const BACK: SignedDuration = SignedDuration::from_hours(1);

/// Refuses what a path does not know: one shape serves several, and what is read past is a trap.
pub(super) fn only(query: &LogQuery, known: &[&str]) -> Result<(), No> {
    let given = serde_json::to_value(query).unwrap_or_default();
    let unknown = given
        .as_object()
        .into_iter()
        .flat_map(|given| given.keys())
        .find(|name| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some(name) => Err(No::invalid(format!("{name} is not asked here; what is: {}", known.join(", ")))),
    }
}

pub(super) fn filter(text: &str) -> Result<Filter, No> {
    text.parse().map_err(|error: trunkline_logs::InvalidFilter| No::invalid(error.to_string()))
}

/// From and to, in milliseconds since 1970.
pub(super) fn time(query: &LogQuery) -> Result<(i64, i64), No> {
    let to = query.to.unwrap_or_else(Timestamp::now);
    let from = match query.from {
        Some(from) => from,
        None => to.checked_sub(BACK).unwrap_or(Timestamp::MIN),
    };
    if from >= to {
        return Err(No::invalid(format!("from, {from}, is not before to, {to}")));
    }
    // A moment within a millisecond is not lost at the end.
    Ok((
        from.as_millisecond(),
        to.as_millisecond().saturating_add(i64::from(to.subsec_nanosecond() % 1_000_000 != 0)),
    ))
}

pub(super) fn limit(asked: Option<usize>, few: usize, most: usize) -> Result<usize, No> {
    match asked {
        None => Ok(few),
        Some(asked) if (1..=most).contains(&asked) => Ok(asked),
        Some(asked) => Err(No::invalid(format!("{asked} is not between 1 and {most}"))),
    }
}

pub(super) fn order(order: Option<LogOrder>) -> Order {
    match order.unwrap_or_default() {
        LogOrder::Newest => Order::Newest,
        LogOrder::Oldest => Order::Oldest,
    }
}

/// A place, as an answer gave it: `1795749300250.lnTr…`.
pub(super) fn cursor(text: &str) -> Result<Cursor, No> {
    let parts = text.split_once('.').and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?)));
    let (time, id) =
        parts.ok_or_else(|| No::invalid("after is no place: take next of the page before as it is"))?;
    Ok(Cursor { time, id })
}

/// A place, as [`cursor`] reads it.
pub(super) fn place(at: &Cursor) -> String {
    format!("{}.{}", at.time, at.id)
}
