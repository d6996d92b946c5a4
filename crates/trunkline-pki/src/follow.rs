//! A value that follows what it is made of: files, the gateway's own papers, or both.
//!
//! Mounted Secrets change by a swap of symbolic links and half-copied pairs happen, so files are read and
//! hashed, never watched: whoever owns one of these polls it. A rotation of the papers is followed when the value is
//! next asked for.
//!
//! Invariant: a value is replaced only by one that was made whole; the last good one stays until then. Files and papers
//! do so each for itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use crate::files::{self, Bytes, CertifiedFiles, Warning};
use crate::papers::{PaperDoor, Papered};
use crate::{TlsError, crypto_provider, identity};

/// What a value is made of. There is at least one certificate.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) files: Option<CertifiedFiles>,
    pub(crate) roots: Option<PathBuf>,
    pub(crate) papers: Option<PaperDoor>,
}

/// All of it, read, parsed and checked as far as it is the same for all.
pub(crate) struct Material {
    /// The certificate that is shown to who does not ask for another: the files', where there are files.
    pub(crate) certified: Arc<CertifiedKey>,
    /// Where that certificate is from.
    pub(crate) origin: String,
    /// The certificate of the gateway's own papers.
    pub(crate) papered: Option<Papered>,
    /// The roots of files and papers.
    pub(crate) roots: Arc<RootCertStore>,
}

/// A value made of a source.
pub(crate) struct Follow<T> {
    source: Source,
    make: Make<T>,
    made: ArcSwap<Made<T>>,
    /// One making at a time.
    turn: Mutex<()>,
}

type Make<T> = Box<dyn Fn(&Material) -> Result<T, TlsError> + Send + Sync>;

/// One making of the value, and of what.
struct Made<T> {
    value: T,
    filed: Arc<Filed>,
    papered: Option<Papered>,
}

/// What the files held.
struct Filed {
    certified: Option<(Arc<CertifiedKey>, SystemTime)>,
    roots: RootCertStore,
    fingerprint: [u8; 32],
    warnings: Vec<Warning>,
}

impl<T: Clone> Follow<T> {
    /// Reads the files, has papers issued, and makes the first value.
    pub(crate) fn new(
        source: Source,
        make: impl Fn(&Material) -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        if source.papers.is_none() && source.roots.is_none() {
            return Err(TlsError::NoSource("root"));
        }
        Self::trusting_nobody(source, make)
    }

    /// As [`Follow::new`], for a value that is made of no roots.
    pub(crate) fn trusting_nobody(
        source: Source,
        make: impl Fn(&Material) -> Result<T, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        if source.papers.is_none() && source.files.is_none() {
            return Err(TlsError::NoSource("certificate"));
        }
        let now = SystemTime::now();
        let filed = Arc::new(Contents::read(&source)?.parse(&source, now)?);
        let papered = source.papers.as_ref().map(|papers| papers.issue(now)).transpose()?;
        let make: Make<T> = Box::new(make);
        let made = Made::of(&source, &make, filed, papered)?;
        Ok(Self { source, make, made: ArcSwap::from_pointee(made), turn: Mutex::new(()) })
    }

    /// The value of the last good files, and of the papers of now.
    pub(crate) fn current(&self) -> T {
        if self.has_rotated() {
            // Where that fails, the last good one stays, and the next refresh says why.
            let _ = self.follow_papers(&self.turn(), SystemTime::now());
        }
        self.made.load().value.clone()
    }

    /// When the certificate in use ends.
    pub(crate) fn not_after(&self) -> SystemTime {
        let made = self.made.load();
        let filed = made.filed.certified.as_ref().map(|(_, not_after)| *not_after);
        let papered = made.papered.as_ref().map(|papered| papered.not_after);
        filed.or(papered).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// What weakens the value in use.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.made.load().filed.warnings.clone()
    }

