//! What a door shows and trusts by the gateway's own papers.

use rustls::RootCertStore;
use rustls::sign::CertifiedKey;

use super::{Arc, DAY, Duration, Papers, SystemTime, TunnelRoots};
use crate::verifier::Door;
use crate::{Authority, AuthorityError, Issued, TlsError, Validity, crypto_provider};

/// How long a door's certificate lives. It is issued again after two thirds of that, and at each start.
const DOOR_LIFE: Duration = Duration::from_secs(90 * 86_400);

/// The papers, as one of the doors uses them.
#[derive(Clone, Debug)]
pub(crate) struct PaperDoor {
    pub(crate) papers: Papers,
    pub(crate) door: Door,
}

/// A door's certificate of the gateway's own, with its root behind it, and the roots the door trusts.
#[derive(Clone)]
pub(crate) struct Papered {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) roots: Arc<RootCertStore>,
    pub(crate) not_after: SystemTime,
    renew_at: SystemTime,
    /// The tunnel roots of which it was made.
    tunnel: Arc<TunnelRoots>,
}

impl PaperDoor {
    /// A new certificate, under the roots of now.
    pub(crate) fn issue(&self, now: SystemTime) -> Result<Papered, TlsError> {
        let inner = &self.papers.0;
        let tunnel = inner.tunnel.load_full();
        // A day back, for those whose clocks are behind.
        let validity = Validity { not_before: now - DAY, not_after: now + DOOR_LIFE };
        let (root, issued) = match self.door {
            Door::Front => (&inner.front, inner.front.front_server(&inner.names.front, validity)),
            Door::Tunnel => (&*tunnel.shown, tunnel.shown.tunnel_server(&inner.names.tunnel, validity)),
        };
        let certified = Arc::new(certified(root, issued)?);
        let mut roots = RootCertStore::empty();
        let trusted: Vec<&Authority> = match self.door {
            Door::Front => vec![root],
            Door::Tunnel => tunnel.oldest_first().map(AsRef::as_ref).collect(),
        };
        for root in trusted {
            roots.add(root.certificate_der().clone()).map_err(TlsError::Rustls)?;
        }
        let (not_after, renew_at) = (validity.not_after, now + DOOR_LIFE * 2 / 3);
        Ok(Papered { certified, roots: Arc::new(roots), not_after, renew_at, tunnel })
    }

    /// Whether a rotation has begun or ended since.
    pub(crate) fn has_rotated_since(&self, papered: &Papered) -> bool {
        matches!(self.door, Door::Tunnel) && !Arc::ptr_eq(&papered.tunnel, &self.papers.0.tunnel.load())
    }
}

impl Papered {
    /// Whether two thirds of its life are over.
    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        now >= self.renew_at
    }
}

fn certified(root: &Authority, issued: Result<Issued, AuthorityError>) -> Result<CertifiedKey, TlsError> {
    let issued = issued.map_err(TlsError::OwnPapers)?;
    let chain = vec![issued.certificate_der, root.certificate_der().clone()];
    CertifiedKey::from_der(chain, issued.key_der, &crypto_provider()).map_err(TlsError::Rustls)
}
