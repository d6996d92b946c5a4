//! The audit log: query, follow, verify, recordings. And what writes to it: every change that comes by this API.
//!
//! Invariants:
//! - a change is durable in the log before it is done; what failed after all says so in another record;
//! - who reads the log is in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderName, Uri, header};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::io::ReaderStream;
use tracing::info;
use trunkline_api::{
    AuditChange, AuditEvent, AuditHead, AuditPage, AuditQuery, AuditRead, AuditRecord, AuditRecordings,
    AuditVerdict, AuditVerifyRequest, Problem, ProblemReason,
};
use trunkline_audit::{AuditLog, Follow, ReadError};
use trunkline_proto::ClusterId;

use super::Shared;
use super::problem::No;
use super::read::{Admin, Asked, MaySend, Nothing};
use super::watch::{Ended, HEARTBEAT, LOT, STUCK, put};

/// How many look through the files at once.
const READERS: usize = 4;

/// Finds records, or follows them.
#[utoipa::path(
    get,
    path = "/trunkline/v1/audit",
    operation_id = "queryAudit",
    tag = "audit",
    params(
        ("since" = Option<String>, Query, description = "Not before this time"),
        ("until" = Option<String>, Query, description = "Not after this time"),
        ("user" = Option<String>, Query, description = "Of this user"),
        ("cluster" = Option<String>, Query, description = "About this cluster"),
        ("verb" = Option<String>, Query, description = "With this verb, or this word of a change"),
        ("phase" = Option<String>, Query, description = "Of this kind: decision, end, change, signIn, read, start, stop, repair, trim"),
        ("request" = Option<String>, Query, description = "Of the request with this id"),
        ("allowed" = Option<bool>, Query, description = "Decisions and attempts to sign in that were a yes, or a no"),
        ("limit" = Option<usize>, Query, description = "How many: 100 by default, 1,000 at the most"),
        ("after" = Option<u64>, Query, description = "The first ones after this sequence, instead of the newest"),
        ("before" = Option<u64>, Query, description = "The newest ones before this sequence"),
        ("follow" = Option<bool>, Query, description = "Instead of a page: the records that come"),
    ),
    responses(
        (status = 200, description = "Records, oldest first; or the events of following, a record each", content(
            (AuditPage = "application/json"),
            (AuditRecord = "text/event-stream"),
        )),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many read at once", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn query(
    State(shared): State<Shared>,
    admin: Admin,
    uri: Uri,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response, No> {
    let what = if query.follow { "follow" } else { "query" };
    shared.audit.read(&admin, what, uri.query().unwrap_or_default())?;
    if query.follow {
        let follow = shared.audit.log.follow(&query)?;
        return shared.watches.events(&admin.who.user, |out| tell(follow, out));
    }
    let page: AuditPage = shared.audit.look(move |log, _| log.query(&query)).await?;
    Ok(Json(page).into_response())
}

/// Tells the newest record in short, to be kept elsewhere.
#[utoipa::path(
    get,
    path = "/trunkline/v1/audit/head",
    operation_id = "auditHead",
    tag = "audit",
    responses(
        (status = 200, description = "The newest record in short", body = AuditHead),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn head(
    State(shared): State<Shared>,
    _: Admin,
    _: Asked<Nothing>,
) -> Result<Json<AuditHead>, No> {
    // A gateway that keeps a log has noted its start.
    Ok(Json(shared.audit.log.head().ok_or(ReadError::NotKept)?))
}

/// Verifies the whole log.
#[utoipa::path(
    post,
    path = "/trunkline/v1/audit/verify",
    operation_id = "verifyAudit",
    tag = "audit",
    request_body = Option<AuditVerifyRequest>,
    responses(
        (status = 200, description = "Whether it is whole, and if not, where it breaks", body = AuditVerdict),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many read at once", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn verify(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
    MaySend(request): MaySend<AuditVerifyRequest>,
) -> Result<Json<AuditVerdict>, No> {
    shared.audit.read(&admin, "verify", "")?;
    let head = request.unwrap_or_default().head;
    Ok(Json(shared.audit.look(move |log, stop| log.verify(head.as_ref(), stop)).await?))
}

/// Lists the recordings of sessions.
#[utoipa::path(
    get,
    path = "/trunkline/v1/audit/recordings",
    operation_id = "listRecordings",
    tag = "audit",
    responses(
        (status = 200, description = "The recordings, newest first", body = AuditRecordings),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many read at once", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn recordings(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
) -> Result<Json<AuditRecordings>, No> {
    shared.audit.read(&admin, "recordings", "")?;
    let files = shared.audit.look(|log, _| log.recordings()).await?;
    Ok(Json(AuditRecordings::new(files)))
}

/// Gives the recording of a session, as far as it goes. What it holds was said by a cluster: no terminal is to be trusted
/// with it as it is.
#[utoipa::path(
    get,
    path = "/trunkline/v1/audit/recordings/{request}",
    operation_id = "recording",
    tag = "audit",
    params(("request" = String, Path, description = "The request that was recorded")),
    responses(
        (status = 200, description = "An asciicast v2 file", content_type = "application/x-asciicast"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many read at once", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn recording(
    State(shared): State<Shared>,
    admin: Admin,
    uri: Uri,
    _: Asked<Nothing>,
) -> Result<Response, No> {
    let request = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
    shared.audit.read(&admin, "play", &request)?;
    let file = shared.audit.look(move |log, _| log.open_recording(&request)).await?;
    let body = Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)));
    let headers: [(HeaderName, &str); 2] = [
        (header::CONTENT_TYPE, "application/x-asciicast"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"session.cast\""),
    ];
    Ok((headers, body).into_response())
}