    /// Reads the files again and renews what is due; true if another value is in use from here on.
    pub(crate) fn refresh(&self, now: SystemTime) -> Result<bool, TlsError> {
        let turn = self.turn();
        let papers = self.follow_papers(&turn, now);
        let files = self.follow_files(&turn, now);
        Ok(papers? | files?)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_rotated(&self) -> bool {
        match (&self.source.papers, &self.made.load().papered) {
            (Some(papers), Some(papered)) => papers.has_rotated_since(papered),
            _ => false,
        }
    }

    fn follow_papers(&self, _: &MutexGuard<'_, ()>, now: SystemTime) -> Result<bool, TlsError> {
        let Some(papers) = &self.source.papers else { return Ok(false) };
        let made = self.made.load_full();
        let due = made.papered.as_ref().is_none_or(|papered| papered.is_due(now));
        if !due && !self.has_rotated() {
            return Ok(false);
        }
        let next = Made::of(&self.source, &self.make, made.filed.clone(), Some(papers.issue(now)?))?;
        self.made.store(Arc::new(next));
        Ok(true)
    }

    fn follow_files(&self, _: &MutexGuard<'_, ()>, now: SystemTime) -> Result<bool, TlsError> {
        let contents = Contents::read(&self.source)?;
        let made = self.made.load_full();
        if contents.fingerprint() == made.filed.fingerprint {
            return Ok(false);
        }
        let filed = Arc::new(contents.parse(&self.source, now)?);
        self.made.store(Arc::new(Made::of(&self.source, &self.make, filed, made.papered.clone())?));
        Ok(true)
    }
}

impl<T> Made<T> {
    fn of(
        source: &Source,
        make: &Make<T>,
        filed: Arc<Filed>,
        papered: Option<Papered>,
    ) -> Result<Self, TlsError> {
        let (origin, certified) = match (&source.files, &filed.certified, &papered) {
            (Some(files), Some((certified, _)), _) => (files::origin(&files.certificate), certified.clone()),
            (_, _, Some(papered)) => ("the gateway's own papers".to_owned(), papered.certified.clone()),
            _ => return Err(TlsError::NoSource("certificate")),
        };
        let mut roots = filed.roots.clone();
        if let Some(papered) = &papered {
            roots.roots.extend(papered.roots.roots.iter().cloned());
        }
        let value = make(&Material { certified, origin, papered: papered.clone(), roots: Arc::new(roots) })?;
        Ok(Self { value, filed, papered })
    }
}

/// The bytes of the files, as far as there are any.
struct Contents {
    certificate: Bytes,
    key: Bytes,
    roots: Bytes,
}

impl Contents {
    fn read(source: &Source) -> Result<Self, TlsError> {
        let read =
            |path: Option<&PathBuf>| path.map_or_else(|| Ok(Bytes::default()), |path| files::read(path));
        let files = source.files.as_ref();
        let certificate = read(files.map(|files| &files.certificate))?;
        let key = read(files.map(|files| &files.key))?;
        Ok(Self { certificate, key, roots: read(source.roots.as_ref())? })
    }

    fn fingerprint(&self) -> [u8; 32] {
        let mut whole = Sha256::new();
        for file in [&self.certificate, &self.key, &self.roots] {
            whole.update(Sha256::digest(file));
        }
        whole.finalize().into()
    }

    fn parse(&self, source: &Source, now: SystemTime) -> Result<Filed, TlsError> {
        let (mut roots, mut warnings) = (RootCertStore::empty(), Vec::new());
        if let Some(path) = &source.roots {
            (roots, warnings) = files::roots(path, &self.roots, now)?;
        }
        let mut certified = None;
        if let Some(files) = &source.files {
            let origin = files::origin(&files.certificate);
            let own = files::certified(
                (&origin, &self.certificate),
                (&files::origin(&files.key), &self.key),
                &crypto_provider(),
            )?;
            let leaf = own.end_entity_cert().map_err(TlsError::Rustls)?;
            let leaf = files::parsed(&origin, leaf)?;
            warnings.extend(files::check_dates(&files.certificate, &leaf, now)?);
            warnings.extend(files::check_key_mode(&files.key));
            let not_after = identity::not_after(&leaf);
            certified = Some((Arc::new(own), not_after));
        }
        Ok(Filed { certified, roots, fingerprint: self.fingerprint(), warnings })
    }
}
