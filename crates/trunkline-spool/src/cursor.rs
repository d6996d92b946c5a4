//! Through where records may go, durably.
//!
//! Two slots of a file that has its full length from the beginning, written in turn and in place: a full disk takes
//! acknowledgements as before, and so gets room again. A slot that is torn leaves the other, and to lose a cursor only
//! repeats work. Beside it stands the newest sequence that was synced by then: what is missing below it was damaged, not
//! torn off.

use std::io;

use bytes::{Buf as _, BufMut as _};

use crate::epoch::Epoch;
use crate::folder::{Folder, Handle};

const NAME: &str = "cursor";
const MAGIC: [u8; 4] = *b"TLP1";
/// magic 4 | crc32 4 | turn 8 | acked 8 | last 8
const SLOT: usize = 32;
/// Slots lie in pages of their own.
const PAGE: u64 = 4096;

/// What a cursor says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// All through this one may go.
    pub(crate) acked: u64,
    /// All through this one were synced.
    pub(crate) last: u64,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Cursor {
    file: Handle,
    epoch: Epoch,
    turn: u64,
}

impl Cursor {
    /// Opens it, and reads where it stands; none where there is nothing that can be read.
    pub(crate) fn open(folder: &Folder, epoch: Epoch) -> io::Result<(Self, Option<Place>)> {
        let file = if folder.names()?.iter().any(|name| name == NAME) {
            folder.open(NAME)?
        } else {
            let file = folder.create(NAME)?;
            folder.sync()?;
            file
        };
        if file.length()? < 2 * PAGE {
            file.write_at(0, &[0; 2 * PAGE as usize])?;
            file.sync()?;
        }
        let mut newest: Option<(u64, Place)> = None;
        for slot in 0..2 {
            let mut bytes = [0; SLOT];
            file.read_at(slot * PAGE, &mut bytes)?;
            newest = newest.into_iter().chain(decode(&bytes, epoch)).max_by_key(|(turn, _)| *turn);
        }
        let turn = newest.map_or(0, |(turn, _)| turn);
        Ok((Self { file, epoch, turn }, newest.map(|(_, place)| place)))
    }

    /// Makes it durable. After a failure the one before stands.
    pub(crate) fn write(&mut self, place: Place) -> io::Result<()> {
        let turn = self.turn + 1;
        self.file.write_at(turn % 2 * PAGE, &encode(turn, place, self.epoch))?;
        self.file.sync()?;
        self.turn = turn;
        Ok(())
    }
}

fn encode(turn: u64, place: Place, epoch: Epoch) -> Vec<u8> {
    let mut numbers = Vec::new();
    for number in [turn, place.acked, place.last] {
        numbers.put_u64_le(number);
    }
    let mut slot = MAGIC.to_vec();
    slot.put_u32_le(epoch.crc(&numbers));
    slot.extend_from_slice(&numbers);
    slot
}

fn decode(slot: &[u8; SLOT], epoch: Epoch) -> Option<(u64, Place)> {
    let checked = epoch.crc(slot.get(MAGIC.len() + 4..)?);
    let mut rest = slot.strip_prefix(&MAGIC)?;
    if rest.get_u32_le() != checked {
        return None;
    }
    Some((rest.get_u64_le(), Place { acked: rest.get_u64_le(), last: rest.get_u64_le() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::model::Disk;

    #[test]
    fn a_damaged_slot_leaves_the_one_before_and_a_full_disk_takes_both() {
        let (disk, epoch) = (Disk::default(), Epoch::random());
        let folder = Folder::Model(disk.clone());
        let place = |acked| Place { acked, last: 9 };
        let (mut cursor, read) = Cursor::open(&folder, epoch).unwrap();
        assert_eq!(read, None);
        disk.set_room(Some(0));
        for acked in 1..=3 {
            cursor.write(place(acked)).unwrap();
            assert_eq!(Cursor::open(&folder, epoch).unwrap().1, Some(place(acked)));
        }
        for at in 0..SLOT {
            let copy = disk.copy();
            copy.damage(NAME, |bytes| bytes[PAGE as usize + at] ^= 16);
            assert_eq!(Cursor::open(&Folder::Model(copy), epoch).unwrap().1, Some(place(2)), "byte {at}");
        }
        assert_eq!(Cursor::open(&folder, Epoch::random()).unwrap().1, None, "another spool's");
    }
}
