//! The file `epoch`: which folder it is, and in which format.
//!
//! It is the same line twice, `trunkline spool <format> <epoch> <crc32>`, with an empty one between, so that a damaged byte
//! costs nothing. It is written
//! before the first record ever is; where there are records, it is never written again.

use std::io;

use crate::epoch::Epoch;
use crate::error::OpenError;
use crate::folder::Folder;
use crate::segments::Segment;

/// The format of this version.
const FORMAT: u32 = 2;
const NAME: &str = "epoch";
const WORDS: &str = "trunkline spool ";
/// How long the file may be.
const MAX: u64 = 4096;

/// Which folder it is; drawn where there is no spool yet.
pub(crate) fn epoch(folder: &Folder) -> Result<Epoch, OpenError> {
    let io = |source| OpenError::Io { path: folder.path().join(NAME), source };
    let names = folder.names().map_err(io)?;
    let there = names.iter().any(|name| name == NAME);
    if there {
        let file = folder.open(NAME).map_err(io)?;
        let mut bytes = vec![0; file.length().map_err(io)?.min(MAX) as usize];
        file.read_at(0, &mut bytes).map_err(io)?;
        let text = String::from_utf8_lossy(&bytes);
        if let Some(epoch) = text.lines().find_map(parse) {
            return Ok(epoch);
        }
        // Another version's, if both lines say so: one that does not was damaged.
        let mut found = text
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| line.strip_prefix(WORDS)?.split(' ').next());
        if let (Some(Some(one)), Some(Some(two))) = (found.next(), found.next())
            && one == two
            && one.parse().is_ok_and(|format: u32| format != FORMAT)
        {
            return Err(OpenError::Version {
                folder: folder.path().to_owned(),
                found: one.to_owned(),
                known: FORMAT,
            });
        }
    }
    if names.iter().any(|name| Segment::named(name).is_some()) {
        return Err(OpenError::Damaged { folder: folder.path().to_owned() });
    }
    if there {
        // The power was cut while it was made.
        folder.remove(NAME).map_err(io)?;
    }
    write(folder, Epoch::random()).map_err(io)
}

fn write(folder: &Folder, epoch: Epoch) -> io::Result<Epoch> {
    let line = line(epoch);
    let file = folder.create(NAME)?;
    file.write_at(0, format!("{line}\n\n{line}\n").as_bytes())?;
    file.sync()?;
    folder.sync()?;
    Ok(epoch)
}

fn line(epoch: Epoch) -> String {
    let words = format!("{WORDS}{FORMAT} {epoch}");
    format!("{words} {:08x}", crc32fast::hash(words.as_bytes()))
}

fn parse(text: &str) -> Option<Epoch> {
    let epoch = text.strip_prefix(WORDS)?.split(' ').nth(1)?.parse().ok()?;
    (line(epoch) == text).then_some(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::model::Disk;

    fn some_segment() -> String {
        Segment::new(1, Epoch::from([1; 16])).name()
    }

    fn disk() -> (Disk, Epoch) {
        let disk = Disk::default();
        let epoch = epoch(&Folder::Model(disk.clone())).unwrap();
        (disk, epoch)
    }

    #[test]
    fn an_epoch_stays_and_one_damaged_byte_does_not_change_it() {
        let (disk, made) = disk();
        assert_eq!(epoch(&Folder::Model(disk.clone())).unwrap(), made);
        let length = disk.open(NAME).unwrap().length() as usize;
        for at in 0..length {
            for bit in 0..8 {
                let copy = disk.copy();
                copy.damage(NAME, |bytes| bytes[at] ^= 1 << bit);
                copy.create(&some_segment()).unwrap();
                let read = epoch(&Folder::Model(copy)).unwrap();
                assert_eq!(read, made, "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn what_another_version_wrote_or_nobody_can_read_is_left_as_it_is() {
        let (disk, made) = disk();
        disk.create(&some_segment()).unwrap();
        disk.damage(NAME, |bytes| {
            *bytes = format!("{WORDS}3 something else\n{WORDS}3 something else\n").into_bytes();
        });
        let refused = epoch(&Folder::Model(disk.clone())).unwrap_err();
        assert!(matches!(&refused, OpenError::Version { found, known: 2, .. } if found == "3"), "{refused}");
        assert!(refused.to_string().contains("model is a spool of format 3"), "{refused}");
        disk.damage(NAME, |bytes| bytes.truncate(20));
        assert!(matches!(epoch(&Folder::Model(disk.clone())), Err(OpenError::Damaged { .. })));
        assert_eq!(disk.open(NAME).unwrap().length(), 20);
        // Without records nothing is lost with it.
        disk.remove(&some_segment()).unwrap();
        assert_ne!(epoch(&Folder::Model(disk)).unwrap(), made);
    }
}
