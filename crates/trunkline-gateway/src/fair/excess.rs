//! Which limit was passed, in a word for programs and in words for people.

use std::time::Duration;

use trunkline_proto::ClusterId;

/// A limit of the gateway, by the word that it has in answers, metrics and docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    UserRequests,
    UserOpens,
    UserShare,
    ClusterRequests,
    ClusterOpens,
    ClusterShare,
    UserStreams,
    UserQueue,
}

impl Limit {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::UserRequests => "user.requests",
            Self::UserOpens => "user.opens_per_second",
            Self::UserShare => "user.share",
            Self::ClusterRequests => "cluster.requests",
            Self::ClusterOpens => "cluster.opens_per_second",
            Self::ClusterShare => "cluster.share",
            Self::UserStreams => "user.streams",
            Self::UserQueue => "user.queue",
        }
    }
}

impl Limit {
    /// Whether nobody but the user can have caused that it was passed.
    pub(super) fn is_the_users_own(self) -> bool {
        matches!(self, Self::UserRequests | Self::UserOpens | Self::UserShare | Self::UserStreams)
    }
}

/// A request that would be one too many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    pub(crate) limit: Limit,
    /// How much there may be.
    pub(crate) most: u64,
    /// When it may be tried again, in seconds; at least 1.
    pub(crate) retry_after: u32,
    /// The cluster whose limit it is, or in which.
    pub(crate) cluster: Option<ClusterId>,
}

impl Excess {
    pub(crate) fn new(limit: Limit, most: u64) -> Self {
        Self { limit, most, retry_after: 1, cluster: None }
    }

    /// To be tried again after so long, in whole seconds.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after = u32::try_from(seconds).unwrap_or(u32::MAX).max(1);
        self
    }

    pub(crate) fn at(mut self, cluster: &ClusterId) -> Self {
        self.cluster = Some(cluster.clone());
        self
    }

    /// What a client is told.
    pub(crate) fn words(&self) -> String {
        let most = self.most;
        let cluster = self.cluster.as_ref().map_or("", ClusterId::as_str);
        match self.limit {
            Limit::UserRequests => format!(
                "you have {most} requests under way, as many as one user may (limits.user.requests); end some, or try \
                 again when some are over"
            ),
            Limit::UserOpens => format!(
                "you begin more than {most} requests a second, as many as one user may (limits.user.opens_per_second)"
            ),
            Limit::UserShare => format!(
                "the gateway is short of places, and you have {most} requests under way, more than are left for all \
                 others; end some, or try again"
            ),
            Limit::ClusterRequests => format!(
                "cluster {cluster} has {most} requests under way, as many as one cluster may (limits.cluster.requests)"
            ),
            Limit::ClusterOpens => format!(
                "cluster {cluster} is sent more than {most} requests a second, as many as one cluster may be \
                 (limits.cluster.opens_per_second)"
            ),
            Limit::ClusterShare => format!(
                "the gateway is short of places, and cluster {cluster} has {most} requests under way, more than are \
                 left for all others"
            ),
            Limit::UserStreams => format!(
                "the tunnel to cluster {cluster} is short of streams, and you have {most} requests under way there, \
                 more than are left for all others; end some, or try again"
            ),
            Limit::UserQueue => format!(
                "{most} of your requests wait for a stream to cluster {cluster}, as many as one user's may"
            ),
        }
    }
}
