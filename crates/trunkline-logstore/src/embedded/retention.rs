//! What goes: days that are over their time, and the oldest parts when all together are too large.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use trunkline_logs::Day;

use super::part::{Part, PartName};
use super::parts::Parts;
use crate::days::Retention;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many days besides the one that is.
    pub(super) days: u32,
    /// How many bytes.
    pub(super) bytes: u64,
}

/// What is over its time.
#[derive(Debug, Default)]
pub(super) struct Over {
    pub(super) parts: Vec<PartName>,
    /// Folders of other formats.
    pub(super) foreign: Vec<PathBuf>,
}

impl Limits {
    pub(super) fn retention(&self) -> Retention {
        Retention(self.days)
    }

    /// After how many bytes a day goes on in another part: so few that the oldest one is a small piece of all.
    pub(super) fn part(&self) -> u64 {
        self.bytes / 8
    }

    /// The oldest parts that have to go for there to be room. The newest one never does.
    pub(super) fn crowded(&self, parts: &Parts) -> Vec<Arc<Part>> {
        let mut all = parts.all();
        let mut bytes: u64 = all.iter().map(|part| part.bytes()).sum();
        all.pop();
        let goes = all.iter().take_while(|part| {
            let is_too_much = bytes > self.bytes;
            bytes -= part.bytes();
            is_too_much
        });
        goes.cloned().collect()
    }

    /// What is over its time and goes at this look, whatever its format and however damaged it is.
    pub(super) fn over(&self, parts: &Parts, today: Day) -> io::Result<Over> {
        let (foreign, mut there) = (parts.foreign()?, parts.days());
        let damaged = parts.damaged();
        there.extend(damaged.iter().map(|name| name.day));
        there.extend(foreign.iter().map(|(_, day)| *day));
        let over: BTreeSet<Day> = self.retention().over(&there, today).into_iter().collect();
        let names = parts.all().into_iter().map(|part| part.name).chain(damaged);
        Ok(Over {
            parts: names.filter(|name| over.contains(&name.day)).collect(),
            foreign: foreign
                .into_iter()
                .filter_map(|(folder, day)| over.contains(&day).then_some(folder))
                .collect(),
        })
    }
}
