//! What the gateway counts. Names once, here; `docs/metrics.md` lists them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Labels of a finished request. Never a user, a path or a cluster: those have no bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

/// Label: why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    pub(crate) reason: &'static str,
}

/// Label: which limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LimitLabel {
    pub(crate) limit: &'static str,
}

/// Labels of what an issuer was asked. Issuers stand in the configuration: they are few.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct IssuerLabels {
    pub(crate) issuer: String,
    pub(crate) result: &'static str,
}

/// The gateway's counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// `trunkline_gateway_requests_total{status,reason}`
    pub(crate) requests: Family<RequestLabels, Counter>,
    /// `trunkline_gateway_requests_open`
    pub(crate) requests_open: Gauge,
    /// `trunkline_gateway_front_connections_open`
    pub(crate) front_connections_open: Gauge,
    /// `trunkline_gateway_live_sockets_open`
    pub(crate) live_sockets_open: Gauge,
    /// `trunkline_gateway_front_handshakes_failed_total`
    pub(crate) front_handshakes_failed: Counter,
    /// `trunkline_gateway_strangers_pushed_out_total`
    pub(crate) strangers_pushed_out: Counter,
    /// `trunkline_gateway_over_limit_total{limit}`
    pub(crate) over_limit: Family<LimitLabel, Counter>,
    /// `trunkline_gateway_links_open`
    pub(crate) links_open: Gauge,
    /// `trunkline_gateway_links_closed_total{reason}`
    pub(crate) links_closed: Family<Reason, Counter>,
    /// `trunkline_gateway_links_rejected_total{reason}`
    pub(crate) links_rejected: Family<Reason, Counter>,
    /// `trunkline_gateway_clusters_connected`
    pub(crate) clusters_connected: Gauge,
    /// `trunkline_gateway_enrolments_total`
    pub(crate) enrolments: Counter,
    /// `trunkline_gateway_enrolments_refused_total{reason}`
    pub(crate) enrolments_refused: Family<Reason, Counter>,
    /// `trunkline_gateway_renewals_total`
    pub(crate) renewals: Counter,
    /// `trunkline_gateway_duplicate_identities_total`
    pub(crate) duplicate_identities: Counter,
    /// `trunkline_gateway_sign_ins_refused_total{reason}`
    pub(crate) sign_ins_refused: Family<Reason, Counter>,
    /// `trunkline_gateway_sign_in_sessions`
    pub(crate) sign_in_sessions: Gauge,
    /// `trunkline_gateway_issuer_fetches_total{issuer,result}`
    pub(crate) issuer_fetches: Family<IssuerLabels, Counter>,
    /// `trunkline_gateway_token_reviews_total{reason}`
    pub(crate) token_reviews: Family<Reason, Counter>,
    /// `trunkline_gateway_logs_records_total`
    pub(crate) logs_records: Counter,
    /// `trunkline_gateway_logs_bytes_total`
    pub(crate) logs_bytes: Counter,
    /// `trunkline_gateway_logs_dead_letters_total`
    pub(crate) logs_dead_letters: Counter,
    /// `trunkline_gateway_logs_already_there_total`
    pub(crate) logs_already_there: Counter,
    /// `trunkline_gateway_logs_put_off_total{reason}`
    pub(crate) logs_put_off: Family<Reason, Counter>,
    /// `trunkline_gateway_logs_lost_total{reason}`
    pub(crate) logs_lost: Family<Reason, Counter>,
}

impl Metrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let sub = registry.sub_registry_with_prefix("trunkline_gateway");
        sub.register("requests", "Requests that are over, by status and reason", self.requests.clone());
        sub.register("requests_open", "Requests under way", self.requests_open.clone());
        sub.register("front_connections_open", "Front connections", self.front_connections_open.clone());
        sub.register("live_sockets_open", "Live sockets of pages", self.live_sockets_open.clone());
        sub.register(
            "front_handshakes_failed",
            "TLS handshakes at the front door that failed",
            self.front_handshakes_failed.clone(),
        );
        sub.register(
            "strangers_pushed_out",
            "Connections on which nobody was known that lost their place to a newcomer, at both doors",
            self.strangers_pushed_out.clone(),
        );
        sub.register(
            "over_limit",
            "Requests refused because a user or a cluster had as much as it may, by limit",
            self.over_limit.clone(),
        );
        sub.register("links_open", "Links from agents", self.links_open.clone());
        sub.register("links_closed", "Links that ended, by reason", self.links_closed.clone());
        sub.register(
            "links_rejected",
            "Links that were not accepted, by reason",
            self.links_rejected.clone(),
        );
        sub.register("clusters_connected", "Clusters with a live tunnel", self.clusters_connected.clone());
        sub.register("enrolments", "Certificates issued at the tunnel door", self.enrolments.clone());
        sub.register(
            "enrolments_refused",
            "Requests for a certificate that were refused, by reason",
            self.enrolments_refused.clone(),
        );
        sub.register("renewals", "Certificates renewed over a tunnel", self.renewals.clone());
        sub.register(
            "duplicate_identities",
            "Times two living agents contended for one slot",
            self.duplicate_identities.clone(),
        );
        sub.register(
            "sign_ins_refused",
            "Credentials that were refused at the front door, by reason",
            self.sign_ins_refused.clone(),
        );
        sub.register(
            "sign_in_sessions",
            "Sessions of browsers and of local users",
            self.sign_in_sessions.clone(),
        );
        sub.register(
            "issuer_fetches",
            "Times an issuer's keys were asked for, by issuer and result",
            self.issuer_fetches.clone(),
        );
        sub.register(
            "token_reviews",
            "Tokens the management cluster was asked about, by what came of it",
            self.token_reviews.clone(),
        );
        sub.register("logs_records", "Records that the log store has", self.logs_records.clone());
        sub.register("logs_bytes", "Their bytes, as JSON", self.logs_bytes.clone());
        sub.register(
            "logs_dead_letters",
            "Records that can be no document, or are never taken: stored with the reason",
            self.logs_dead_letters.clone(),
        );
        sub.register(
            "logs_already_there",
            "Records that came again and that the log store had",
            self.logs_already_there.clone(),
        );
        sub.register("logs_put_off", "Batches that are to come again, by reason", self.logs_put_off.clone());
        sub.register("logs_lost", "Records that are nowhere, by reason", self.logs_lost.clone());
    }
}
