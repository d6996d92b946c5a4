//! Every way the gateway says no, and the one place that makes an answer of it.

use http::{HeaderValue, Response, StatusCode, header};
use trunkline_api::Lock;
use trunkline_proto::{ClusterId, IdentityMode, RequestId, Status};
use trunkline_runtime::{Body, chain, full};
use trunkline_tunnel::ExchangeError;
use trunkline_upstream::SendError;

use crate::authn::CLUSTER_TOKEN;
use crate::authz::Denied;
use crate::fair::Excess;
use crate::under_way::Cut;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("not signed in: {why}")]
    Unauthenticated { why: String },
    #[error("{why}")]
    SignInUnavailable { why: String },
    #[error("the request's head is not accepted: {why}")]
    BadHead { why: String },
    #[error("the path is not accepted: {why}")]
    BadPath { why: String },
    #[error("the upgrade is not accepted: {why}")]
    BadUpgrade { why: String },
    #[error("{why}")]
    BadCluster { why: String },
    #[error(
        "the request names no cluster: use /clusters/<id>/..., <id>.<host suffix> or the header x-cluster-id"
    )]
    NoCluster,
    #[error("the request names two clusters, {one} and {other}: name one")]
    AmbiguousCluster { one: ClusterId, other: ClusterId },
    #[error("the TLS name and the host name different clusters; open a connection for this host")]
    Misdirected,
    #[error("there is no cluster {0} at this gateway; is the name right, and is it registered?")]
    ClusterNotFound(ClusterId),
    #[error("access denied: {why}")]
    AccessDenied { why: String },
    #[error("{why}")]
    Protected { cluster: ClusterId, why: String },
    #[error("{why}")]
    Unconfirmed { cluster: ClusterId, why: String },
    #[error(
        "cluster {cluster} is in pass-through mode, and {why}: bring a token that was made for it, whose audience is {} and no other; \
         trunkline clusters token {cluster} FILE has kubectl show one, other clients send it in the field {CLUSTER_TOKEN}",
        audiences.join(" or ")
    )]
    ClusterTokenNeeded { cluster: ClusterId, audiences: Vec<String>, why: String },
    #[error(
        "the token for cluster {cluster} ended at {at:.0}; get another, and put it into the file that trunkline clusters token {cluster} named"
    )]
    ClusterTokenEnded { cluster: ClusterId, at: jiff::Timestamp },
    #[error(
        "cluster {cluster} is not in pass-through mode, and a token that was made for it goes no further than this gateway: leave it \
         out (trunkline clusters token {cluster} --forget)"
    )]
    ClusterTokenUnwanted { cluster: ClusterId },
    #[error(
        "the agent of cluster {cluster} runs with identity: {runs}, and the cluster is registered here for {registered}; whoever looks \
         after it applies the newest manifest there (trunkline clusters register {cluster} --renew)"
    )]
    OtherMode { cluster: ClusterId, runs: IdentityMode, registered: IdentityMode },
    #[error("{why}")]
    SessionEnded { why: String },
    #[error("{} while the request was under way; whether it took effect is not known", cut.why)]
    Cut { cut: Cut },
    #[error(
        "cluster {cluster} is locked since {} by {}{}; who may change clusters opens it with trunkline clusters unlock {cluster}",
        lock.since, lock.by, because(&lock.reason)
    )]
    ClusterLocked { cluster: ClusterId, lock: Lock },
    #[error("{} while the request to {cluster} was under way; whether it took effect is not known", cut.why)]
    ClusterClosed { cluster: ClusterId, cut: Cut },
    #[error(
        "cluster {cluster} is not connected ({last_seen}); is its agent running, and can it reach the gateway?"
    )]
    ClusterDisconnected { cluster: ClusterId, last_seen: String },
    #[error("{why}")]
    AuditUnavailable { why: String },
    #[error(
        "sessions in cluster {cluster} are recorded by rule {rule}, and a session over SPDY cannot be: use a client that speaks \
         WebSocket (kubectl 1.31 or newer, without KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false)"
    )]
    RecordingNeedsWebSocket { cluster: ClusterId, rule: String },
    #[error("the session is to be recorded, and cannot be: {why}")]
    RecordingFailed { why: String },
    #[error("the gateway has as many requests under way or connections as it may; try again")]
    Overloaded,
    #[error("{why}")]
    TooManySockets { why: String },
    #[error("{}", excess.words())]
    TooManyRequests { excess: Excess },
    #[error("cluster {cluster} has no free stream ({why}); try again")]
    ClusterBusy { cluster: ClusterId, why: String },
    #[error(
        "the tunnel to cluster {cluster} broke before an answer came; whether the request took effect is not known"
    )]
    TunnelLost { cluster: ClusterId, source: ExchangeError },
    #[error("the management cluster's API server brought no answer")]
    Management(#[source] SendError),
    #[error("the client hung up within its request")]
    ClientGone,
    #[error("cluster {cluster} answered in a way that is not passed on: {why}")]
    AnswerRefused { cluster: ClusterId, why: String },
}

