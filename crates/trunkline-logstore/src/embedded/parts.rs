//! All parts of the store: which there are, which are searched, and which go.
//!
//! ```text
//! <folder>/index-<format>/<day>[.<number>]/    an index of tantivy's
//! ```
//!
//! The folders of another format are left as they are, and told; only their age ends them. So are parts that are damaged: what
//! comes for their day goes into another part.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::{info, warn};
use trunkline_logs::Day;

use super::part::{Part, PartName};
use super::schema::format;

/// What a folder is called that is on its way out.
const GOING: &str = "going-";

/// All parts.
#[derive(Debug)]
pub(super) struct Parts {
    folder: PathBuf,
    all: RwLock<BTreeMap<PartName, Arc<Part>>>,
    /// Those that cannot be opened.
    damaged: RwLock<BTreeSet<PartName>>,
    /// How many documents went because there was no room, since the store was opened.
    crowded_out: AtomicU64,
}

impl Parts {
    /// Opens all parts in a folder. One that cannot be opened is told and left: what is in it is not found.
    pub(super) fn open(store: &Path) -> io::Result<Self> {
        let folder = store.join(format());
        fs::create_dir_all(&folder)?;
        let (mut all, mut damaged) = (BTreeMap::new(), BTreeSet::new());
        for name in names(&folder)? {
            if name.starts_with(GOING) {
                fs::remove_dir_all(folder.join(name))?;
            } else if let Some(name) = PartName::named(&name) {
                match Part::open(&folder, name) {
                    Ok(part) => drop(all.insert(name, Arc::new(part))),
                    Err(error) => {
                        warn!(part = %name, %error, "a part of the log store is damaged; what is in it is not found");
                        damaged.insert(name);
                    }
                }
            }
        }
        Ok(Self {
            folder,
            all: RwLock::new(all),
            damaged: RwLock::new(damaged),
            crowded_out: AtomicU64::new(0),
        })
    }

    /// All parts, the oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Part>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The days of which there is a part.
    pub(super) fn days(&self) -> BTreeSet<Day> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).keys().map(|name| name.day).collect()
    }

    /// The parts of a day, the oldest first.
    pub(super) fn of(&self, day: Day) -> Vec<Arc<Part>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let names = PartName { day, number: 0 }..=PartName { day, number: u32::MAX };
        all.range(names).map(|(_, part)| part.clone()).collect()
    }

    /// Those that cannot be opened, the oldest first.
    pub(super) fn damaged(&self) -> Vec<PartName> {
        self.damaged.read().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }

    /// Begins another part of a day.
    pub(super) fn begin(&self, day: Day) -> tantivy::Result<Arc<Part>> {
        let there = self.of(day).into_iter().map(|part| part.name);
        let damaged = self.damaged().into_iter().filter(|name| name.day == day);
        let number = there.chain(damaged).map(|name| name.number + 1).max().unwrap_or(0);
        let name = PartName { day, number };
        let part = Arc::new(Part::open(&self.folder, name)?);
        self.all.write().unwrap_or_else(PoisonError::into_inner).insert(name, part.clone());
        Ok(part)
    }

    /// Ends a part because there is no room: its documents were answered as stored, and are not over their time.
    pub(super) fn crowd_out(&self, part: &Part) -> io::Result<()> {
        let documents = part.documents();
        self.end(part.name)?;
        self.crowded_out.fetch_add(documents, Ordering::Relaxed);
        warn!(part = %part.name, documents, "the log store is full: its oldest documents were removed before their time");
        Ok(())
    }

    /// How many documents went because there was no room, since the store was opened.
    pub(super) fn crowded_out(&self) -> u64 {
        self.crowded_out.load(Ordering::Relaxed)
    }

    /// Ends a part: whoever searches it goes on, nobody else finds it.
    pub(super) fn end(&self, name: PartName) -> io::Result<()> {
        let from = self.folder.join(name.to_string());
        let to = self.folder.join(format!("{GOING}{name}"));
        if from.exists() {
            fs::rename(&from, &to)?;
        }
        self.all.write().unwrap_or_else(PoisonError::into_inner).remove(&name);
        self.damaged.write().unwrap_or_else(PoisonError::into_inner).remove(&name);
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        info!(part = %name, "a part of the log store was removed");
        Ok(())
    }

    /// The folders of other formats, each with a day in it.
    pub(super) fn foreign(&self) -> io::Result<Vec<(PathBuf, Day)>> {
        let store = self.folder.parent().unwrap_or(&self.folder);
        let mut found = Vec::new();
        for format in names(store)?.into_iter().filter(|name| name.starts_with("index-")) {
            let format = store.join(format);
            if format != self.folder {
                let days = names(&format)?.into_iter();
                found.extend(days.filter_map(|name| Some((format.join(&name), PartName::named(&name)?.day))));
            }
        }
        Ok(found)
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    Ok(names)
}
