//! The file that holds the roots: read and checked, and written as a whole.
//!
//! It is text: a line that says what the file is, then for each root its certificate and its key in PEM. The front root
//! comes first, then the tunnel roots, oldest first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::{PemObject, SectionKind};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use super::{Arc, Authority, FRONT, PapersError, TUNNEL, TunnelRoots};
use crate::{files, identity, write};

const FILE: &str = "roots.pem";

const HEAD: &str = "The roots of a Trunkline gateway with their private keys: whoever has them can pass for any agent,\n\
                    client and gateway of the fleet. Back this file up and show it to nobody; the gateway writes it.\n\n";

/// Where the file is.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

/// What the file holds.
pub(super) struct Roots {
    pub(super) front: Authority,
    pub(super) tunnel: TunnelRoots,
}

impl Folder {
    /// The folder, made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, PapersError> {
        let unusable = |source| PapersError::Folder { path: path.to_owned(), source };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => close_to_others(path, &found, 0o002, 0o700)?,
            Ok(_) => return Err(unusable(io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write::private_folder(path).map_err(unusable)?;
            }
            Err(error) => return Err(unusable(error)),
        }
        Ok(Self(path.to_owned()))
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE)
    }

    /// The roots, if they were made.
    pub(super) fn read(&self) -> Result<Option<Roots>, PapersError> {
        let path = self.file();
        match fs::metadata(&path) {
            Ok(found) => close_to_others(&path, &found, 0o007, 0o600)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(PapersError::Folder { path, source }),
        }
        let content = files::read(&path).map_err(PapersError::Unreadable)?;
        match parse(&content) {
            Some(roots) => Ok(Some(roots)),
            None => Err(PapersError::Damaged { path }),
        }
    }

    /// Writes the roots in place of those before; they are on the disk when this returns.
    pub(super) fn write(&self, front: &Authority, tunnel: &TunnelRoots) -> Result<(), PapersError> {
        Self::open(&self.0)?;
        let mut text = Zeroizing::new(HEAD.to_owned());
        for root in std::iter::once(front).chain(tunnel.oldest_first().map(AsRef::as_ref)) {
            text.push_str(&root.certificate_pem());
            text.push_str(&root.key_pem());
        }
        let path = self.file();
        write::secret(&path, text.as_bytes()).map_err(|source| PapersError::Write { path, source })
    }
}

/// The roots in a file's content, if it is as it was written.
fn parse(content: &[u8]) -> Option<Roots> {
    let mut sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(content);
    let mut roots = Vec::new();
    while let Some(section) = sections.next() {
        let (SectionKind::Certificate, certificate) = section.ok()? else { return None };
        let (SectionKind::PrivateKey, key) = sections.next()?.ok()? else { return None };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        roots.push(Authority::from_der(CertificateDer::from(certificate), &key).ok()?);
    }
    let mut roots = roots.into_iter();
    let front = roots.next().filter(|root| is_named(root, FRONT))?;
    let tunnel = roots.map(|root| is_named(&root, TUNNEL).then(|| Arc::new(root)));
    let mut tunnel = tunnel.collect::<Option<Vec<_>>>()?.into_iter();
    let (Some(shown), next, None) = (tunnel.next(), tunnel.next(), tunnel.next()) else { return None };
    Some(Roots { front, tunnel: TunnelRoots { shown, next } })
}

fn is_named(root: &Authority, name: &str) -> bool {
    identity::parse(root.certificate_der()).is_ok_and(|root| {
        root.subject().iter_common_name().any(|own| own.as_str().is_ok_and(|own| own.starts_with(name)))
    })
}

/// Refuses what everybody has one of the permissions `never` for, and takes from its group what it has beyond `mode`: some
/// volumes are opened to a group at each mount.
#[cfg(unix)]
fn close_to_others(path: &Path, found: &fs::Metadata, never: u32, mode: u32) -> Result<(), PapersError> {
    use std::os::unix::fs::PermissionsExt;

    let is = found.permissions().mode() & 0o777;
    if is & never != 0 {
        return Err(PapersError::OpenToOthers { path: path.to_owned(), mode: is });
    }
    if is & !mode != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(|source| PapersError::Folder { path: path.to_owned(), source })?;
    }
    Ok(())
}

/// File modes say nothing here.
#[cfg(not(unix))]
fn close_to_others(_: &Path, _: &fs::Metadata, _: u32, _: u32) -> Result<(), PapersError> {
    Ok(())
}
