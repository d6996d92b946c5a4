//! What goes: days that are over their time, and the oldest parts when all together are too large.

use std::fs;
use std::io;

use tracing::info;
use trunkline_logs::Day;

use super::part::PartName;
use super::parts::Parts;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many days besides the one that is.
    pub(super) days: u32,
    /// How many bytes.
    pub(super) bytes: u64,
}

impl Limits {
    /// Whether a day is over its time.
    pub(super) fn is_over(&self, day: Day, today: Day) -> bool {
        day.0.saturating_add(self.days) < today.0
    }

    /// After how many bytes a day goes on in another part: so few that the oldest one is a small piece of all.
    pub(super) fn part(&self) -> u64 {
        self.bytes / 8
    }

    /// The parts that have to go. The newest one never does.
    pub(super) fn condemned(&self, parts: &Parts, today: Day) -> Vec<PartName> {
        let all = parts.all();
        let mut bytes: u64 = all.iter().map(|part| part.bytes()).sum();
        let mut condemned = parts.damaged();
        condemned.retain(|name| self.is_over(name.day, today));
        for (at, part) in all.iter().enumerate() {
            let newest = at + 1 == all.len();
            if self.is_over(part.name.day, today) || (bytes > self.bytes && !newest) {
                bytes -= part.bytes();
                condemned.push(part.name);
            }
        }
        condemned
    }

    /// Removes the days of other formats that are over their time.
    pub(super) fn remove_foreign(&self, parts: &Parts, today: Day) -> io::Result<()> {
        for (folder, day) in parts.foreign()? {
            if self.is_over(day, today) {
                fs::remove_dir_all(&folder)?;
                info!(folder = %folder.display(), "an old day of another format was removed");
            }
        }
        Ok(())
    }
}
