//! What both ends of a tunnel agree on: ids, the hello, stream heads, status, reasons.
//!
//! A link comes up, the agent says [`Hello`] and the gateway answers [`Welcome`] or a [`Rejection`]. From then
//! on either side opens streams; each request on a stream carries a [`StreamHead`] that says what it is for
//! and, for Kubernetes requests, who the user is or which token goes through.
//!
//! Invariants:
//! - nothing here does IO or reads a clock: bytes and values in, bytes and values out;
//! - a value of a type of this crate is already valid: parsing is the only way to make one;
//! - unknown JSON fields are ignored, so that two ends up to two minor versions apart understand each other.

mod id;
mod version;
mod hello;
mod head;
mod token;
mod control;
mod enrol;
mod logs;
mod reason;
pub mod headers;
pub mod path;
mod status;

pub use control::{
    ControlCall, Drain, LinkWish, MAX_RIGHTS, Right, RightsReport, StatusReport, UpstreamState,
};
pub use enrol::{
    Certified, ENROL_ALPN, ENROL_PATH, EnrolReason, EnrolRefusal, EnrolRequest, MAX_SLOTS, Renewal, Trust,
};
pub use head::{HEAD_HEADER, Identity, InvalidHead, MAX_HEAD_BYTES, Purpose, StreamHead};
pub use hello::{Hello, IdentityMode, Lane, Limits, Rejection, RejectionReason, Welcome};
pub use id::{
    ClusterId, ClusterUid, Epoch, InvalidClusterId, InvalidClusterUid, MANAGEMENT, RequestId, Slot,
};
pub use logs::{
    Dataset, InvalidDataset, InvalidSpoolEpoch, LOGS_PATH, LogAck, LogBatch, MAX_BATCH_BYTES,
    MAX_BATCH_CHUNKS, MAX_BATCH_INFLATED, MAX_DATASETS, SpoolEpoch, SpoolReport,
};
pub use reason::CloseReason;
pub use status::Status;
pub use token::{BESIDE, ClusterToken, InvalidClusterToken, MAX_CLUSTER_TOKEN, split_bearer};
pub use version::{Capability, PROTOCOL, ProtocolVersion, VersionSkew};

/// The ALPN protocol name of a link.
pub const ALPN: &[u8] = b"trunkline/1";
