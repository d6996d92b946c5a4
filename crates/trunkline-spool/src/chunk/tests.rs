use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;
use crate::record::NewRecord;

fn encode(epoch: Epoch, records: &[NewRecord]) -> Commit {
    let records: Vec<&NewRecord> = records.iter().collect();
    Encoder::new(epoch).unwrap().commit(7, 20_000 * 86_400_000 + 5, &records).unwrap()
}

/// The commit's records as the other end gets them.
fn decode(epoch: Epoch, commit: &Commit) -> Vec<Record> {
    let mut left = &commit.bytes[..];
    let mut records = Vec::new();
    for head in &commit.heads {
        let (chunk, rest) = left.split_at(head.length());
        left = rest;
        let chunk = Chunk::decode(chunk, epoch, &Limits::default()).unwrap();
        assert_eq!(chunk.head(), head);
        records.extend(chunk.records());
    }
    assert!(left.is_empty());
    records
}

fn record(tag: u32, bytes: impl Into<Bytes>) -> NewRecord {
    NewRecord { tag, bytes: bytes.into() }
}

/// A chunk with any body under a head that fits it.
fn forged(epoch: Epoch, count: u32, raw: usize, body: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    ChunkHead::new((1, count), 1, 0, body, raw, epoch).write(epoch, &mut chunk);
    chunk.extend_from_slice(body);
    chunk
}

fn refused(epoch: Epoch, chunk: &[u8]) -> BadChunk {
    Chunk::decode(chunk, epoch, &Limits::default()).unwrap_err()
}

#[test]
fn whatever_is_put_into_chunks_comes_out_of_them_under_the_default_limits() {
    let epoch = Epoch::random();
    let mut luck = StdRng::seed_from_u64(1);
    let mut noise = |length: usize| -> Vec<u8> { (0..length).map(|_| luck.random()).collect() };
    let kinds: Vec<Vec<NewRecord>> = vec![
        vec![record(0, "")],
        vec![record(u32::MAX, "one"), record(1, ""), record(2, "three")],
        (0..1_000).map(|n| record(n, format!("line {n} of a log that says the same again"))).collect(),
        // More than a chunk may have of records, of bytes; what cannot be compressed, what compresses too well.
        (0..70_000).map(|n| record(n, "")).collect(),
        (0..5).map(|n| record(n, noise(700_000))).collect(),
        vec![record(1, noise(MAX_RECORD)), record(2, noise(MAX_RECORD))],
        vec![record(1, vec![b'x'; MAX_RECORD])],
        (0..20_000).map(|n| record(n, "connection refused, and this line is all there is")).collect(),
    ];
    for records in kinds {
        let commit = encode(epoch, &records);
        let out = decode(epoch, &commit);
        assert_eq!(out.len(), records.len());
        for (place, (out, put)) in out.iter().zip(&records).enumerate() {
            assert_eq!((out.sequence, out.day), (7 + place as u64, 20_000));
            assert_eq!((out.tag, &out.bytes), (put.tag, &put.bytes));
        }
        let (last, others) = commit.heads.split_last().unwrap();
        assert!(last.ends_commit() && others.iter().all(|head| !head.ends_commit() && head.commit == 7));
    }
}

#[test]
fn lines_that_repeat_stay_small_though_no_chunk_of_them_may_inflate_much() {
    let records: Vec<_> =
        (0..20_000).map(|n| record(n / 20_000, "the same line, over and over again")).collect();
    let raw: usize = records.iter().map(NewRecord::size).sum();
    let commit = encode(Epoch::random(), &records);
    assert!(commit.bytes.len() * 50 < raw, "{} of {raw} in {}", commit.bytes.len(), commit.heads.len());
}

#[test]
fn a_chunk_of_another_epoch_is_none() {
    let epoch = Epoch::random();
    let commit = encode(epoch, &[record(1, "x")]);
    assert_eq!(refused(Epoch::random(), &commit.bytes), BadChunk::Checksum("head"));
}

