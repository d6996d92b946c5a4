//! What is counted about the audit log.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of commits' durations, in seconds.
const COMMIT_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

/// Counters of one log. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// `trunkline_audit_records_total`
    pub records: Counter,
    /// `trunkline_audit_records_waiting`
    pub records_waiting: Gauge,
    /// `trunkline_audit_records_refused_total`
    pub records_refused: Counter,
    /// `trunkline_audit_commit_seconds`
    pub commit_seconds: Histogram,
    /// `trunkline_audit_commits_failed_total`
    pub commits_failed: Counter,
    /// `trunkline_audit_recordings_open`
    pub recordings_open: Gauge,
    /// `trunkline_audit_recordings_failed_total`
    pub recordings_failed: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            records: Counter::default(),
            records_waiting: Gauge::default(),
            records_refused: Counter::default(),
            commit_seconds: Histogram::new(COMMIT_BUCKETS),
            commits_failed: Counter::default(),
            recordings_open: Gauge::default(),
            recordings_failed: Counter::default(),
        }
    }
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_audit");
        sub.register("records", "Records that are durable", self.records.clone());
        sub.register("records_waiting", "Records that wait for the disk", self.records_waiting.clone());
        sub.register("records_refused", "Records for which there was no room", self.records_refused.clone());
        sub.register("commit_seconds", "How long commits of records took", self.commit_seconds.clone());
        sub.register("commits_failed", "Commits of records that failed", self.commits_failed.clone());
        sub.register("recordings_open", "Sessions being recorded", self.recordings_open.clone());
        sub.register(
            "recordings_failed",
            "Sessions that were cut because they could not be recorded any more",
            self.recordings_failed.clone(),
        );
    }
}