/// The audit log as the API uses it. Clones share it.
#[derive(Clone)]
pub(super) struct Desk {
    log: AuditLog,
    readers: Arc<Semaphore>,
}

impl Desk {
    pub(super) fn new(log: AuditLog) -> Self {
        Self { log, readers: Arc::new(Semaphore::new(READERS)) }
    }

    /// Does `order` once there is a durable record of it; if it fails, another record says so.
    pub(super) async fn change<'a, T, E: Into<No>>(
        &self,
        admin: &Admin,
        what: &'static str,
        cluster: impl Into<Option<&'a ClusterId>>,
        order: impl Future<Output = Result<T, E>>,
    ) -> Result<T, No> {
        let change = AuditChange {
            request: admin.request.to_string(),
            user: admin.who.user.clone(),
            what: what.into(),
            cluster: cluster.into().map(ToString::to_string),
            ..AuditChange::default()
        };
        self.record(change, order).await
    }

    /// The same of something else than a cluster: a rule, a session, a word about protection.
    pub(super) async fn record<T, E: Into<No>>(
        &self,
        change: AuditChange,
        order: impl Future<Output = Result<T, E>>,
    ) -> Result<T, No> {
        self.log.write(&AuditEvent::Change(change.clone()))?.durable().await?;
        match order.await {
            Ok(done) => {
                let AuditChange { request, user, what, subject, cluster, .. } = &change;
                let cluster = cluster.as_deref().unwrap_or_default();
                info!(target: "audit", request, who = user, what, cluster, subject, "the fleet was changed");
                Ok(done)
            }
            Err(error) => {
                let no: No = error.into();
                let failed = Some(no.detail().to_owned());
                self.log.note(&AuditEvent::Change(AuditChange { failed, ..change }));
                Err(no)
            }
        }
    }

    /// Notes that somebody looks into the log.
    fn read(&self, admin: &Admin, what: &str, query: &str) -> Result<(), No> {
        let read = AuditRead {
            request: admin.request.to_string(),
            user: admin.who.user.clone(),
            what: what.into(),
            query: query.into(),
        };
        // Its place in the queue is enough.
        drop(self.log.write(&AuditEvent::Read(read))?);
        Ok(())
    }

    /// Looks through files, apart from the runtime's threads. Who leaves stops it.
    async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&AuditLog, &AtomicBool) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, No> {
        let Ok(place) = self.readers.clone().try_acquire_owned() else {
            let detail =
                format!("{READERS} look through the audit log at this moment, which is the most; try again");
            return Err(No::new(ProblemReason::Unavailable, detail));
        };
        let stop = Stop::default();
        let (log, stopped) = (self.log.clone(), stop.0.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let found = look(&log, &stopped);
            drop(place);
            found
        });
        match looked.await {
            Ok(found) => Ok(found?),
            Err(_) => Err(No::new(ProblemReason::Internal, "looking through the audit log failed")),
        }
    }
}

/// Says stop when it is dropped.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tells records as they come.
async fn tell(mut follow: Follow, out: mpsc::Sender<Bytes>) -> Result<(), Ended> {
    // So that the answer's head leaves before there is a record.
    let mut lot = BytesMut::from(&b": here\n\n"[..]);
    loop {
        if !lot.is_empty() {
            out.send_timeout(lot.split().freeze(), STUCK).await.map_err(|_| Ended)?;
        }
        match tokio::time::timeout(HEARTBEAT, follow.next()).await {
            Ok(Ok(records)) => {
                for record in &records {
                    put(&mut lot, record);
                    if lot.len() >= LOT {
                        out.send_timeout(lot.split().freeze(), STUCK).await.map_err(|_| Ended)?;
                    }
                }
            }
            Ok(Err(_)) => return Err(Ended),
            Err(_) => lot.extend_from_slice(b": still here\n\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use trunkline_audit::{Metrics, Options};
    use trunkline_proto::RequestId;
    use trunkline_registry::RegistryError;

    use super::*;
    use crate::authn::Principal;

    #[tokio::test]
    async fn what_cannot_be_recorded_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { segment_bytes: 1, ..Options::default() };
        let desk = Desk::new(AuditLog::open(folder.path(), options, Metrics::default()).unwrap());
        let who = Arc::new(Principal::for_test("root", &[]));
        let admin = Admin { who, request: RequestId::random() };
        let done = AtomicBool::new(false);
        let order = async || {
            done.store(true, Ordering::Relaxed);
            Ok::<_, RegistryError>(())
        };
        desk.change(&admin, "rotate", None, order()).await.unwrap();
        assert!(done.swap(false, Ordering::Relaxed));
        // The next file's name is taken.
        std::fs::write(folder.path().join(format!("{:020}.jsonl", 2)), "").unwrap();
        let no = desk.change(&admin, "rotate", None, order()).await.unwrap_err();
        assert_eq!(no.word(), "Unavailable");
        assert!(no.detail().contains("is not done"), "{no:?}");
        assert!(!done.load(Ordering::Relaxed), "it was not done");
    }
}
