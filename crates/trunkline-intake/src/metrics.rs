//! What the intake counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use trunkline_spool::Status;

/// Label: which dataset.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Of {
    pub(crate) dataset: String,
}

/// Labels: which dataset, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Why {
    pub(crate) dataset: String,
    pub(crate) reason: &'static str,
}

/// The intake's counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// `trunkline_intake_connections_open`
    pub(crate) connections_open: Gauge,
    /// `trunkline_intake_connections_refused_total`
    pub(crate) connections_refused: Counter,
    /// `trunkline_intake_requests_total{dataset}`
    pub(crate) requests: Family<Of, Counter>,
    /// `trunkline_intake_requests_refused_total{dataset,reason}`
    pub(crate) requests_refused: Family<Why, Counter>,
    /// `trunkline_intake_records_total{dataset}`
    pub(crate) records: Family<Of, Counter>,
    /// `trunkline_intake_records_refused_total{dataset,reason}`
    pub(crate) records_refused: Family<Why, Counter>,
    /// `trunkline_intake_bytes_total{dataset}`
    pub(crate) bytes: Family<Of, Counter>,
    /// `trunkline_intake_spool_bytes{dataset}`
    spool_bytes: Family<Of, Gauge>,
    /// `trunkline_intake_spool_cap_bytes{dataset}`
    spool_cap_bytes: Family<Of, Gauge>,
    /// `trunkline_intake_spool_records_waiting{dataset}`
    spool_records_waiting: Family<Of, Gauge>,
    /// `trunkline_intake_spool_oldest_seconds{dataset}`
    spool_oldest_seconds: Family<Of, Gauge>,
    /// `trunkline_intake_spool_records_lost_total{dataset}`
    spool_records_lost: Family<Of, Counter>,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_intake");
        sub.register("connections_open", "Shippers' connections", self.connections_open.clone());
        sub.register(
            "connections_refused",
            "Shippers' connections closed for their number",
            self.connections_refused.clone(),
        );
        sub.register("requests", "Requests that brought records", self.requests.clone());
        sub.register(
            "requests_refused",
            "Requests of which nothing was kept, by reason",
            self.requests_refused.clone(),
        );
        sub.register("records", "Records kept", self.records.clone());
        sub.register("records_refused", "Records refused, by reason", self.records_refused.clone());
        sub.register("bytes", "Bytes of JSON text of the records kept", self.bytes.clone());
        sub.register("spool_bytes", "Bytes of the spool on the disk", self.spool_bytes.clone());
        sub.register("spool_cap_bytes", "Bytes that the spool may take", self.spool_cap_bytes.clone());
        sub.register("spool_records_waiting", "Records that wait", self.spool_records_waiting.clone());
        sub.register("spool_oldest_seconds", "Age of the oldest", self.spool_oldest_seconds.clone());
        sub.register("spool_records_lost", "Records lost in the spool", self.spool_records_lost.clone());
    }

    /// How the spool of a dataset is now.
    pub(crate) fn tell(&self, of: &Of, spool: &Status) {
        let set = |family: &Family<Of, Gauge>, value: u64| {
            family.get_or_create(of).set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.spool_bytes, spool.bytes);
        set(&self.spool_cap_bytes, spool.cap);
        set(&self.spool_records_waiting, spool.records);
        let age = spool.oldest.and_then(|oldest| oldest.elapsed().ok());
        set(&self.spool_oldest_seconds, age.map_or(0, |age| age.as_secs()));
        let lost = self.spool_records_lost.get_or_create(of);
        lost.inc_by(spool.lost.saturating_sub(lost.get()));
    }
}
