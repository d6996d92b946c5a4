//! What the agent shows at the tunnel door: a certificate from files, or one that the gateway issued.
//!
//! An issued one is had by enrolling ([`crate::enrol`]) before the first link, renewed over the tunnel
//! ([`crate::renewal`]) while links are up, and had by enrolling again when it ended, or when the gateway does not take
//! it any more.
//!
//! Invariants:
//! - there is one enrolment at a time, and who waited for it takes its outcome;
//! - a certificate in use is replaced only by one that was checked;
//! - its life is counted from its receipt by the gateway's clock, so that ours may be off.

mod life;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use tokio::sync::{Notify, watch};
use tracing::{info, warn};
use trunkline_pki::{LinkTls, SlotKey, TlsError};
use trunkline_proto::{Certified, ClusterUid, Slot, Trust};
use trunkline_runtime::chain;
use trunkline_tunnel::GatewayAddress;

use crate::enrol::{EnrolError, Enrolled, Enroller, Unfit};
use crate::identity::Brought;
use crate::metrics::Metrics;
pub(crate) use life::Life;

/// How long keeping the roots may hold up the answer to a gateway that told them.
const KEEP_DEADLINE: Duration = Duration::from_secs(4);

/// What the agent shows at the tunnel door. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum Pass {
    Files(Arc<LinkTls>),
    Issued(Issued),
}

/// Who the agent is by the certificate in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) uid: ClusterUid,
    pub(crate) not_after: SystemTime,
}

/// A pass whose certificates the gateway issues. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    enroller: Enroller,
    metrics: Metrics,
    held: Mutex<Option<Arc<Held>>>,
    /// One enrolment at a time.
    turn: tokio::sync::Mutex<()>,
    /// Changes with each certificate.
    changed: watch::Sender<u64>,
    /// Told when the gateway wants the certificate renewed.
    wanted: Notify,
}

/// A certificate in use.
#[derive(Debug)]
struct Held {
    tls: LinkTls,
    life: Life,
    uid: ClusterUid,
    roots: Mutex<String>,
    /// The store does not hold the roots or the uid yet.
    unkept: AtomicBool,
    /// The gateway wants the certificate renewed when the roots are kept.
    renew_once_kept: AtomicBool,
    /// The gateway does not take it.
    spoilt: AtomicBool,
}

impl Pass {
    /// What to dial `address` with; enrols there first when there is no certificate that is good.
    pub(crate) async fn ready(&self, address: &GatewayAddress) -> Result<Arc<ClientConfig>, EnrolError> {
        match self {
            Self::Files(tls) => Ok(tls.current()),
            Self::Issued(issued) => issued.ready(address).await,
        }
    }

    /// The gateway did not take the certificate in use: before the next link there must be another.
    pub(crate) fn spoil(&self) {
        if let Self::Issued(issued) = self
            && let Some(held) = issued.held()
        {
            held.spoilt.store(true, Ordering::Relaxed);
        }
    }

    /// Who the agent is by the certificate in use.
    pub(crate) fn shown(&self) -> Option<Shown> {
        let of = |tls: &LinkTls| {
            let named = tls.identity();
            Shown { uid: named.uid, not_after: named.not_after }
        };
        match self {
            Self::Files(tls) => Some(of(tls)),
            Self::Issued(issued) => issued.held().map(|held| of(&held.tls)),
        }
    }

    /// The slot this agent is.
    pub(crate) fn slot(&self) -> Slot {
        match self {
            Self::Files(tls) => tls.identity().slot,
            Self::Issued(issued) => issued.shared.enroller.slot,
        }
    }
}

