//! From a batch to the spool: the answer waits for the disk.

use std::time::Duration;

use trunkline_spool::{Receipt, Refused, Writer};

use crate::batch::Batch;
use crate::refusal::Refusal;

/// How long the disk may take. Beyond that the records may be kept or not, and are sent again.
const DISK: Duration = Duration::from_secs(60);

/// Keeps all records of a batch, or none; says where they are once they are durable, and nothing of none.
pub(crate) async fn keep(batch: Batch, writer: &Writer) -> Result<Option<Receipt>, Refusal> {
    let (records, _held) = batch.into_records();
    if records.is_empty() {
        return Ok(None);
    }
    match tokio::time::timeout(DISK, writer.append(records)).await {
        Ok(Ok(receipt)) => Ok(Some(receipt)),
        Ok(Err(Refused::Nothing)) => Ok(None),
        Ok(Err(refused)) => Err(refused.into()),
        Err(_) => Err(Refusal::SlowDisk),
    }
}
