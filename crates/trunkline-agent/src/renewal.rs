//! Keeps the certificate young: at half of its life another one, over the tunnel, and then links made with it.
//!
//! What fails is tried again each twentieth of the life; when little of it is left the agent enrols anew instead, on a
//! link of its own, while the old ones are still up. Requests notice nothing: old links go only once new ones are up.

use std::time::Duration;

use tracing::{info, warn};
use trunkline_pki::{KeyError, SlotKey};
use trunkline_proto::{Certified, ControlCall, EnrolRefusal, Renewal};
use trunkline_runtime::chain;
use trunkline_tunnel::{CallError, call};

use crate::enrol::{EnrolError, Unfit};
use crate::metrics::Metrics;
use crate::pass::Issued;
use crate::uplink::Uplink;

/// How often the calendar is looked at, and what could not be kept is tried again.
const LOOK: Duration = Duration::from_secs(30);
/// The longest pause before the next try while there is no tunnel to renew over.
const NO_TUNNEL_PAUSE: Duration = Duration::from_secs(5);

/// Why there is no younger certificate.
#[derive(Debug, thiserror::Error)]
enum RenewalError {
    #[error("there is no tunnel to renew over")]
    NoTunnel,
    #[error("no key for it")]
    Key(#[from] KeyError),
    #[error("the gateway did not answer")]
    Call(#[source] CallError),
    #[error("the gateway said no")]
    Refused(#[source] EnrolRefusal),
    #[error("what the gateway issued is not taken")]
    Unfit(#[from] Unfit),
    #[error(transparent)]
    Enrol(#[from] EnrolError),
}

/// Renews for ever.
pub(crate) async fn renew_for_ever(issued: Issued, uplink: Uplink, metrics: Metrics) {
    let mut changes = issued.changes();
    loop {
        changes.mark_unchanged();
        issued.keep().await;
        let left = issued.life().map(|life| life.until_due());
        if left != Some(Duration::ZERO) {
            tokio::select! {
                _ = changes.changed() => continue,
                () = tokio::time::sleep(left.unwrap_or(LOOK).min(LOOK)) => continue,
                () = issued.wanted() => {}
            }
        }
        let Some(life) = issued.life() else { continue };
        match renew(&issued, &uplink).await {
            Ok(()) => {
                metrics.renewals.inc();
                info!("the certificate was renewed");
                uplink.swap();
            }
            Err(error) => {
                let pause = if let RenewalError::NoTunnel = error {
                    // Why there is none is told by who dials.
                    life.pause().min(NO_TUNNEL_PAUSE)
                } else {
                    metrics.renewals_failed.inc();
                    warn!(error = chain(&error), "the certificate was not renewed; it is tried again");
                    life.pause()
                };
                tokio::select! {
                    _ = changes.changed() => {}
                    () = issued.wanted() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
}

async fn renew(issued: &Issued, uplink: &Uplink) -> Result<(), RenewalError> {
    if issued.life().is_some_and(|life| life.is_late()) {
        return Ok(issued.enrol(uplink.address()).await?);
    }
    let (session, epoch) = uplink.newest().ok_or(RenewalError::NoTunnel)?;
    let key = SlotKey::generate()?;
    let renewal = Renewal { csr: key.csr_pem() };
    let certified: Certified =
        call(&session, ControlCall::Renew, epoch, &renewal).await.map_err(|error| match &error {
            CallError::Refused(_, said) => match serde_json::from_slice(said) {
                Ok(refusal) => RenewalError::Refused(refusal),
                Err(_) => RenewalError::Call(error),
            },
            _ => RenewalError::Call(error),
        })?;
    Ok(issued.take(certified, &key)?)
}
