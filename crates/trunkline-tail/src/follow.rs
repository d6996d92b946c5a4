//! All files that are followed: which there are, which of them are which, and whose turn it is.
//!
//! A file is known again by its inode and by the marks of what was read of it ([`identity`](crate::identity)), whatever it is called.
//!
//! ```text
//! renamed          the same inode under another name of its family: read to its end
//! deleted          no name any more: read to its end from the open file, for an hour at the most
//! written anew     the marks are not there: read from its beginning, as another file. What was not read of it before
//!                  is looked for in a copy (a Cut): in a file of its family that bears the marks
//! ```
//!
//! Invariants:
//! - a file is read from its beginning, or from where a file that it is the same as, or a copy of, was read to;
//! - at most so many files are open; one that was read to its end makes room, and one that was not is kept open;
//! - it depends on what it is told of the clock, and on no other.

mod look;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::{debug, warn};

use crate::checkpoint::Checkpoint;
use crate::identity::{FileId, Inode, Mark, fingerprint};
use crate::lines::{Cursor, Format};
use crate::metrics::Metrics;
use crate::place::Place;
use crate::tracked::{Batch, Kept, Tracked, Turn, is_continued_by, open};

use look::Seen;
pub(crate) use look::Where;

/// How many files are known at once; further ones wait.
const MAX_KNOWN: usize = 16_384;
/// How many looks around the copy of a file that was written anew is awaited.
const COPY_LOOKS: u32 = 60;
/// How many such copies are awaited at once.
const MAX_CUTS: usize = 256;

/// How files are followed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) places: Where,
    pub(crate) node: String,
    pub(crate) open_files: usize,
    pub(crate) hold_deleted: Duration,
}

/// What was in a file that was written anew, and how far it was read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cut {
    id: FileId,
    fingerprint: Mark,
    cursor: Cursor,
    seam: Option<Mark>,
    family: PathBuf,
    shown: PathBuf,
    place: Option<Place>,
    format: Format,
    #[serde(skip)]
    looks: u32,
}

/// What a file that is not known is.
enum New {
    /// New: to be read from its beginning.
    File,
    /// It cannot be told yet.
    Later,
    /// The copy of a file that was written anew since.
    Copy(usize),
}

/// All files that are followed.
#[derive(Debug)]
pub(crate) struct Follow {
    settings: Settings,
    metrics: Metrics,
    files: BTreeMap<u64, Tracked>,
    cuts: Vec<Cut>,
    next_key: u64,
    /// Who had the last turn.
    last: u64,
    buffer: Vec<u8>,
    /// Whether something is known that must be on the disk before a record of it is handed in.
    pub(crate) must_be_kept: bool,
    is_crowded: bool,
}

