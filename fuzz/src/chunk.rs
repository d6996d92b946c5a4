//! Records or a chunk of a spool, as a first letter says.
//!
//! - `m`: each line is a record; its chunks bring back the same records under the same sequences, and nothing of another
//!   epoch is taken for them;
//! - `s`: bytes whose checksums are made to fit, as whoever holds the other end of a tunnel can; `r`: bytes as they are. What
//!   is taken is within the limits, is as much as its head says, and its records follow one another.

use bytes::Bytes;
use trunkline_spool::{Chunk, Epoch, Limits, NewRecord, bare};

/// Takes a chunk apart.
pub fn chunk(input: &[u8]) {
    let epoch = Epoch::from(*b"an epoch of ours");
    match input.split_first() {
        Some((b'm', lines)) => made(lines, epoch),
        Some((b's', bytes)) => taken(&bare::sealed(bytes.to_vec(), epoch), epoch),
        Some((b'r', bytes)) => taken(bytes, epoch),
        _ => {}
    }
}

fn made(lines: &[u8], epoch: Epoch) {
    let records: Vec<NewRecord> = lines
        .split(|byte| *byte == b'\n')
        .zip(1..)
        .map(|(line, tag)| NewRecord { tag, bytes: Bytes::copy_from_slice(line) })
        .collect();
    let mut came = Vec::new();
    for bytes in bare::chunks(5, 86_400_000, &records, epoch) {
        assert!(Chunk::decode(&bytes, Epoch::from([7; 16]), &Limits::default()).is_err());
        let chunk = Chunk::decode(&bytes, epoch, &Limits::default()).expect("what was made is taken");
        came.extend(chunk.records());
    }
    assert_eq!(came.len(), records.len());
    for ((record, put), sequence) in came.iter().zip(&records).zip(5..) {
        assert_eq!((record.sequence, record.day, record.tag), (sequence, 1, put.tag));
        assert_eq!(record.bytes, put.bytes);
    }
}

fn taken(bytes: &[u8], epoch: Epoch) {
    let limits = Limits { compressed: 64 * 1024, inflated: 256 * 1024, ..Limits::default() };
    let Ok(chunk) = Chunk::decode(bytes, epoch, &limits) else { return };
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let (body, raw, count) = (number(12) as usize, number(16) as usize, number(20));
    assert!(bytes.starts_with(b"TLC1") && bytes.len() == 52 + body && bytes.len() <= limits.compressed);
    assert!(raw <= limits.inflated && (raw <= 64 * 1024 || raw <= 100 * body));
    assert!((1..=limits.records).contains(&count));
    let records: Vec<_> = chunk.records().collect();
    assert_eq!(records.len(), count as usize);
    assert_eq!(records.iter().map(|record| 8 + record.bytes.len()).sum::<usize>(), raw);
    let first = u64::from_le_bytes(bytes[24..32].try_into().expect("eight bytes"));
    for (record, sequence) in records.iter().zip(first..) {
        assert_eq!((record.sequence, record.day), (sequence, chunk.head().day()));
    }
    // Stored as they are, the records can be read off the bytes.
    if number(48) & 2 != 0 {
        let mut stored = Vec::new();
        for record in &records {
            stored.extend_from_slice(&record.tag.to_le_bytes());
            stored.extend_from_slice(&(record.bytes.len() as u32).to_le_bytes());
            stored.extend_from_slice(&record.bytes);
        }
        assert_eq!(stored, &bytes[52..]);
    }
}
