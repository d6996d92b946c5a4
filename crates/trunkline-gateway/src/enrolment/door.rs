//! The one request of a link for enrolment, as HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tracing::{info, warn};
use trunkline_api::{AuditChange, AuditEvent, JoinStall};
use trunkline_pki::{KeyPin, enrolling_key};
use trunkline_proto::{Certified, ENROL_PATH, EnrolReason, EnrolRefusal, EnrolRequest};
use trunkline_runtime::{Body, chain};
use trunkline_tunnel::{json, read_json};

use super::{Enrolment, SentAway, no};
use crate::arrivals::Arrival;
use crate::joining::{Event, of_enrolment};
use crate::metrics::Reason;

/// How long an enrolment may take after the handshake.
const DEADLINE: Duration = Duration::from_secs(10);
/// The most fields that its head may have.
const MAX_FIELDS: usize = 32;

impl Enrolment {
    /// Answers the one request of a link for enrolment, and ends it.
    pub(crate) async fn serve(
        &self,
        tls: TlsStream<TcpStream>,
        certificate: &CertificateDer<'static>,
        from: SocketAddr,
        arrival: Arrival,
    ) {
        let key = match enrolling_key(certificate) {
            Ok(key) => key,
            Err(error) => {
                warn!(%from, why = chain(&error), "enrolment refused: the key is not usable");
                return;
            }
        };
        let answering = service_fn(|request| async move {
            Ok::<_, std::convert::Infallible>(self.answer(request, &key, from).await)
        });
        let serving = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(DEADLINE)
            .keep_alive(false)
            .max_headers(MAX_FIELDS)
            .serve_connection(TokioIo::new(tls), answering);
        tokio::select! {
            biased;
            () = arrival.pushed_out() => {}
            _ = tokio::time::timeout(DEADLINE, serving) => {}
        }
    }

    /// Certifies, and hands nothing out of which there is no record.
    async fn certify_and_record(
        &self,
        asked: &EnrolRequest,
        key: &KeyPin,
        from: SocketAddr,
    ) -> Result<Certified, EnrolRefusal> {
        let certified = self.certify(asked, key, from).await?;
        let with = if asked.token.is_some() { "join token" } else { "key" };
        let change = AuditChange {
            user: key.to_string(),
            what: "enrol".into(),
            subject: format!("slot {} from {from} by its {with}", asked.slot),
            cluster: Some(asked.cluster.to_string()),
            ..AuditChange::default()
        };
        let written = match self.audit().write(&AuditEvent::Change(change)) {
            Ok(written) => written.durable().await.map(drop).map_err(|error| error.to_string()),
            Err(refused) => Err(refused.to_string()),
        };
        written.map_err(|why| no(EnrolReason::Unavailable, why))?;
        Ok(certified)
    }

    async fn answer(&self, request: Request<Incoming>, key: &KeyPin, from: SocketAddr) -> Response<Body> {
        if request.method() != Method::POST || request.uri().path() != ENROL_PATH {
            return json(StatusCode::NOT_FOUND, &"this link is for enrolment only");
        }
        let Ok(asked) = read_json::<EnrolRequest>(request.into_body()).await else {
            return json(StatusCode::BAD_REQUEST, &no(EnrolReason::BadRequest, "the request does not parse"));
        };
        let metrics = &self.shared.metrics;
        self.has_come(&asked, from);
        match self.certify_and_record(&asked, key, from).await {
            Ok(certified) => {
                metrics.enrolments.inc();
                let agent = &asked.software[..asked.software.floor_char_boundary(64)];
                info!(target: "audit", cluster = %asked.cluster, slot = %asked.slot, %from, %key,
                      with_token = asked.token.is_some(), agent, "enrolled");
                let until = Timestamp::from_second(certified.not_after).ok();
                self.shared.tunnels.joinings().note(&asked.cluster, Event::Certified { until });
                json(StatusCode::OK, &certified)
            }
            Err(refusal) => {
                let reason = refusal.reason.as_str();
                metrics.enrolments_refused.get_or_create(&Reason { reason }).inc();
                warn!(target: "audit", cluster = %asked.cluster, slot = %asked.slot, %from, %key,
                      reason, why = refusal.message, "enrolment refused");
                if refusal.reason == EnrolReason::ClusterUnknown && asked.token.is_some() {
                    let what = format!("it says that it is {}, which is not registered here", asked.cluster);
                    self.shared.tunnels.joinings().note_stranger(from, JoinStall::OtherName, &what);
                }
                let at = of_enrolment(refusal.reason);
                let no = SentAway { reason, why: &refusal.message, at };
                self.remember(&asked.cluster, (from, asked.slot), no);
                json(StatusCode::FORBIDDEN, &refusal)
            }
        }
    }
}