impl Issued {
    pub(crate) fn new(enroller: Enroller, metrics: Metrics) -> Self {
        let shared = Shared {
            enroller,
            metrics,
            held: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(0),
            wanted: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Changes with each certificate.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// The life of the certificate in use.
    pub(crate) fn life(&self) -> Option<Life> {
        self.held().map(|held| held.life)
    }

    /// Waits until the gateway wants the certificate renewed.
    pub(crate) async fn wanted(&self) {
        self.shared.wanted.notified().await;
    }

    /// A certificate from the gateway at `address`, whatever is in use, unless another came while this waited.
    pub(crate) async fn enrol(&self, address: &GatewayAddress) -> Result<(), EnrolError> {
        self.enrolled(address).await.map(|_| ())
    }

    /// Takes the certificate that came over the tunnel for `key`.
    pub(crate) fn take(&self, certified: Certified, key: &SlotKey) -> Result<(), Unfit> {
        let enrolled = self.shared.enroller.take(certified, key)?;
        self.hold(enrolled);
        Ok(())
    }

    /// Trusts these roots from here on, in place of those before.
    pub(crate) async fn trust(&self, trust: &Trust) -> Result<(), TlsError> {
        let Some(held) = self.held() else { return Ok(()) };
        // Told with each link; most of the time nothing has changed.
        if !trust.renew && *lock(&held.roots) == trust.roots {
            return Ok(());
        }
        held.tls.trust(&trust.roots)?;
        trust.roots.clone_into(&mut lock(&held.roots));
        held.unkept.store(true, Ordering::Relaxed);
        info!(renew = trust.renew, "the gateway told the roots of its tunnel");
        held.renew_once_kept.store(trust.renew, Ordering::Relaxed);
        // The gateway waits for the answer; what is not kept by then is kept later.
        let _ = tokio::time::timeout(KEEP_DEADLINE, self.keep()).await;
        Ok(())
    }

    /// Writes to the store what it does not hold yet. That it cannot is told, and tried again with the next call.
    pub(crate) async fn keep(&self) {
        let Some(held) = self.held().filter(|held| held.unkept.load(Ordering::Relaxed)) else { return };
        let roots = lock(&held.roots).clone();
        let enroller = &self.shared.enroller;
        let brought = Brought { roots: &roots, uid: held.uid, pin: enroller.pin };
        match enroller.store.keep(brought).await {
            Ok(()) => {
                held.unkept.store(false, Ordering::Relaxed);
                // Not before: with a certificate under a new root, the gateway takes the roots for kept.
                if held.renew_once_kept.swap(false, Ordering::Relaxed) {
                    self.shared.wanted.notify_one();
                }
            }
            Err(error) => {
                warn!(error = chain(&error), "the roots of the tunnel could not be kept; it is tried again");
            }
        }
    }

    /// Whether there is a join token that was not shown yet.
    pub(crate) fn has_another_token(&self) -> bool {
        self.shared.enroller.has_another_token()
    }

    async fn ready(&self, address: &GatewayAddress) -> Result<Arc<ClientConfig>, EnrolError> {
        let held = match self.held().filter(|held| held.is_good()) {
            Some(held) => held,
            None => self.enrolled(address).await?,
        };
        Ok(held.tls.current())
    }

    async fn enrolled(&self, address: &GatewayAddress) -> Result<Arc<Held>, EnrolError> {
        let before = *self.shared.changed.borrow();
        let _turn = self.shared.turn.lock().await;
        if let Some(held) = self.held().filter(|_| *self.shared.changed.borrow() != before) {
            return Ok(held);
        }
        let metrics = &self.shared.metrics;
        let enrolled = self.shared.enroller.enrol(address).await.inspect_err(|_| {
            metrics.enrolments_failed.inc();
        })?;
        metrics.enrolments.inc();
        info!(gateway = %address, uid = %enrolled.certified.uid, slot = %self.shared.enroller.slot, "enrolled");
        Ok(self.hold(enrolled))
    }

    fn hold(&self, enrolled: Enrolled) -> Arc<Held> {
        let Enrolled { certified, tls } = enrolled;
        self.shared.metrics.certificate_not_after.set(seconds(tls.not_after()));
        let held = Arc::new(Held {
            tls,
            life: Life::beginning_now(certified.now, certified.not_after),
            uid: certified.uid,
            roots: Mutex::new(certified.roots),
            unkept: AtomicBool::new(true),
            renew_once_kept: AtomicBool::new(false),
            spoilt: AtomicBool::new(false),
        });
        *lock(&self.shared.held) = Some(held.clone());
        self.shared.changed.send_modify(|number| *number += 1);
        held
    }

    fn held(&self) -> Option<Arc<Held>> {
        lock(&self.shared.held).clone()
    }
}

impl Held {
    fn is_good(&self) -> bool {
        !self.spoilt.load(Ordering::Relaxed) && !self.life.is_over()
    }
}

/// A moment in seconds since 1970.
pub(crate) fn seconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