impl Follow {
    pub(crate) fn new(settings: Settings, metrics: Metrics, checkpoint: Checkpoint, now: Instant) -> Self {
        let files: BTreeMap<_, _> =
            (0..).zip(checkpoint.files.into_iter().map(|kept| Tracked::new(kept, now))).collect();
        Self {
            next_key: files.len() as u64,
            settings,
            metrics,
            files,
            cuts: checkpoint.cuts,
            last: 0,
            buffer: Vec::new(),
            must_be_kept: false,
            is_crowded: false,
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint::new(self.files.values().map(|file| file.kept.clone()).collect(), self.cuts.clone())
    }

    /// Looks which files there are.
    pub(crate) fn scan(&mut self, now: Instant) {
        let families = self.files.values().map(|file| &file.kept.family);
        let found =
            look::around(&self.settings.places, families.chain(self.cuts.iter().map(|cut| &cut.family)));
        let mut index: HashMap<(u64, u64), u64> =
            self.files.iter().map(|(key, file)| (file.kept.inode.place(), *key)).collect();
        let mut present = Vec::with_capacity(found.len());
        let mut waiting = 0;
        for seen in found {
            let known = index.get(&seen.inode.place()).copied().filter(|key| self.is_it(*key, &seen));
            let key = known.or_else(|| self.on_another_device(&seen));
            if let Some(key) = key {
                self.again(key, &seen, now);
                present.push(key);
            } else if self.files.len() >= MAX_KNOWN {
                waiting += 1;
            } else if let Some(key) = self.meet(&seen, now) {
                index.insert(seen.inode.place(), key);
                present.push(key);
            }
        }
        self.forget(&present, now);
        for cut in &mut self.cuts {
            cut.looks += 1;
        }
        self.cuts.retain(|cut| cut.looks < COPY_LOOKS);
        waiting += self.open_what_is_unread();
        self.crowded(waiting);
        self.metrics.files_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.metrics.files_known.set(i64::try_from(self.files.len()).unwrap_or(i64::MAX));
        let unread = self.files.values().map(Tracked::unread).sum::<u64>();
        self.metrics.unread_bytes.set(i64::try_from(unread).unwrap_or(i64::MAX));
    }

    /// A batch of records, each file in its turn; none when there is nothing to read.
    pub(crate) fn gather(&mut self, now: Instant) -> Option<Batch> {
        let mut batch = Batch::default();
        let keys: Vec<u64> = {
            let behind = self.files.range(self.last.saturating_add(1)..);
            behind.chain(self.files.range(..=self.last)).map(|(key, _)| *key).collect()
        };
        for key in keys {
            if batch.is_full() {
                break;
            }
            let Some(file) = self.files.get_mut(&key) else { continue };
            match file.turn(key, &self.settings.node, now, &mut self.buffer, &mut batch) {
                Ok(Turn::Nothing) => {}
                Ok(Turn::Records { is_new }) => {
                    self.must_be_kept |= is_new;
                    self.last = key;
                }
                Ok(Turn::Anew) => self.anew(key),
                Ok(Turn::Over) => _ = self.files.remove(&key),
                Err(error) => {
                    self.metrics.read_errors.inc();
                    debug!(file = %file.kept.path.display(), %error, "cannot be read");
                }
            }
        }
        (!batch.moves.is_empty()).then_some(batch)
    }

    /// What was gathered is answered.
    pub(crate) fn settle(&mut self, batch: Batch) {
        for done in batch.moves {
            match self.files.get_mut(&done.key).filter(|file| file.kept.id == Some(done.id)) {
                Some(file) => (file.kept.cursor, file.kept.seam) = (done.cursor, Some(done.seam)),
                // Written anew while its records were under way.
                None => {
                    for cut in self.cuts.iter_mut().filter(|cut| cut.id == done.id) {
                        (cut.cursor, cut.seam) = (done.cursor.clone(), Some(done.seam));
                    }
                }
            }
        }
    }

    /// Whether a known file is the one that was seen, and not the one before in the same place of the disk, which is let go.
    fn is_it(&mut self, key: u64, seen: &Seen) -> bool {
        let is_it = self.files.get(&key).is_some_and(|file| file.kept.inode == seen.inode);
        if !is_it && let Some(file) = self.files.remove(&key) {
            lost(&self.metrics, &file);
        }
        is_it
    }

    /// A file that was known before the machine was started again, when its disk had another number.
    fn on_another_device(&mut self, seen: &Seen) -> Option<u64> {
        let candidates = self
            .files
            .iter()
            .filter(|(_, file)| file.kept.inode.number == seen.inode.number && file.open.is_none());
        let mut candidates = candidates.filter(|(_, file)| file.kept.fingerprint.is_some()).peekable();
        candidates.peek()?;
        let file = open(&seen.path).ok()?;
        let key = candidates
            .find(|(_, known)| known.kept.is_same(&file, false).unwrap_or(false))
            .map(|(key, _)| *key)?;
        self.files.get_mut(&key)?.kept.inode = seen.inode;
        Some(key)
    }

    /// A known file is there.
    fn again(&mut self, key: u64, seen: &Seen, now: Instant) {
        let Some(file) = self.files.get_mut(&key) else { return };
        file.gone = None;
        if file.kept.path != seen.path {
            seen.path.clone_into(&mut file.kept.path);
            if file.kept.family != seen.family {
                // Another file in the place of a forgotten one.
                seen.family.clone_into(&mut file.kept.family);
                seen.shown.clone_into(&mut file.kept.shown);
                file.kept.place.clone_from(&seen.place);
                file.kept.format = seen.format;
            }
        }
        file.is_suspect |= file.kept.modified != seen.modified;
        file.kept.modified = seen.modified;
        file.measure(seen.size, now);
        if seen.size < file.kept.cursor.offset {
            self.anew(key);
        }
    }

    /// A file is there that is not known.
    fn meet(&mut self, seen: &Seen, now: Instant) -> Option<u64> {
        let new = if seen.is_current { New::File } else { self.what_is(seen).unwrap_or(New::Later) };
        let mut kept = Kept {
            path: seen.path.clone(),
            shown: seen.shown.clone(),
            family: seen.family.clone(),
            place: seen.place.clone(),
            format: seen.format,
            inode: seen.inode,
            generation: 0,
            id: None,
            fingerprint: None,
            cursor: Cursor::default(),
            seam: None,
            size: seen.size,
            modified: seen.modified,
        };
        match new {
            New::Later => return None,
            New::File => {}
            New::Copy(at) => {
                let cut = self.cuts.swap_remove(at);
                (kept.cursor, kept.seam) = (cut.cursor, cut.seam);
                (kept.id, kept.fingerprint) = (Some(cut.id), Some(cut.fingerprint));
                (kept.shown, kept.place, kept.format) = (cut.shown, cut.place, cut.format);
                self.must_be_kept = true;
            }
        }
        let key = self.next_key;
        self.next_key += 1;
        self.files.insert(key, Tracked::new(kept, now));
        Some(key)
    }

    /// What a file is that lies beside one that is followed.
    fn what_is(&self, seen: &Seen) -> io::Result<New> {
        let file = open(&seen.path)?;
        let Some(mark) = fingerprint(&file, false)? else { return Ok(New::Later) };
        let family = |other: &PathBuf| *other == seen.family;
        let cut = self.cuts.iter().position(|cut| family(&cut.family) && cut.fingerprint == mark);
        if let Some((at, cut)) = cut.and_then(|at| Some((at, self.cuts.get(at)?))) {
            return Ok(if continues(cut, &file)? { New::Copy(at) } else { New::File });
        }
        for known in self.files.values().map(|file| &file.kept) {
            let is_alike = family(&known.family) && known.fingerprint == Some(mark);
            if is_alike && (seen.size < known.cursor.offset || known.is_same(&file, false)?) {
                // A copy, perhaps not done, of a file that has not been written anew yet.
                return Ok(New::Later);
            }
        }
        Ok(New::File)
    }

    /// A file is not what was read of it.
    fn anew(&mut self, key: u64) {
        let Some(file) = self.files.get_mut(&key) else { return };
        self.metrics.truncations.inc();
        let kept = &file.kept;
        if let (Some(id), Some(fingerprint)) = (kept.id, kept.fingerprint) {
            if self.cuts.len() >= MAX_CUTS {
                self.cuts.remove(0);
            }
            self.cuts.push(Cut {
                id,
                fingerprint,
                cursor: kept.cursor.clone(),
                seam: kept.seam,
                family: kept.family.clone(),
                shown: kept.shown.clone(),
                place: kept.place.clone(),
                format: kept.format,
                looks: 0,
            });
        }
        file.begin_anew();
        self.must_be_kept = true;
    }

    /// Lets go of files that have no name: at once if they are not open, and else when they are read to their end.
    fn forget(&mut self, present: &[u64], now: Instant) {
        let present: std::collections::HashSet<_> = present.iter().collect();
        let (hold, metrics) = (self.settings.hold_deleted, &self.metrics);
        self.files.retain(|key, file| {
            if present.contains(key) {
                return true;
            }
            let since = *file.gone.get_or_insert(now);
            if file.open.is_some() && now.saturating_duration_since(since) < hold {
                return true;
            }
            lost(metrics, file);
            false
        });
    }

    /// Opens what there is to read, in so far as there is room; says how many files wait.
    fn open_what_is_unread(&mut self) -> usize {
        let mut opened = self.files.values().filter(|file| file.open.is_some()).count();
        let wanted: Vec<u64> = self
            .files
            .iter()
            .filter(|(_, file)| file.open.is_none() && (file.unread() > 0 || file.is_suspect))
            .map(|(key, _)| *key)
            .collect();
        let mut waiting = 0;
        for key in wanted {
            if opened >= self.settings.open_files && !self.close_idle() {
                waiting += 1;
                continue;
            }
            opened = opened.min(self.settings.open_files - 1);
            let Some(file) = self.files.get_mut(&key) else { continue };
            match open(&file.kept.path) {
                Ok(handle) if is_inode(&handle, &file.kept) => {
                    file.open = Some(handle);
                    opened += 1;
                }
                // Renamed since it was seen: the next look finds it.
                Ok(_) => {}
                Err(error) => {
                    self.metrics.read_errors.inc();
                    debug!(file = %file.kept.path.display(), %error, "cannot be opened");
                }
            }
        }
        waiting
    }

    /// Closes the file that has been read to its end for the longest time.
    fn close_idle(&mut self) -> bool {
        let idle = self.files.values_mut().filter(|file| file.open.is_some() && file.gone.is_none());
        let idle = idle.filter(|file| file.unread() == 0 && !file.is_suspect).min_by_key(|file| file.grown);
        idle.map(|file| file.open = None).is_some()
    }

    fn crowded(&mut self, waiting: usize) {
        if waiting > 0 && !self.is_crowded {
            warn!(
                files = waiting,
                "more files are to be read than may be open; they wait: raise limits.open_files"
            );
        }
        self.is_crowded = waiting > 0;
    }
}

/// Counts what of a file nobody will read.
fn lost(metrics: &Metrics, file: &Tracked) {
    let bytes = file.unread();
    if bytes > 0 {
        metrics.lost_bytes.inc_by(bytes);
        warn!(file = %file.kept.path.display(), bytes, "the file was deleted before it was read to its end");
    }
}

fn continues(cut: &Cut, file: &File) -> io::Result<bool> {
    is_continued_by(Some(cut.fingerprint), &cut.cursor, cut.seam, file, false)
}

fn is_inode(file: &File, kept: &Kept) -> bool {
    file.metadata().is_ok_and(|found| Inode::of(&found) == kept.inode)
}

#[cfg(test)]
mod tests;
