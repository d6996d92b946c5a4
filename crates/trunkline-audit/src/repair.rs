//! Recordings that a gateway left unfinished when it was killed: kept as they are, and vouched for from here on.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use trunkline_api::{AuditRecording, AuditRepair};

use crate::chain::sync_folder;
use crate::line::Hash;

/// The folder of the recordings within a log's.
const FOLDER: &str = "recordings";
/// How finished recordings end, and those that go on.
pub(crate) const FINISHED: &str = ".cast";
pub(crate) const LIVE: &str = ".cast.part";

/// Where a log's recordings lie.
pub(crate) fn folder(log: &Path) -> PathBuf {
    log.join(FOLDER)
}

/// The file of a finished recording; none for what cannot be an id.
pub(crate) fn finished(log: &Path, id: &str) -> Option<PathBuf> {
    is_id(id).then(|| folder(log).join(format!("{id}{FINISHED}")))
}

/// The file of a recording that goes on.
pub(crate) fn live(log: &Path, id: &str) -> Option<PathBuf> {
    is_id(id).then(|| folder(log).join(format!("{id}{LIVE}")))
}

/// Whether `id` can be the name of a recording: it becomes that of a file.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The id of a recording's file, and whether it is finished.
pub(crate) fn id_of(name: &str) -> Option<(&str, bool)> {
    let (id, done) = match name.strip_suffix(LIVE) {
        Some(id) => (id, false),
        None => (name.strip_suffix(FINISHED)?, true),
    };
    is_id(id).then_some((id, done))
}

/// Finishes what was left unfinished.
pub(crate) fn finish_all(log: &Path) -> io::Result<Vec<AuditRepair>> {
    let folder = folder(log);
    let mut repairs = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name();
        let Some((id, false)) = name.to_str().and_then(id_of) else { continue };
        let recording = describe(id, &folder.join(&name))?;
        fs::rename(folder.join(&name), folder.join(format!("{id}{FINISHED}")))?;
        repairs.push(AuditRepair { recording: Some(recording), ..AuditRepair::default() });
    }
    if !repairs.is_empty() {
        sync_folder(&folder)?;
    }
    Ok(repairs)
}

/// What a recording's file is.
pub(crate) fn describe(id: &str, path: &Path) -> io::Result<AuditRecording> {
    let mut file = File::open(path)?;
    let (mut hasher, mut bytes, mut piece) = (Sha256::new(), 0, vec![0; 64 * 1024]);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(AuditRecording { id: id.into(), sha256: Hash::from(hasher).to_string(), bytes });
        }
        hasher.update(piece.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_a_way_out_of_the_folder() {
        let log = Path::new("log");
        for bad in ["", ".", "..", "../x", "a/b", "a\0", "ä", &"x".repeat(65)] {
            assert_eq!((finished(log, bad), live(log, bad)), (None, None), "{bad:?}");
        }
        assert_eq!(finished(log, "a-1").unwrap(), Path::new("log/recordings/a-1.cast"));
        assert_eq!(id_of("a-1.cast"), Some(("a-1", true)));
        assert_eq!(id_of("a-1.cast.part"), Some(("a-1", false)));
        assert_eq!(id_of("a-1.txt"), None);
    }
}
