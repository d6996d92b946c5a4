//! What of the last hop is pure: for `fuzz/`, which feeds it anything.
//!
//! No interface of the crate: hidden from its documentation, and it changes with what it lays bare.

use http::{HeaderMap, HeaderValue};
use trunkline_proto::{ClusterToken, Identity, RequestId};

use crate::allow::{AllowList, Forbidden};

/// Writes an identity that the list lets through into `headers`, as the last step before a request leaves.
///
/// # Errors
/// When the list does not let it through, or it cannot be written.
pub fn impersonate(
    allow: &AllowList,
    identity: &Identity,
    credential: Option<HeaderValue>,
    headers: &mut HeaderMap,
) -> Result<(), Forbidden> {
    allow.check(identity)?;
    crate::impersonate::impersonate(headers, identity, credential, RequestId::random())
}

/// Writes a client's own token into `headers`, as the last step before a request leaves.
///
/// # Errors
/// When it cannot be written.
pub fn pass_through(token: &ClusterToken, headers: &mut HeaderMap) -> Result<(), Forbidden> {
    crate::impersonate::pass_through(headers, token, RequestId::random())
}
