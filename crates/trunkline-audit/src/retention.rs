//! What is removed, and when: whole segments, oldest first, and recordings.
//!
//! That records were removed says a record, which is durable before they are gone: of a chain that begins later than
//! with 1, the rest itself tells that this is right. Removing files by hand leaves no such record, and is found.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use trunkline_api::AuditTrim;

use crate::chain::sync_folder;
use crate::line;
use crate::repair;
use crate::segments::{self, Segment};

/// How many recordings one record tells of.
const MOST_RECORDINGS: usize = 1_000;

/// How long and how much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) age: Duration,
    /// Of records, and as many of recordings.
    pub(crate) bytes: u64,
}

/// What is to go.
#[derive(Debug, Default)]
pub(crate) struct Condemned {
    pub(crate) trim: AuditTrim,
    files: Vec<PathBuf>,
}

/// Looks for what is to go.
pub(crate) fn look(log: &Path, limits: Limits, now: Timestamp) -> io::Result<Option<Condemned>> {
    let mut condemned = Condemned::default();
    old_segments(log, limits, now, &mut condemned)?;
    old_recordings(log, limits, now, &mut condemned)?;
    Ok((!condemned.files.is_empty()).then_some(condemned))
}

/// All but the last segment may go, when all in them is too old or there is too much.
fn old_segments(log: &Path, limits: Limits, now: Timestamp, condemned: &mut Condemned) -> io::Result<()> {
    let segments = segments::list(log)?;
    let sizes: Vec<u64> = segments.iter().map(|segment| size(&segment.path)).collect::<io::Result<_>>()?;
    let mut left: u64 = sizes.iter().sum();
    let mut last_gone: Option<&Segment> = None;
    for ((segment, next), size) in segments.iter().zip(segments.iter().skip(1)).zip(sizes) {
        // Nothing in it is younger than the first record after it.
        let ended = next.begins()?;
        let old = ended.is_some_and(|ended| is_older(ended, limits.age, now));
        if !old && left <= limits.bytes {
            break;
        }
        condemned.files.push(segment.path.clone());
        condemned.trim.through = next.first.saturating_sub(1);
        last_gone = Some(segment);
        left -= size;
    }
    if let Some(segment) = last_gone {
        condemned.trim.hash = last_hash(segment)?;
    }
    Ok(())
}

fn old_recordings(log: &Path, limits: Limits, now: Timestamp, condemned: &mut Condemned) -> io::Result<()> {
    let folder = repair::folder(log);
    let mut all = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some((id, true)) = name.to_str().and_then(repair::id_of) {
            let metadata = entry.metadata()?;
            let when = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            all.push((when, id.to_owned(), entry.path(), metadata.len()));
        }
    }
    all.sort();
    let mut left: u64 = all.iter().map(|(.., bytes)| bytes).sum();
    for (when, id, path, bytes) in all.into_iter().take(MOST_RECORDINGS) {
        let when = Timestamp::try_from(when).unwrap_or(Timestamp::MIN);
        if !is_older(when, limits.age, now) && left <= limits.bytes {
            break;
        }
        condemned.files.push(path);
        condemned.trim.recordings.push(id);
        left -= bytes;
    }
    Ok(())
}

impl Condemned {
    /// Removes what is to go, oldest first. Call it when the record of it is durable.
    pub(crate) fn remove(self, log: &Path) -> io::Result<()> {
        for file in self.files {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        sync_folder(log)?;
        sync_folder(&repair::folder(log))
    }
}

fn size(path: &Path) -> io::Result<u64> {
    fs::metadata(path).map(|metadata| metadata.len())
}

fn is_older(when: Timestamp, age: Duration, now: Timestamp) -> bool {
    when.checked_add(age).is_ok_and(|end| end < now)
}

/// The hash of a segment's last record; empty if it cannot be read, which a verification tells.
fn last_hash(segment: &Segment) -> io::Result<String> {
    let line = match segments::last_line(&mut File::open(&segment.path)?) {
        Ok((line, _)) => line,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
        Err(error) => return Err(error),
    };
    let checked = line.and_then(|line| line::check(&line).ok());
    Ok(checked.map(|checked| checked.hash.to_string()).unwrap_or_default())
}
