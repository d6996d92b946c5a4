//! What an agent counts.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Label: why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: String,
}

/// Label: of which dataset.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DatasetLabel {
    pub(crate) dataset: String,
}

/// An agent's counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// `trunkline_agent_links_open`
    pub(crate) links_open: Gauge,
    /// `trunkline_agent_links_closed_total{reason}`
    pub(crate) links_closed: Family<Reason, Counter>,
    /// `trunkline_agent_dials_total`
    pub(crate) dials: Counter,
    /// `trunkline_agent_dials_failed_total`
    pub(crate) dials_failed: Counter,
    /// `trunkline_agent_requests_total`
    pub(crate) requests: Counter,
    /// `trunkline_agent_refusals_total{reason}`
    pub(crate) refusals: Family<Reason, Counter>,
    /// `trunkline_agent_enrolments_total`
    pub(crate) enrolments: Counter,
    /// `trunkline_agent_enrolments_failed_total`
    pub(crate) enrolments_failed: Counter,
    /// `trunkline_agent_renewals_total`
    pub(crate) renewals: Counter,
    /// `trunkline_agent_renewals_failed_total`
    pub(crate) renewals_failed: Counter,
    /// `trunkline_agent_certificate_not_after_seconds`
    pub(crate) certificate_not_after: Gauge,
    /// `trunkline_agent_logs_batches_total{dataset}`
    pub(crate) batches: Family<DatasetLabel, Counter>,
    /// `trunkline_agent_logs_batches_not_taken_total{dataset}`
    pub(crate) batches_not_taken: Family<DatasetLabel, Counter>,
    /// `trunkline_agent_logs_records_shipped_total{dataset}`
    pub(crate) records_shipped: Family<DatasetLabel, Counter>,
    /// `trunkline_agent_logs_records_missing_total{dataset}`
    pub(crate) records_missing: Family<DatasetLabel, Counter>,
    /// `trunkline_agent_logs_bytes_shipped_total{dataset}`
    pub(crate) bytes_shipped: Family<DatasetLabel, Counter>,
    /// `trunkline_agent_logs_pace_bytes_per_second`
    pub(crate) pace: Gauge,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_agent");
        sub.register("links_open", "Links up to a gateway", self.links_open.clone());
        sub.register("links_closed", "Links that ended, by reason", self.links_closed.clone());
        sub.register("dials", "Attempts to bring a link up", self.dials.clone());
        sub.register("dials_failed", "Attempts that failed", self.dials_failed.clone());
        sub.register("requests", "Kubernetes requests received", self.requests.clone());
        sub.register("refusals", "Kubernetes requests refused, by reason", self.refusals.clone());
        sub.register("enrolments", "Certificates obtained by enrolling", self.enrolments.clone());
        sub.register("enrolments_failed", "Enrolments that failed", self.enrolments_failed.clone());
        sub.register("renewals", "Certificates obtained by renewing", self.renewals.clone());
        sub.register("renewals_failed", "Renewals that failed", self.renewals_failed.clone());
        sub.register(
            "certificate_not_after_seconds",
            "When the certificate in use ends, in seconds since 1970",
            self.certificate_not_after.clone(),
        );
        sub.register("logs_batches", "Batches of records that were taken", self.batches.clone());
        sub.register("logs_batches_not_taken", "Batches to hand in again", self.batches_not_taken.clone());
        sub.register("logs_records_shipped", "Records that the store has", self.records_shipped.clone());
        sub.register(
            "logs_records_missing",
            "Records that were lost in the spool",
            self.records_missing.clone(),
        );
        sub.register(
            "logs_bytes_shipped",
            "Bytes of those batches, as they travel",
            self.bytes_shipped.clone(),
        );
        sub.register("logs_pace_bytes_per_second", "How fast records may leave", self.pace.clone());
    }

    pub(crate) fn link_closed(&self, reason: &str) {
        self.links_closed.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }
}
