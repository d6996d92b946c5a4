//! Every no of the registry: what happened, why, and what to do next.

use std::path::PathBuf;

use jiff::Timestamp;
use trunkline_api::{ProblemReason, RuleName};
use trunkline_proto::{ClusterId, EnrolReason};

use crate::rules::{MAX_CLUSTERS, MAX_ENDED, MAX_RULES};

/// Why the registry did not do what it was asked for. Nothing has changed then; only after `Unavailable` it may have,
/// if its text says so.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A value cannot be.
    #[error("{field} {why}")]
    Invalid {
        /// The field, as the API has it.
        field: String,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// The id of the management cluster.
    #[error(
        "the id management belongs to the management cluster; it is neither registered, changed nor removed"
    )]
    Reserved,
    /// The name is taken.
    #[error("a cluster {name} is registered already; {free} is free")]
    Exists {
        /// The name.
        name: ClusterId,
        /// One like it that is free.
        free: ClusterId,
    },
    /// There is no such cluster, or not this registration of it.
    #[error("no cluster {0} is registered, or it was registered anew since; list the clusters")]
    NotFound(ClusterId),
    /// Another key has taken the place of the one that asked.
    #[error("another key is cluster {0}'s since; it came with a newer join token")]
    KeyReplaced(ClusterId),
    /// It changed since it was read.
    #[error(
        "cluster {name} has revision {newest}; the change was made on {given}: read it again and repeat the change"
    )]
    Conflict {
        /// The cluster.
        name: ClusterId,
        /// The revision that the change was made on.
        given: u64,
        /// The revision there is.
        newest: u64,
    },
    /// No more clusters fit.
    #[error("{MAX_CLUSTERS} clusters are registered, which is the most; remove one that is not used")]
    Full,
    /// There is no such access rule.
    #[error("there is no access rule {0}; list the rules")]
    NoRule(RuleName),
    /// A rule changed since it was read, or is there although it should not be.
    #[error(
        "access rule {name} has revision {newest}; the change was made on {given}: read it again and repeat the change"
    )]
    RuleConflict {
        /// The rule.
        name: RuleName,
        /// The revision that the change was made on.
        given: u64,
        /// The revision there is; 0 for none.
        newest: u64,
    },
    /// No more rules fit.
    #[error("there are {MAX_RULES} access rules, which is the most; let rules name groups and selectors")]
    TooManyRules,
    /// No more ended sessions fit.
    #[error(
        "{MAX_ENDED} ended sessions are remembered, which is the most; they are forgotten as their time ends"
    )]
    TooManyEnded,
    /// There is no such session.
    #[error("no session {0} was ended")]
    NoSession(String),
    /// The registry cannot write now.
    #[error("the registry cannot write now: {0}")]
    Unavailable(String),
    /// Where the registry is kept is not usable.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl RegistryError {
    /// The reason as the API has it.
    pub fn reason(&self) -> ProblemReason {
        match self {
            Self::Invalid { .. } => ProblemReason::Invalid,
            Self::Reserved => ProblemReason::Reserved,
            Self::Exists { .. } => ProblemReason::Exists,
            Self::NotFound(_) | Self::NoRule(_) | Self::NoSession(_) => ProblemReason::NotFound,
            Self::Conflict { .. } | Self::KeyReplaced(_) | Self::RuleConflict { .. } => {
                ProblemReason::Conflict
            }
            Self::Full | Self::TooManyRules | Self::TooManyEnded | Self::Unavailable(_) => {
                ProblemReason::Unavailable
            }
            Self::Open(_) => ProblemReason::Internal,
        }
    }
}

/// Why a file is not used as a registry. The file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{0} is in use by another process: one gateway at a time may have it")]
    InUse(PathBuf),
    /// It is something else.
    #[error("{path} is no registry of Trunkline: {why}; name another data folder, or move the file away")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// A newer version wrote it.
    #[error(
        "{path} was written by a newer version (format {format}, this one knows {known}); run that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
        /// The newest format that is known here.
        known: u64,
    },
    /// It does not hold together.
    #[error("{path} is damaged: {why}; it was left as it is: restore it from a copy")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// The system said no.
    #[error("{path} cannot be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Why a key is not let in for a cluster.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// No such cluster.
    #[error(
        "no cluster {0} is registered at this gateway; register it, and apply the manifest that is printed"
    )]
    ClusterUnknown(ClusterId),
    /// Somebody closed it.
    #[error("cluster {name} is locked by {by}: {why}")]
    ClusterLocked {
        /// The cluster.
        name: ClusterId,
        /// Who locked it.
        by: String,
        /// Why.
        why: String,
    },
    /// Another key, or none, is the cluster's, and there is no token.
    #[error(
        "the key is not the one known for cluster {0}, and there is no join token; ask for a new join command"
    )]
    KeyUnknown(ClusterId),
    /// No such token.
    #[error(
        "no such join token is known for cluster {0}, or a newer one has replaced it; ask for a new join command"
    )]
    TokenUnknown(ClusterId),
    /// A token of another cluster.
    #[error("the join token was handed out for another cluster than {0}; each cluster has its own manifest")]
    TokenForOtherCluster(ClusterId),
    /// A token that let in another key.
    #[error(
        "the join token of cluster {name} was used at {when} by key {key}; if that was not you, lock the cluster; ask for a new join command"
    )]
    TokenUsed {
        /// The cluster.
        name: ClusterId,
        /// When.
        when: Timestamp,
        /// The pin of the key that it let in.
        key: String,
    },
    /// A token whose time is over.
    #[error("the join token of cluster {name} ended at {at}; ask for a new join command")]
    TokenExpired {
        /// The cluster.
        name: ClusterId,
        /// When it ended.
        at: Timestamp,
    },
    /// The right key, too late.
    #[error(
        "the agent of cluster {name} was last there at {last}, longer ago than its key alone is believed; ask for a new join command"
    )]
    AwayTooLong {
        /// The cluster.
        name: ClusterId,
        /// The newest sign of it.
        last: Timestamp,
    },
    /// The registry cannot write now.
    #[error("the registry cannot write now: {0}")]
    Unavailable(String),
}

impl RedeemError {
    /// The reason as the wire has it.
    pub fn reason(&self) -> EnrolReason {
        match self {
            Self::ClusterUnknown(_) => EnrolReason::ClusterUnknown,
            Self::ClusterLocked { .. } => EnrolReason::ClusterLocked,
            Self::KeyUnknown(_) => EnrolReason::KeyUnknown,
            Self::TokenUnknown(_) => EnrolReason::TokenUnknown,
            Self::TokenForOtherCluster(_) => EnrolReason::TokenForOtherCluster,
            Self::TokenUsed { .. } => EnrolReason::TokenUsed,
            Self::TokenExpired { .. } => EnrolReason::TokenExpired,
            Self::AwayTooLong { .. } => EnrolReason::AwayTooLong,
            Self::Unavailable(_) => EnrolReason::Unavailable,
        }
    }
}

/// The registry could not write: the one no that is the same for every order.
#[derive(Clone, Debug)]
pub(crate) struct NotWritten(pub(crate) String);

impl From<NotWritten> for RegistryError {
    fn from(NotWritten(why): NotWritten) -> Self {
        Self::Unavailable(why)
    }
}

impl From<NotWritten> for RedeemError {
    fn from(NotWritten(why): NotWritten) -> Self {
        Self::Unavailable(why)
    }
}
