//! The file in which the marks lie: written after each commit of the indexes, before the spool may forget the records.
//!
//! With the marks stands through which record of which spool they were made, so that a record that is read again is known
//! even if the acknowledgement was lost.

use std::path::Path;

use bytes::{Buf as _, Bytes};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use trunkline_logs::Day;
use trunkline_spool::Epoch;

use super::marks::{Mark, Marks, Written};
use super::record::Place;

const MARKS: TableDefinition<'_, &[u8], (u64, u32)> = TableDefinition::new("marks");
const THROUGH: TableDefinition<'_, (), (&[u8], u64)> = TableDefinition::new("through");

/// The file.
#[derive(Debug)]
pub(super) struct Ledger(Database);

/// Why the marks cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the marks of the log store cannot be kept: {0}")]
pub(crate) struct LedgerError(Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for LedgerError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

impl Ledger {
    /// Opens the file, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let database = Database::create(path)?;
        let write = database.begin_write()?;
        write.open_table(MARKS)?;
        write.open_table(THROUGH)?;
        write.commit()?;
        Ok(Self(database))
    }

    /// The marks, and through which record of this spool they were made; 0 if of none.
    pub(super) fn read(&self, spool: Epoch) -> Result<(Marks, u64), LedgerError> {
        let read = self.0.begin_read()?;
        let mut marks = Vec::new();
        for entry in read.open_table(MARKS)?.iter()? {
            let (key, value) = entry?;
            let (sequence, seen) = value.value();
            let mut key = Bytes::copy_from_slice(key.value());
            if let Some(place) = Place::take(&mut key).filter(|_| !key.has_remaining()) {
                marks.push((place, Mark { sequence, seen: Day(seen) }));
            }
        }
        let through = read.open_table(THROUGH)?.get(())?.map(|entry| {
            let (of, through) = entry.value();
            if of == spool.as_bytes() { through } else { 0 }
        });
        Ok((Marks::read(marks), through.unwrap_or(0)))
    }

    /// Writes what changed.
    pub(super) fn write(&self, marks: &mut Written, spool: Epoch, through: u64) -> Result<(), LedgerError> {
        let write = self.0.begin_write()?;
        {
            let mut table = write.open_table(MARKS)?;
            for (place, mark) in marks.take_changed() {
                let mut key = Vec::with_capacity(96);
                place.put(&mut key);
                match mark {
                    Some(Mark { sequence, seen }) => table.insert(key.as_slice(), (sequence, seen.0))?,
                    None => table.remove(key.as_slice())?,
                };
            }
            write.open_table(THROUGH)?.insert((), (spool.as_bytes().as_slice(), through))?;
        }
        write.commit()?;
        Ok(())
    }
}