impl Refusal {
    /// A no of the access rules.
    pub(crate) fn denied(denied: Denied, cluster: &ClusterId) -> Self {
        let cluster = cluster.clone();
        match denied {
            Denied::Name(why) | Denied::NoRule(why) => Self::AccessDenied { why },
            Denied::Protected(why) => Self::Protected { cluster, why },
            Denied::Unconfirmed(why) => Self::Unconfirmed { cluster, why },
        }
    }

    /// The reason, for programs: one word, in the `Status`, the metric and the access log.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unauthenticated { .. } => "Unauthorized",
            Self::SignInUnavailable { .. } => "SignInUnavailable",
            Self::BadHead { .. } => "BadHead",
            Self::BadPath { .. } => "BadPath",
            Self::BadUpgrade { .. } => "BadUpgrade",
            Self::BadCluster { .. } => "BadCluster",
            Self::NoCluster => "NoCluster",
            Self::AmbiguousCluster { .. } => "AmbiguousCluster",
            Self::Misdirected => "Misdirected",
            Self::ClusterNotFound(_) => "ClusterNotFound",
            Self::AccessDenied { .. } => "AccessDenied",
            Self::Protected { .. } => "ClusterProtected",
            Self::Unconfirmed { .. } => "ConfirmationNeeded",
            Self::ClusterTokenNeeded { .. } => "ClusterTokenNeeded",
            Self::ClusterTokenEnded { .. } => "ClusterTokenEnded",
            Self::ClusterTokenUnwanted { .. } => "ClusterTokenUnwanted",
            Self::OtherMode { .. } => "IdentityModeMismatch",
            Self::SessionEnded { .. } => "SessionEnded",
            Self::Cut { cut } => cut.reason,
            Self::ClusterLocked { .. } => "ClusterLocked",
            Self::ClusterClosed { cut, .. } => cut.reason,
            Self::ClusterDisconnected { .. } => "ClusterDisconnected",
            Self::AuditUnavailable { .. } => "AuditUnavailable",
            Self::RecordingNeedsWebSocket { .. } => "RecordingNeedsWebSocket",
            Self::RecordingFailed { .. } => "RecordingFailed",
            Self::Overloaded => "Overloaded",
            Self::TooManySockets { .. } => "TooManySockets",
            Self::TooManyRequests { .. } => "TooManyRequests",
            Self::ClusterBusy { .. } => "ClusterBusy",
            Self::TunnelLost { .. } => "TunnelLost",
            Self::Management(SendError::Forbidden(_)) => "IdentityForbidden",
            Self::Management(_) => "UpstreamUnreachable",
            Self::ClientGone => "ClientGone",
            Self::AnswerRefused { .. } => "AnswerRefused",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            // client-go asks its plugin again after a 401: the token may have been renewed since.
            Self::Unauthenticated { .. } | Self::SessionEnded { .. } | Self::ClusterTokenEnded { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Self::BadHead { .. }
            | Self::BadPath { .. }
            | Self::BadUpgrade { .. }
            | Self::ClientGone
            | Self::ClusterTokenUnwanted { .. }
            | Self::AmbiguousCluster { .. } => StatusCode::BAD_REQUEST,
            Self::BadCluster { .. } | Self::NoCluster | Self::ClusterNotFound(_) => StatusCode::NOT_FOUND,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::AccessDenied { .. }
            | Self::Protected { .. }
            | Self::Unconfirmed { .. }
            | Self::ClusterTokenNeeded { .. }
            | Self::Cut { .. }
            | Self::RecordingNeedsWebSocket { .. }
            | Self::ClusterLocked { .. }
            | Self::ClusterClosed { .. }
            | Self::Management(SendError::Forbidden(_)) => StatusCode::FORBIDDEN,
            Self::ClusterDisconnected { .. }
            | Self::Overloaded
            | Self::TooManySockets { .. }
            | Self::AuditUnavailable { .. }
            | Self::RecordingFailed { .. }
            | Self::ClusterBusy { .. }
            | Self::SignInUnavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TunnelLost { .. }
            | Self::OtherMode { .. }
            | Self::Management(_)
            | Self::AnswerRefused { .. } => StatusCode::BAD_GATEWAY,
        }
    }

    /// When to try again, in seconds; none when trying again changes nothing.
    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::ClusterDisconnected { .. } => Some(5),
            Self::SignInUnavailable { .. } => Some(5),
            Self::Overloaded | Self::AuditUnavailable { .. } | Self::ClusterBusy { .. } => Some(1),
            Self::TooManyRequests { excess } => Some(excess.retry_after),
            _ => None,
        }
    }

    fn cluster(&self) -> Option<&ClusterId> {
        match self {
            Self::ClusterNotFound(cluster)
            | Self::ClusterLocked { cluster, .. }
            | Self::Protected { cluster, .. }
            | Self::Unconfirmed { cluster, .. }
            | Self::ClusterTokenNeeded { cluster, .. }
            | Self::ClusterTokenEnded { cluster, .. }
            | Self::ClusterTokenUnwanted { cluster }
            | Self::OtherMode { cluster, .. }
            | Self::RecordingNeedsWebSocket { cluster, .. }
            | Self::ClusterClosed { cluster, .. }
            | Self::ClusterDisconnected { cluster, .. }
            | Self::ClusterBusy { cluster, .. }
            | Self::TunnelLost { cluster, .. }
            | Self::AnswerRefused { cluster, .. } => Some(cluster),
            Self::TooManyRequests { excess } => excess.cluster.as_ref(),
            _ => None,
        }
    }

    /// What happened, with its causes.
    pub(crate) fn detail(&self) -> String {
        chain(self)
    }

    /// The `Status` that says so.
    pub(crate) fn to_status(&self, request: RequestId) -> Status {
        let message = format!("trunkline gateway: {} (request {request})", self.detail());
        let mut status =
            Status::failure(self.status(), self.reason(), message).cause("RequestId", request.to_string());
        if let Self::TooManyRequests { excess } = self {
            status = status.cause("Limit", excess.limit.as_str());
        }
        if let Some(cluster) = self.cluster() {
            status = status.about_cluster(cluster.as_str());
        }
        if let Some(seconds) = self.retry_after() {
            status = status.retry_after(seconds);
        }
        status
    }

    /// The answer to a client's first question, which resources there are: in plain text, since kubectl repeats no
    /// other there ("Error from server (Forbidden): unknown").
    pub(crate) fn answer_to_discovery(&self, request: RequestId) -> Response<Body> {
        let mut response = self.answer(request);
        *response.body_mut() = full(format!("trunkline gateway: {} (request {request})", self.detail()));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response
    }

    /// The answer that says so.
    pub(crate) fn answer(&self, request: RequestId) -> Response<Body> {
        let mut response = Response::new(full(self.to_status(request).to_json()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // client-go asks again by itself ten times while there is this field; who works with a cluster that is away is
        // to be told so.
        let at_once = !matches!(self, Self::ClusterDisconnected { .. } | Self::SignInUnavailable { .. });
        if let Some(seconds) = self.retry_after().filter(|_| at_once) {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        // What stands behind an odd head may be part of the trick, and a stranger's connection is left. HTTP/2, which
        // frames requests itself, has no such field and drops it.
        if matches!(self, Self::BadHead { .. } | Self::Unauthenticated { .. }) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Excess> for Refusal {
    fn from(excess: Excess) -> Self {
        Self::TooManyRequests { excess }
    }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}
