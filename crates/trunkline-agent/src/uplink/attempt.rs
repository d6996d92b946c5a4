//! One attempt to bring a link up: certificate, dial, hello; and what its failure means for the next one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;
use trunkline_proto::{
    Capability, CloseReason, ControlCall, Epoch, Hello, IdentityMode, Lane, Limits, PROTOCOL, Rejection,
    RejectionReason, Welcome,
};
use trunkline_tunnel::{CallError, DialError, GatewayAddress, Role, Session, call, serve};

use super::{Up, Uplink};
use crate::dispatch::Dispatch;
use crate::enrol::{EnrolError, no_trust};

/// Links in a row that were closed without a word, after which the certificate is doubted: one who does not take it may
/// hang up before the reason is read.
const DOUBT_AFTER: u8 = 3;

/// Why an attempt to bring a link up failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the gateway at {0} refused this agent: {1}")]
    Rejected(GatewayAddress, Rejection),
    #[error("the gateway at {0} closed the link during the hello: {1}")]
    Closed(GatewayAddress, CloseReason),
    #[error("the gateway at {0} did not answer the hello")]
    Hello(GatewayAddress, #[source] CallError),
}

/// What a failure says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It may go well at any time.
    Passing,
    /// Pauses grow up to half a minute.
    Slow,
    /// It goes on until a person does something.
    Lasting,
}

/// A link that is up.
pub(super) struct Live {
    pub(super) session: Session,
    pub(super) epoch: Epoch,
    pub(super) move_on: CancellationToken,
    pub(super) reconnect_cap: Duration,
    /// Whether the gateway takes batches of records.
    pub(super) takes_logs: bool,
}

impl Uplink {
    pub(super) async fn bring_up(
        &self,
        address: &GatewayAddress,
        lane: Lane,
        ordinal: u16,
    ) -> Result<Live, AttemptError> {
        let shared = &self.shared;
        shared.parts.metrics.dials.inc();
        let brought = self.attempt(address, lane, ordinal).await;
        if brought.is_err() {
            shared.parts.metrics.dials_failed.inc();
        }
        brought
    }

    /// What to make of a failure. A certificate that the gateway does not take is not shown again.
    pub(super) fn judge(&self, error: &AttemptError) -> Outlook {
        let pass = &self.shared.parts.pass;
        match error {
            AttemptError::Enrol(error) if error.will_last() => Outlook::Lasting,
            AttemptError::Rejected(_, rejection) => {
                let (spoilt, outlook) = rejected(rejection.reason);
                if spoilt {
                    pass.spoil();
                }
                outlook
            }
            AttemptError::Dial(error) => {
                // Set up anew, a gateway has another root, and issues another certificate to the cluster's key.
                if no_trust(error) {
                    pass.spoil();
                }
                Outlook::Passing
            }
            AttemptError::Closed(..) => {
                if self.shared.hung_up.fetch_add(1, Ordering::Relaxed) + 1 >= DOUBT_AFTER {
                    self.shared.hung_up.store(0, Ordering::Relaxed);
                    pass.spoil();
                }
                Outlook::Passing
            }
            AttemptError::Enrol(_) | AttemptError::Hello(..) => Outlook::Passing,
        }
    }

    async fn attempt(
        &self,
        address: &GatewayAddress,
        lane: Lane,
        ordinal: u16,
    ) -> Result<Live, AttemptError> {
        let shared = &self.shared;
        let tls = shared.parts.pass.ready(address).await?;
        let link = shared.parts.uphill.dialler.dial(address, tls).await?;
        let (session, inbound) = Session::start(link, Role::Dialler, Limits::DEFAULT, &shared.tasks);
        let (epoch, granted) = watch::channel(None);
        let move_on = CancellationToken::new();
        let dispatch = Dispatch {
            cluster: shared.parts.cluster.clone(),
            upstream: shared.parts.upstream.clone(),
            tasks: shared.tasks.clone(),
            metrics: shared.parts.metrics.clone(),
            pass: shared.parts.pass.clone(),
            epoch: granted,
            move_on: move_on.clone(),
            wish: shared.wish.clone(),
        };
        shared.tasks.spawn(serve(inbound, move |request| dispatch.clone().answer(request)));
        let welcome = self.say_hello(&session, address, lane, ordinal).await.inspect_err(|_| {
            session.close(CloseReason::Shutdown);
        })?;
        shared.hung_up.store(0, Ordering::Relaxed);
        session.allow(welcome.limits);
        if lane == Lane::Logs {
            session.step_aside();
        }
        epoch.send_replace(Some(welcome.epoch));
        let up = Up { session: session.clone(), epoch: welcome.epoch, lane };
        self.look_after(up, lane == Lane::Api && ordinal == 0);
        let reconnect_cap = Duration::from_millis(welcome.reconnect_cap_ms);
        let takes_logs = welcome.capabilities.contains(&Capability::Logs);
        Ok(Live { session, epoch: welcome.epoch, move_on, reconnect_cap, takes_logs })
    }

