//! What the REST API speaks: the shapes that gateway, command line, Manager and store agree on.
//!
//! Resources look as Kubernetes' do (`apiVersion`, `kind`, `metadata`, `spec`, `status`), so that a store in a
//! Kubernetes API can hold them unchanged. `spec` is what people want, `status` is what was seen; neither is computed
//! from the other. The OpenAPI document is generated from these types.
//!
//! Invariants:
//! - no IO and no clock here;
//! - secrets are in [`Join`], handed out once and kept nowhere, and in the shapes of signing in, whose `Debug` hides them;
//! - unknown fields in what comes in are errors, so that a misspelt one is not lost.

mod access;
mod cluster;
mod gateway;
mod hops;
mod join;
mod joining;
mod labels;
mod logs;
mod problem;
mod rotation;
mod session;
mod sign_in;
mod watch;
mod audit;

pub use access::{
    AccessAnswer, AccessQuestion, AccessRule, AccessRuleList, AccessSpec, ConsideredRule, FleetRole,
    InvalidRuleName, MayActAs, NewAccessRule, Role, RuleClusters, RuleIdentity, RuleMetadata, RuleName,
    RuleOrigin, Subjects,
};
pub use audit::{
    AuditChange, AuditDecision, AuditEnd, AuditEvent, AuditFault, AuditGateway, AuditHead, AuditHeadClaim,
    AuditIdentity, AuditObject, AuditPage, AuditPhase, AuditQuery, AuditRead, AuditRecord, AuditRecording,
    AuditRecordingFile, AuditRecordings, AuditRepair, AuditSignIn, AuditTrim, AuditVerdict,
    AuditVerifyRequest,
};
pub use cluster::{
    Cluster, ClusterList, ClusterPatch, ClusterSpec, ClusterState, ClusterStatus, Lock, LockRequest,
    Metadata, NewCluster, Origin, Protection, SlotStatus,
};
pub use gateway::{ClusterType, GatewayStatus};
pub use hops::{Hop, HopReport};
pub use join::{Binding, Join, ManifestOptions, ManifestPatch, Registered};
pub use joining::{
    JoinReport, JoinStall, JoinState, JoinStep, JoinStepName, Joining, LinkEvent, LinkEventKind, LinkHistory,
};
pub use labels::{InvalidLabel, InvalidSelector, Labels, Selector, check_label};
pub use logs::{
    LogCount, LogEvent, LogHistogram, LogOrder, LogPage, LogQuery, LogRecord, LogSlice, LogStanding,
    LogStatus, LogStoreStatus, LogTop,
};
pub use problem::{Problem, ProblemReason};
pub use rotation::{Root, RootRole, RotationCluster, RotationStatus};
pub use session::{Confirmed, EndSession, LiveRequest, SessionEnded, UserSession, UserSessionList};
pub use sign_in::{
    Hidden, LocalSignIn, LocalUser, LocalUserList, NewLocalUser, NewTicket, SetUp, SignInIssuer,
    SignInMethods, SignedIn, Ticket,
};
pub use watch::{ClusterEvent, EventKind};

/// The version of every resource.
pub const API_VERSION: &str = "trunkline.dev/v1";
/// Where the API begins on the front door.
pub const BASE: &str = "/trunkline/v1";
