//! Sessions that are recorded: exec and attach over WebSocket, whose frames are followed in both directions.

use http::{HeaderMap, header};
use trunkline_audit::{AuditLog, Protocol, Recording, Session};
use trunkline_proto::RequestId;
use trunkline_runtime::Tasks;

use crate::authn::Principal;
use crate::refusal::Refusal;
use crate::under_way::{Cut, Errand};

/// A session that is to be recorded.
#[derive(Debug)]
pub(crate) struct ToRecord(Session);

impl ToRecord {
    /// What is recorded, by whom.
    pub(crate) fn new(request: RequestId, who: &Principal, errand: &Errand) -> Self {
        let resource = errand.action.resource.clone().unwrap_or_default();
        let title = format!(
            "{} in {}/{} of cluster {}, {}",
            who.user, resource.namespace, resource.name, errand.cluster, resource.subresource
        );
        Self(Session { id: request.to_string(), title })
    }

    /// Begins to record, by the protocol that the cluster's answer names.
    pub(super) fn begin(
        &self,
        log: &AuditLog,
        tasks: &Tasks,
        answer: &HeaderMap,
    ) -> Result<(Recording, Protocol), Refusal> {
        let failed = |why: String| Refusal::RecordingFailed { why };
        let named = answer.get(header::SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap_or("?"));
        let named = named.unwrap_or_default();
        let protocol = Protocol::named(named)
            .ok_or_else(|| failed(format!("the cluster speaks {named:?}, which is not followed here")))?;
        let recording = log.record(&self.0, tasks).map_err(|fault| failed(fault.to_string()))?;
        Ok((recording, protocol))
    }
}

/// Why a recorded session was cut by its recording.
pub(super) fn cut_by(recording: &Recording) -> Option<Cut> {
    let fault = recording.fault()?;
    Some(Cut::new("RecordingFailed", fault.to_string()))
}
