//! What the intake counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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
    }
}
