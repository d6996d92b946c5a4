//! Insides for fuzzing, over plain values.

use crate::lines::{BUFFER, Cursor, Format, walk};

/// A record: where it begins, its stream, its time, its text, whether it is cut.
pub type Found = (u64, Option<&'static str>, Option<String>, Vec<u8>, bool);

/// The records of a file. It is read again from where it was read to after every `stop` records, with `more` bytes more each
/// time that nothing is left.
pub fn records(file: &[u8], is_container: bool, stop: usize, more: usize) -> Vec<Found> {
    let format = if is_container { Format::Container } else { Format::Plain };
    let (mut cursor, mut all) = (Cursor::default(), Vec::new());
    let mut there = more.clamp(1, file.len().max(1)).min(file.len());
    loop {
        let before = cursor.clone();
        let from = usize::try_from(cursor.offset).unwrap_or(usize::MAX);
        let rest = file.get(from..there).unwrap_or_default();
        let rest = rest.get(..BUFFER).unwrap_or(rest);
        let is_end = there == file.len() && from + rest.len() == there;
        let mut left = stop.max(1);
        walk(&mut cursor, rest, format, is_end, &mut |found| {
            if left == 0 {
                return false;
            }
            left -= 1;
            let stream = found.stream.map(|stream| stream.name());
            all.push((
                found.start,
                stream,
                found.time.map(str::to_owned),
                found.text.to_owned(),
                found.is_cut,
            ));
            true
        });
        if cursor == before {
            if there == file.len() {
                return all;
            }
            there = there.saturating_add(more.max(1)).min(file.len());
        }
    }
}
