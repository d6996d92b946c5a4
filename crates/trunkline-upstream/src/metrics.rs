//! What is counted about the way to an API server.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters of one upstream. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// `trunkline_upstream_requests_total`
    pub requests: Counter,
    /// `trunkline_upstream_retries_total`
    pub retries: Counter,
    /// `trunkline_upstream_connections_opened_total`
    pub connections_opened: Counter,
    /// `trunkline_upstream_connections_open`
    pub connections_open: Gauge,
    /// `trunkline_upstream_goaways_total`
    pub goaways: Counter,
    /// `trunkline_upstream_failures_total`
    pub failures: Counter,
}

impl Metrics {
    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_upstream");
        sub.register("requests", "Requests sent to the API server", self.requests.clone());
        sub.register("retries", "Requests sent again because it was safe", self.retries.clone());
        sub.register("connections_opened", "Connections opened", self.connections_opened.clone());
        sub.register("connections_open", "Connections open", self.connections_open.clone());
        sub.register(
            "goaways",
            "HTTP/2 connections that the API server told us to leave",
            self.goaways.clone(),
        );
        sub.register("failures", "Requests that brought no answer", self.failures.clone());
    }
}
