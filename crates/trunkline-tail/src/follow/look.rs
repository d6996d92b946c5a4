//! Looking around: the files that patterns name, and those beside them that rotation left.
//!
//! What is compressed is passed over: it was read before, or is lost. A path that leads out of the named folders is passed over as well, since
//! whoever may write a link into them would choose what is read.

use std::collections::{BTreeSet, HashSet};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use glob::Pattern;

use crate::identity::Inode;
use crate::lines::Format;
use crate::place::Place;

/// The most files that are looked at.
const MAX_FOUND: usize = 32_768;
/// How the names end of what is compressed, or on its way to be.
const COMPRESSED: [&str; 8] = ["gz", "zst", "bz2", "xz", "lz4", "zip", "tmp", "swp"];

/// Where files are.
#[derive(Clone, Debug)]
pub(crate) struct Where {
    pub(crate) patterns: Vec<(String, Format)>,
    pub(crate) exclude: Vec<Pattern>,
    /// Folders, with no link on the way.
    pub(crate) within: Vec<PathBuf>,
}

/// A file that is there.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    pub(super) shown: PathBuf,
    pub(super) family: PathBuf,
    pub(super) place: Option<Place>,
    pub(super) format: Format,
    pub(super) inode: Inode,
    pub(super) size: u64,
    pub(super) modified: i128,
    /// Whether a pattern names it, and it is not what rotation left of another one.
    pub(super) is_current: bool,
}

/// All files that there are: those that patterns name, then those that rotation left of these and of the `families`.
pub(super) fn around<'a>(places: &Where, families: impl Iterator<Item = &'a PathBuf>) -> Vec<Seen> {
    let mut named = Vec::new();
    let mut paths = HashSet::new();
    for (pattern, format) in &places.patterns {
        let found = glob::glob(pattern).into_iter().flatten().flatten();
        for shown in found.filter(|shown| !is_compressed(shown)) {
            let Ok(path) = shown.canonicalize() else { continue };
            let is_wanted = places.within.iter().any(|folder| path.starts_with(folder))
                && !places.exclude.iter().any(|pattern| pattern.matches_path(&shown));
            if is_wanted && named.len() < MAX_FOUND && paths.insert(path.clone()) {
                named.push((path, shown, *format));
            }
        }
    }
    let mut roots: HashSet<PathBuf> = families.cloned().collect();
    roots.extend(paths.iter().cloned());
    let mut inodes = HashSet::new();
    let mut all = Vec::new();
    for (path, shown, format) in &named {
        let family = family(path, &paths);
        let is_current = family.is_none();
        let place = Place::found(shown);
        let seen = seen(
            path.clone(),
            shown.clone(),
            family.unwrap_or_else(|| path.clone()),
            place,
            *format,
            is_current,
        );
        all.extend(seen);
    }
    all.sort_by_key(|seen| !seen.is_current);
    all.retain(|seen| inodes.insert((seen.inode.device, seen.inode.number)));
    let folders: BTreeSet<&Path> = roots.iter().filter_map(|path| path.parent()).collect();
    for folder in folders {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if paths.contains(&path) || is_compressed(&path) || all.len() >= MAX_FOUND {
                continue;
            }
            let Some(family) =
                (if roots.contains(&path) { Some(path.clone()) } else { family(&path, &roots) })
            else {
                continue;
            };
            let format = named.iter().find(|(path, ..)| *path == family).map(|(_, _, format)| *format);
            let place = Place::of(&path);
            let format = format.unwrap_or(if place.is_some() { Format::Container } else { Format::Plain });
            let left = seen(path.clone(), path, family, place, format, false);
            all.extend(left.filter(|seen| inodes.insert((seen.inode.device, seen.inode.number))));
        }
    }
    all
}

fn seen(
    path: PathBuf,
    shown: PathBuf,
    family: PathBuf,
    place: Option<Place>,
    format: Format,
    is_current: bool,
) -> Option<Seen> {
    let found: Metadata = std::fs::symlink_metadata(&path).ok().filter(Metadata::is_file)?;
    Some(Seen {
        path,
        shown,
        family,
        place,
        format,
        inode: Inode::of(&found),
        size: found.len(),
        modified: i128::from(found.mtime()) * 1_000_000_000 + i128::from(found.mtime_nsec()),
        is_current,
    })
}

/// Which of `paths` it is that rotation left this one of: its name goes on behind a dot or a dash.
fn family(path: &Path, paths: &HashSet<PathBuf>) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let ends = name.match_indices(['.', '-']).map(|(at, _)| at);
    ends.filter_map(|at| Some(path.with_file_name(name.get(..at)?))).find(|shorter| paths.contains(shorter))
}

fn is_compressed(path: &Path) -> bool {
    path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| COMPRESSED.contains(&ending))
}