#[test]
fn every_truncation_and_every_flipped_bit_is_an_error() {
    let epoch = Epoch::random();
    let chunk = encode(epoch, &[record(1, "one"), record(2, "two, which is a little longer")]).bytes;
    for length in 0..chunk.len() {
        refused(epoch, &chunk[..length]);
    }
    refused(epoch, &[&chunk[..], b"x"].concat());
    for at in 0..chunk.len() {
        for bit in 0..8 {
            let mut flipped = chunk.clone();
            flipped[at] ^= 1 << bit;
            refused(epoch, &flipped);
        }
    }
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let epoch = Epoch::random();
    let zeros = |length: usize| zstd::bulk::compress(&vec![0; length], 19).unwrap();
    let streamed = |length: usize| {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 19).unwrap();
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), length as u64), &mut encoder).unwrap();
        encoder.finish().unwrap()
    };
    let declared = zeros(1 << 30);
    assert_eq!(zstd::zstd_safe::get_frame_content_size(&declared).unwrap(), Some(1 << 30));
    let undeclared = streamed(1 << 28);
    assert_eq!(zstd::zstd_safe::get_frame_content_size(&undeclared).unwrap(), None);
    let before = rss();
    // The head tells the truth; it is small enough for the limits, and the frame is not; the frame does not say so.
    assert!(matches!(
        refused(epoch, &forged(epoch, 1, 1 << 30, &declared)),
        BadChunk::Limit { most: 16_777_216, .. }
    ));
    assert!(matches!(refused(epoch, &forged(epoch, 1, 16 << 20, &zeros(16 << 20))), BadChunk::Limit { .. }));
    let lies = refused(epoch, &forged(epoch, 1, SMALL, &declared));
    assert_eq!(lies, BadChunk::Content("its frame declares another length"));
    let lies = refused(epoch, &forged(epoch, 1, SMALL, &undeclared));
    assert_eq!(lies, BadChunk::Content("it inflates to more than it says"));
    // A window that would take more than 8 MiB.
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.include_contentsize(false).unwrap();
    std::io::Write::write_all(&mut encoder, &vec![1; 60_000]).unwrap();
    let wide = encoder.finish().unwrap();
    assert_eq!(refused(epoch, &forged(epoch, 1, 60_000, &wide)), BadChunk::Content("it cannot be inflated"));
    // Many records in few bytes, and fewer bytes than records.
    assert!(matches!(refused(epoch, &forged(epoch, u32::MAX - 1, SMALL, b"x")), BadChunk::Limit { .. }));
    let short = refused(epoch, &forged(epoch, 100, 799, b"x"));
    assert_eq!(short, BadChunk::Content("it is too short for its records"));
    let grown = rss().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
}

#[test]
fn what_a_head_says_and_its_body_does_not_hold_is_an_error() {
    let epoch = Epoch::random();
    let body = |raw: &[u8]| zstd::bulk::compress(raw, 1).unwrap();
    let raw = [1, 0, 0, 0, 2, 0, 0, 0, b'a', b'b'];
    let good = body(&raw);
    assert!(Chunk::decode(&forged(epoch, 1, raw.len(), &good), epoch, &Limits::default()).is_ok());
    for (count, raw, body) in [
        (2, 16, body(&[0; 15])),
        (1, 9, body(&raw[..9])),
        (1, 11, body(&[&raw[..], b"x"].concat())),
        (1, 10, [&good[..], &good[..]].concat()),
        (1, 10, good[..good.len() - 1].to_vec()),
        (1, 8, body(&[0, 0, 0, 0, 255, 255, 255, 255])),
        (1, 10, b"no frame at all".to_vec()),
    ] {
        let refused = refused(epoch, &forged(epoch, count, raw, &body));
        assert!(matches!(refused, BadChunk::Content(_)), "{refused:?}");
    }
}

#[test]
fn ten_thousand_mutations_are_errors_or_whole_and_take_no_memory() {
    let epoch = Epoch::random();
    let mut luck = StdRng::seed_from_u64(2);
    let records: Vec<_> = (0..50).map(|n| record(n, format!("record {n} with some words in it"))).collect();
    let chunk = encode(epoch, &records).bytes;
    let before = rss();
    let mut whole = 0;
    for _ in 0..10_000 {
        let mut mutant = chunk.clone();
        for _ in 0..luck.random_range(1..6) {
            let at = luck.random_range(0..mutant.len());
            match luck.random_range(0..4) {
                0 => mutant[at] = luck.random(),
                1 => mutant.truncate(at.max(1)),
                2 => mutant.insert(at, luck.random()),
                _ => mutant.rotate_left(at),
            }
        }
        // Every second one comes with checksums that fit, as from somebody who means it.
        if luck.random() && mutant.len() > HEAD {
            let field = |range: std::ops::Range<usize>| u32::from_le_bytes(mutant[range].try_into().unwrap());
            let (raw, count) = (field(16..20) as usize, field(20..24));
            mutant = forged(epoch, count.max(1), raw, &mutant[HEAD..]);
        }
        if let Ok(chunk) = Chunk::decode(&mutant, epoch, &Limits::default()) {
            whole += 1;
            assert_eq!(chunk.records().count(), chunk.head().count as usize);
        }
    }
    assert!(whole < 5_000, "{whole}");
    let grown = rss().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
}

/// The process's resident memory, in bytes.
fn rss() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
