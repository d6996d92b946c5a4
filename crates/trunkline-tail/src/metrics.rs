//! What a tail counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// A tail's counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// `trunkline_tail_files_known`
    pub(crate) files_known: Gauge,
    /// `trunkline_tail_files_waiting`
    pub(crate) files_waiting: Gauge,
    /// `trunkline_tail_unread_bytes`
    pub(crate) unread_bytes: Gauge,
    /// `trunkline_tail_records_total`
    pub(crate) records: Counter,
    /// `trunkline_tail_records_refused_total`
    pub(crate) records_refused: Counter,
    /// `trunkline_tail_records_cut_total`
    pub(crate) records_cut: Counter,
    /// `trunkline_tail_truncations_total`
    pub(crate) truncations: Counter,
    /// `trunkline_tail_lost_bytes_total`
    pub(crate) lost_bytes: Counter,
    /// `trunkline_tail_read_errors_total`
    pub(crate) read_errors: Counter,
    /// `trunkline_tail_requests_total`
    pub(crate) requests: Counter,
    /// `trunkline_tail_requests_not_taken_total`
    pub(crate) requests_not_taken: Counter,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_tail");
        sub.register("files_known", "Files that are followed", self.files_known.clone());
        sub.register("files_waiting", "Files that wait for others to be closed", self.files_waiting.clone());
        sub.register("unread_bytes", "Bytes of files that are not handed in yet", self.unread_bytes.clone());
        sub.register("records", "Records that the intake has", self.records.clone());
        sub.register(
            "records_refused",
            "Records that the intake will never take",
            self.records_refused.clone(),
        );
        sub.register("records_cut", "Records of which something was left out", self.records_cut.clone());
        sub.register("truncations", "Files that were written anew", self.truncations.clone());
        sub.register("lost_bytes", "Bytes of deleted files that were not read", self.lost_bytes.clone());
        sub.register("read_errors", "Times that a file could not be read", self.read_errors.clone());
        sub.register("requests", "Requests to the intake", self.requests.clone());
        sub.register("requests_not_taken", "Requests to be made again", self.requests_not_taken.clone());
    }
}
