//! A value that follows the files it was made of.
//!
//! Mounted Secrets change by a swap of symbolic links and half-copied pairs happen, so files are read and
//! hashed, never watched: whoever owns one of these polls it.
//!
//! Invariant: a value is replaced only by one that was made whole; the last good one stays until then.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::RootCertStore;
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use crate::files::{self, Bytes, CertifiedFiles, Warning};
use crate::{TlsError, crypto_provider, identity};

/// What the files held, read, parsed and checked as far as it is the same for all.
pub(crate) struct Material {
    pub(crate) certified: Arc<CertifiedKey>,
    pub(crate) roots: Arc<RootCertStore>,
}

/// A value made of a certificate, its key and roots.
pub(crate) struct Follow<T> {
    files: CertifiedFiles,
    roots: PathBuf,
    made: ArcSwap<Made<T>>,
    /// One refresh at a time.
    turn: Mutex<()>,
}

/// One making of the value.
struct Made<T> {
    value: T,
    fingerprint: [u8; 32],
    not_after: SystemTime,
    warnings: Vec<Warning>,
}

impl<T: Clone> Follow<T> {
    /// Reads the files and makes the first value.
    pub(crate) fn new(
        files: CertifiedFiles,
        roots: PathBuf,
        make: impl Fn(&Material) -> Result<T, TlsError>,
    ) -> Result<Self, TlsError> {
        let contents = Contents::read(&files, &roots)?;
        let made = contents.make(&files, &roots, &make)?;
        Ok(Self { files, roots, made: ArcSwap::from_pointee(made), turn: Mutex::new(()) })
    }

    /// The value of the last good files.
    pub(crate) fn current(&self) -> T {
        self.made.load().value.clone()
    }

    /// When the certificate in use ends.
    pub(crate) fn not_after(&self) -> SystemTime {
        self.made.load().not_after
    }

    /// What weakens the value in use.
    pub(crate) fn warnings(&self) -> Vec<Warning> {
        self.made.load().warnings.clone()
    }

    /// Reads the files again; true if they had changed and their value is in use.
    pub(crate) fn refresh(&self, make: impl Fn(&Material) -> Result<T, TlsError>) -> Result<bool, TlsError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let contents = Contents::read(&self.files, &self.roots)?;
        if contents.fingerprint() == self.made.load().fingerprint {
            return Ok(false);
        }
        self.made.store(Arc::new(contents.make(&self.files, &self.roots, &make)?));
        Ok(true)
    }
}

/// The bytes of the three files.
struct Contents {
    certificate: Bytes,
    key: Bytes,
    roots: Bytes,
}

impl Contents {
    fn read(files: &CertifiedFiles, roots: &Path) -> Result<Self, TlsError> {
        let certificate = files::read(&files.certificate)?;
        Ok(Self { certificate, key: files::read(&files.key)?, roots: files::read(roots)? })
    }

    fn fingerprint(&self) -> [u8; 32] {
        let mut whole = Sha256::new();
        for file in [&self.certificate, &self.key, &self.roots] {
            whole.update(Sha256::digest(file));
        }
        whole.finalize().into()
    }

    fn make<T>(
        &self,
        files: &CertifiedFiles,
        roots: &Path,
        make: impl Fn(&Material) -> Result<T, TlsError>,
    ) -> Result<Made<T>, TlsError> {
        let origin = files::origin(&files.certificate);
        let certified = files::certified(
            (&origin, &self.certificate),
            (&files::origin(&files.key), &self.key),
            &crypto_provider(),
        )?;
        let now = SystemTime::now();
        let (roots, mut warnings) = files::roots(roots, &self.roots, now)?;
        let leaf = certified.end_entity_cert().map_err(TlsError::Rustls)?;
        let leaf = files::parsed(&origin, leaf)?;
        warnings.extend(files::check_dates(&files.certificate, &leaf, now)?);
        warnings.extend(files::check_key_mode(&files.key));
        let not_after = identity::not_after(&leaf);
        let value = make(&Material { certified: Arc::new(certified), roots })?;
        Ok(Made { value, fingerprint: self.fingerprint(), not_after, warnings })
    }
}