    async fn say_hello(
        &self,
        session: &Session,
        address: &GatewayAddress,
        lane: Lane,
        ordinal: u16,
    ) -> Result<Welcome, AttemptError> {
        let shared = &self.shared;
        let hello = Hello {
            version: PROTOCOL,
            oldest_version: PROTOCOL.oldest_accepted(),
            software: shared.parts.software.clone(),
            cluster: shared.parts.cluster.clone(),
            instance: shared.instance,
            lane,
            ordinal,
            capabilities: match shared.parts.upstream.mode() {
                IdentityMode::Impersonate => vec![Capability::MoreLinks],
                IdentityMode::PassThrough => vec![Capability::MoreLinks, Capability::PassThrough],
            },
            limits: Limits::DEFAULT,
        };
        match call(session, ControlCall::Hello, Epoch::default(), &hello).await {
            Ok(welcome) => Ok(welcome),
            Err(CallError::Refused(_, body)) => {
                Err(AttemptError::Rejected(address.clone(), read_rejection(&body)))
            }
            // With TLS 1.3 the gateway's no to our certificate comes after our side of the handshake is done.
            Err(CallError::Exchange(_)) => {
                let reason = tokio::time::timeout(Duration::from_secs(1), session.ended()).await;
                let reason = reason.unwrap_or(CloseReason::LinkLost("no reason was given".into()));
                Err(AttemptError::Closed(address.clone(), reason))
            }
            Err(error) => Err(AttemptError::Hello(address.clone(), error)),
        }
    }

    /// Heartbeat, status reports and bookkeeping of one session, until it ends.
    fn look_after(&self, up: Up, reports: bool) {
        let metrics = self.shared.parts.metrics.clone();
        metrics.links_open.inc();
        self.sessions().push(up.clone());
        let Up { session, epoch, .. } = up;
        let uplink = self.clone();
        self.shared.tasks.spawn(async move {
            tokio::join!(session.keep_alive(epoch), async {
                if reports {
                    uplink.send_reports(&session, epoch).await;
                }
            });
            uplink.sessions().retain(|other| !other.session.is_ended());
            metrics.links_open.dec();
            metrics.link_closed(session.ended().await.as_str());
        });
    }

    async fn send_reports(&self, session: &Session, epoch: Epoch) {
        let mut report = self.shared.parts.report.clone();
        report.mark_changed();
        loop {
            tokio::select! {
                _ = session.ended() => return,
                changed = report.changed() => if changed.is_err() { return },
            }
            let newest = report.borrow_and_update().clone();
            if let Err(error) = call::<_, ()>(session, ControlCall::Status, epoch, &newest).await {
                debug!(%error, "status report not delivered");
            }
        }
    }
}

/// Whether a rejection spoils the certificate, and what it says about the next attempt.
fn rejected(reason: RejectionReason) -> (bool, Outlook) {
    match reason {
        RejectionReason::CertificateSuperseded => (true, Outlook::Passing),
        // The name was registered anew: a certificate of that registration takes another enrolment.
        RejectionReason::UidMismatch => (true, Outlook::Slow),
        RejectionReason::ClusterUnknown
        | RejectionReason::ClusterLocked
        | RejectionReason::CertificateRevoked
        | RejectionReason::DuplicateIdentity => (false, Outlook::Slow),
        RejectionReason::IdentityMismatch
        | RejectionReason::Fenced
        | RejectionReason::VersionSkew
        | RejectionReason::TooManyLinks
        | RejectionReason::Draining
        | RejectionReason::Unknown => (false, Outlook::Passing),
    }
}

fn read_rejection(body: &[u8]) -> Rejection {
    serde_json::from_slice(body).unwrap_or_else(|_| Rejection {
        reason: RejectionReason::Unknown,
        message: "its answer does not parse; is this address a tunnel door?".into(),
    })
}
