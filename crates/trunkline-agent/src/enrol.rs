//! Enrolment: from a join token, or the cluster's key alone, to a certificate for this agent's slot.
//!
//! ```text
//! identity ─ dial (pin or roots) ─ POST, once without the token and once with it ─ certificate
//! ```
//!
//! Invariants:
//! - the token goes to nobody but a gateway whose root is the pinned one, or one that such a gateway named, and only
//!   while this cluster's key is not known there;
//! - each attempt makes a new key for the slot, which is nowhere but in memory;
//! - a certificate for anybody else than this slot of this cluster is not taken.

mod clock;
mod exchange;
mod fault;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tracing::debug;
use trunkline_pki::{Anchor, KeyPin, LinkTls, SlotKey, TlsError, enrol_link_tls};
use trunkline_proto::{Certified, ClusterId, EnrolReason, EnrolRequest, Slot};
use trunkline_runtime::chain;
use trunkline_tunnel::{Dialler, GatewayAddress};
use zeroize::Zeroizing;

use crate::identity::{Identity, IdentityStore};
pub(crate) use clock::Clock;
pub(crate) use fault::{EnrolError, no_trust};

/// How long an enrolment at one address may take in all.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest token file, in bytes.
const MAX_TOKEN: usize = 4 * 1024;

/// What it takes to enrol.
pub(crate) struct Enroller {
    pub(crate) cluster: ClusterId,
    pub(crate) slot: Slot,
    pub(crate) software: String,
    pub(crate) dialler: Dialler,
    pub(crate) pin: KeyPin,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) store: IdentityStore,
    pub(crate) clock: Clock,
    /// The token that was shown last.
    pub(crate) shown: Mutex<Option<Zeroizing<String>>>,
}

/// A certificate, and the link that it makes with its key.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) certified: Certified,
    pub(crate) tls: LinkTls,
}

impl Enroller {
    /// Asks the gateway at `address` for a certificate.
    pub(crate) async fn enrol(&self, address: &GatewayAddress) -> Result<Enrolled, EnrolError> {
        let identity = self.store.load().await?;
        let enrolling = self.enrol_as(&identity, address);
        tokio::time::timeout(DEADLINE, enrolling)
            .await
            .map_err(|_| EnrolError::TimedOut { address: address.clone(), seconds: DEADLINE.as_secs() })?
    }

    /// Whether there is a token at hand that was not shown last.
    pub(crate) fn has_another_token(&self) -> bool {
        let token = self.token().ok().flatten();
        token.is_some() && token != *self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token at hand, if there is one.
    fn token(&self) -> Result<Option<Zeroizing<String>>, EnrolError> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let text = match std::fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(EnrolError::TokenFile { path: path.clone(), source }),
        };
        let unusable = || EnrolError::NoToken { path: path.clone() };
        let token = std::str::from_utf8(&text).map_err(|_| unusable())?.trim();
        let usable = token.len() <= MAX_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic());
        match (token.is_empty(), usable) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(Zeroizing::new(token.to_owned()))),
            (false, false) => Err(unusable()),
        }
    }

    async fn enrol_as(&self, identity: &Identity, address: &GatewayAddress) -> Result<Enrolled, EnrolError> {
        let first = if identity.uid.is_none() { self.token()? } else { None };
        let shown = first.is_some();
        match self.ask_trusting(identity, address, first).await {
            Err(EnrolError::Refused { refusal, .. })
                if !shown && matches!(refusal.reason, EnrolReason::KeyUnknown | EnrolReason::AwayTooLong) =>
            {
                let Some(token) = self.token()? else {
                    return Err(EnrolError::Refused { address: address.clone(), refusal });
                };
                self.ask_trusting(identity, address, Some(token)).await
            }
            asked => asked,
        }
    }

    /// Asks by the roots that are kept; where the gateway stands under none of them, by the pin, if it is another than
    /// the one by which these were had: a gateway that was set up anew has another root, and a manifest with its pin.
    async fn ask_trusting(
        &self,
        identity: &Identity,
        address: &GatewayAddress,
        token: Option<Zeroizing<String>>,
    ) -> Result<Enrolled, EnrolError> {
        if token.is_some() {
            self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&token);
        }
        if let Some(roots) = &identity.roots {
            // Under the pin by which these roots were had, a root may stand that was retired since.
            let renamed = identity.pin.is_none_or(|pin| pin != self.pin);
            match self.ask(identity, address, &Anchor::Roots(roots.clone()), token.as_ref()).await {
                Err(error) if renamed && error.is_distrust() => {
                    debug!(%address, error = chain(&error), "not under the roots that are kept; trying the pin");
                }
                asked => return asked,
            }
        }
        self.ask(identity, address, &Anchor::Pin(self.pin), token.as_ref()).await
    }

    async fn ask(
        &self,
        identity: &Identity,
        address: &GatewayAddress,
        anchor: &Anchor,
        token: Option<&Zeroizing<String>>,
    ) -> Result<Enrolled, EnrolError> {
        let tls = enrol_link_tls(&identity.key, anchor).map_err(EnrolError::Identity)?;
        let dialled = self.dialler.dial(address, tls).await;
        let link = dialled.map_err(|error| EnrolError::of_dialling(address, error, &self.pin))?;
        let key = SlotKey::generate().map_err(EnrolError::Key)?;
        let request = EnrolRequest {
            cluster: self.cluster.clone(),
            slot: self.slot,
            token: token.map(|token| token.to_string()),
            csr: key.csr_pem(),
            software: self.software.clone(),
            now: jiff::Timestamp::now().as_second(),
        };
        let answered = exchange::post(link, address, &request).await?;
        if let Some(now) = answered.now {
            self.clock.compare(now);
        }
        let certified = answered.certified.map_err(|refusal| {
            let address = address.clone();
            EnrolError::Refused { address, refusal }
        })?;
        self.take(certified, &key).map_err(|source| EnrolError::Unfit { address: address.clone(), source })
    }

    /// Takes a certificate, if it is for this slot of this cluster and for this key.
    pub(crate) fn take(&self, certified: Certified, key: &SlotKey) -> Result<Enrolled, Unfit> {
        self.clock.compare(certified.now);
        let tls = LinkTls::issued(&certified.certificate, key, &certified.roots).map_err(Unfit::Tls)?;
        let named = tls.identity();
        if (&named.cluster, named.uid, named.slot) == (&self.cluster, certified.uid, self.slot) {
            return Ok(Enrolled { certified, tls });
        }
        let named = format!("slot {} of {} ({})", named.slot, named.cluster, named.uid);
        Err(Unfit::ForAnother { named, asked: format!("slot {} of {}", self.slot, self.cluster) })
    }
}

/// Why a certificate that a gateway issued is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("it is not usable")]
    Tls(#[source] TlsError),
    #[error("it is for {named}, and {asked} was asked for")]
    ForAnother { named: String, asked: String },
}

impl std::fmt::Debug for Enroller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enroller")
            .field("cluster", &self.cluster)
            .field("slot", &self.slot)
            .field("pin", &self.pin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
