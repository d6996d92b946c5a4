//! The gateway's own papers: its two roots, made at its first start and kept in a folder.
//!
//! Under the front root stand the front door and the clients it is given certificates for, under the tunnel root the
//! tunnel door and the agents. During a rotation there are two tunnel roots: agents are certified by the new one, while the
//! door goes on showing a certificate under the old one, which every agent trusts.
//!
//! Invariants:
//! - all roots are in one file that is replaced as a whole: whenever the gateway is killed, the next start finds the roots
//!   as they were before a change or after it;
//! - what is in the file is in force and the other way round: a change is written before it is used;
//! - doors' keys are in memory only, for 90 days at most; a folder that everybody can write to is not used.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls_pki_types::CertificateDer;

use crate::{
    AgentName, Authority, AuthorityError, KeyPin, Signed, TlsError, Validity, crypto_provider, identity,
};

mod door;
mod folder;
mod rotation;

pub(crate) use door::{PaperDoor, Papered};
use folder::{Folder, Roots};

/// The fleet's name in the certificates of agents.
const TRUST_DOMAIN: &str = "trunkline.local";
/// How the roots' names begin; what follows tells one from the next.
const FRONT: &str = "trunkline front root";
const TUNNEL: &str = "trunkline tunnel root";

const DAY: Duration = Duration::from_secs(86_400);
const ROOT_LIFE: Duration = Duration::from_secs(3650 * 86_400);

/// The gateway's roots, in a folder. Clones share them.
#[derive(Clone)]
pub struct Papers(Arc<Inner>);

/// The names (DNS names, `*.` before them allowed, or IP addresses) by which the doors are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperNames {
    /// The front door.
    pub front: Vec<String>,
    /// The tunnel door.
    pub tunnel: Vec<String>,
}

/// A tunnel root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperRoot {
    /// The pin of its key.
    pub pin: KeyPin,
    /// When it ends.
    pub not_after: SystemTime,
    /// Whether agents are certified by it; the other one, if there is one, is on its way out.
    pub issuing: bool,
}

/// Why the gateway's papers cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    /// The folder cannot be made or looked at.
    #[error(
        "cannot use the folder {path} for the gateway's papers; check that it is a folder of this user's"
    )]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Others can change the roots, or have seen their keys.
    #[error(
        "every user of this machine can reach into {path} (mode {mode:o}), where the fleet's root keys are; find out who \
         did, then run chmod go= {path}"
    )]
    OpenToOthers {
        /// Which folder or file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(TlsError),
    /// The file is not as it was written.
    #[error(
        "{path} does not hold the gateway's roots as they were written; restore it from a backup. Without it there are \
         new roots, and every agent and client must be given new papers"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {path}; check that there is room and that the folder may be written to")]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A root cannot be made.
    #[error("a root could not be made")]
    Root(#[from] AuthorityError),
}

struct Inner {
    folder: Folder,
    names: PaperNames,
    front: Authority,
    tunnel: ArcSwap<TunnelRoots>,
    /// One change at a time.
    turn: Mutex<()>,
}

/// The tunnel roots of one moment.
pub(crate) struct TunnelRoots {
    /// The one under which the door shows its certificate.
    shown: Arc<Authority>,
    /// During a rotation: the one that is to follow, and issues already.
    next: Option<Arc<Authority>>,
}

impl Papers {
    /// Takes the papers in the folder, or makes them if there are none.
    ///
    /// # Errors
    /// When the folder or its file cannot be used, or is open to others; the error says which and what to do.
    pub fn open(dir: &Path, names: &PaperNames) -> Result<Self, PapersError> {
        let folder = Folder::open(dir)?;
        let Roots { front, tunnel } = match folder.read()? {
            Some(roots) => roots,
            None => {
                let tunnel = TunnelRoots { shown: Arc::new(new_root(TUNNEL)?), next: None };
                let roots = Roots { front: new_root(FRONT)?, tunnel };
                folder.write(&roots.front, &roots.tunnel)?;
                roots
            }
        };
        let (tunnel, names) = (ArcSwap::from_pointee(tunnel), names.clone());
        Ok(Self(Arc::new(Inner { folder, names, front, tunnel, turn: Mutex::new(()) })))
    }

    /// The root of the front door and its clients.
    pub fn front_authority(&self) -> &Authority {
        &self.0.front
    }

    /// The fleet's name in the certificates of agents.
    pub fn trust_domain(&self) -> &str {
        TRUST_DOMAIN
    }

    /// By what an agent that is to join knows the tunnel door.
    pub fn pin(&self) -> KeyPin {
        self.0.tunnel.load().shown.pin()
    }

    /// The tunnel roots that agents are to trust (PEM), oldest first.
    pub fn roots_pem(&self) -> String {
        self.0.tunnel.load().oldest_first().map(|root| root.certificate_pem()).collect()
    }

    /// The tunnel roots, oldest first.
    pub fn roots(&self) -> Vec<PaperRoot> {
        let roots = self.0.tunnel.load();
        let issuing = roots.issuing().pin();
        let told = |root: &Arc<Authority>| {
            let (pin, not_after) = (root.pin(), root.not_after());
            PaperRoot { pin, not_after, issuing: pin == issuing }
        };
        roots.oldest_first().map(told).collect()
    }

    /// Certifies one slot of a cluster's agent, by the root that issues now.
    ///
    /// # Errors
    /// As [`Authority::agent_from_csr`].
    pub fn sign_agent(
        &self,
        csr_pem: &str,
        name: &AgentName,
        validity: Validity,
    ) -> Result<Signed, AuthorityError> {
        self.0.tunnel.load().issuing().agent_from_csr(csr_pem, name, validity)
    }

    /// Which of the tunnel roots signed a certificate; none if it was another's.
    pub fn root_of(&self, certificate: &CertificateDer<'_>) -> Option<KeyPin> {
        let certificate = identity::parse(certificate).ok()?;
        let roots = self.0.tunnel.load();
        let signer = roots.oldest_first().find(|root| {
            identity::parse(root.certificate_der())
                .is_ok_and(|root| certificate.verify_signature(Some(root.public_key())).is_ok())
        });
        signer.map(|root| root.pin())
    }
}

#[cfg(test)]
impl Papers {
    /// The root under which the tunnel door shows its certificate.
    pub(crate) fn shown_root(&self) -> Arc<Authority> {
        self.0.tunnel.load().shown.clone()
    }
}

impl TunnelRoots {
    fn oldest_first(&self) -> impl Iterator<Item = &Arc<Authority>> {
        std::iter::once(&self.shown).chain(&self.next)
    }

    fn issuing(&self) -> &Authority {
        self.next.as_ref().unwrap_or(&self.shown)
    }
}

/// A root of a name that no other has, so that a chain says which one it is for.
fn new_root(name: &str) -> Result<Authority, AuthorityError> {
    let mut tag = [0; 4];
    crypto_provider().secure_random.fill(&mut tag).map_err(|_| AuthorityError::NoRandomness)?;
    let now = SystemTime::now();
    // A day back, for clients whose clocks are behind.
    let validity = Validity { not_before: now - DAY, not_after: now + ROOT_LIFE };
    Authority::new(&format!("{name} {:08x}", u32::from_be_bytes(tag)), validity)
}

impl fmt::Debug for Papers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Papers").field("folder", &self.0.folder).field("roots", &self.roots()).finish()
    }
}

#[cfg(test)]
mod tests;
