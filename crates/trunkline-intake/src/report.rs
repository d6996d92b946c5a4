//! What waits in a spool, as it is told to people.

use trunkline_logs::{Dataset, SpoolReport};
use trunkline_spool::Status;

/// What a spool's status says to people.
pub fn report(dataset: &Dataset, status: &Status) -> SpoolReport {
    let oldest = status.oldest.and_then(|moment| jiff::Timestamp::try_from(moment).ok());
    SpoolReport {
        dataset: dataset.clone(),
        records: status.records,
        bytes: status.bytes,
        cap: status.cap,
        oldest: oldest.map(|moment| moment.as_millisecond()),
        lost: status.lost,
        fault: status.fault.clone().unwrap_or_default(),
    }
}
