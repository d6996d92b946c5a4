//! What of the journey is pure, over plain values: for `fuzz/`, which feeds it anything.
//!
//! No interface of the intake: hidden from its documentation, and it changes with what it lays bare.

use std::net::Ipv4Addr;

use trunkline_logs::Entry;

use crate::batch::Batch;
use crate::body::Reader as _;
use crate::budget::{Budget, MOST};
use crate::bulk::{Bulk, Read};
use crate::otlp::{self, Form};

/// An item of a bulk: its action, the `_id` that is said again, and why it is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// `index`, `create`, `update` or `delete`.
    pub op: &'static str,
    /// Its `_id`.
    pub id: Option<String>,
    /// Why it is not kept; none if it is.
    pub fault: Option<String>,
}

/// A batch whose records were received at 0.
fn batch() -> Result<Batch, String> {
    let held =
        Budget::new(MOST).begin_at_once(Ipv4Addr::LOCALHOST.into()).map_err(|_| "no memory".to_owned())?;
    Ok(Batch::new(held, 0))
}

fn entries(batch: Batch) -> Vec<Entry> {
    let (records, _held) = batch.into_records();
    records.into_iter().filter_map(|record| Entry::decode(record.bytes).ok()).collect()
}

/// Reads a bulk that comes in pieces of this length: what is kept of it, and its items.
///
/// # Errors
/// Says why nothing of it is.
pub fn bulk(body: &[u8], piece: usize) -> Result<(Vec<Entry>, Vec<Item>), String> {
    let mut bulk = Bulk::new(batch()?);
    for piece in body.chunks(piece.max(1)) {
        bulk.more(piece).map_err(|refusal| refusal.to_string())?;
    }
    let Read { batch, items } = bulk.finish().map_err(|refusal| refusal.to_string())?;
    let items = items.into_iter().map(|item| Item {
        op: item.op.name(),
        id: item.id.map(String::from),
        fault: item.fault.map(|fault| fault.to_string()),
    });
    Ok((entries(batch), items.collect()))
}

/// Reads a request of OTLP: what is kept of it, and how many records are rejected.
///
/// # Errors
/// Says why nothing of it is.
pub fn otlp(json: bool, body: &[u8]) -> Result<(Vec<Entry>, u64), String> {
    let form = if json { Form::Json } else { Form::Protobuf };
    let records = otlp::read(form, body, batch()?).map_err(|refusal| refusal.to_string())?;
    let rejected = records.rejected.iter().map(|(_, times)| times).sum();
    Ok((entries(records.batch), rejected))
}
