//! Truncation and flipped bits at every place of a small spool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::{Disk, clock, commit, open, read, record, runs, sequences, small, walk};
use crate::folder::model::File;
use crate::record::NewRecord;
use crate::segments::Segment;
use crate::settings::Settings;
use crate::status::Gap;

/// Three segments of several chunks, closed in good order; the sequences of each chunk, with where it lies.
struct Small {
    disk: Disk,
    settings: Settings,
    chunks: Vec<Lies>,
    last: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lies {
    segment: u64,
    begin: usize,
    end: usize,
    from: u64,
    to: u64,
}

fn spool() -> Small {
    let disk = Disk::default();
    let settings = Settings { segment_bytes: 300, ..small() };
    let mut store = open(&disk, &settings);
    let mut chunks = Vec::new();
    let mut last = 0;
    for n in 0..9 {
        let records: Vec<_> = (0..1 + n % 3).map(|m| record(n * 10 + m, 20)).collect();
        let first = commit(&mut store, &records).unwrap();
        last = first + records.len() as u64 - 1;
        let segment = *store.shared().view().segments.back().unwrap();
        let end = segment.length as usize;
        let begin = chunks
            .last()
            .map_or(0, |before: &Lies| if before.segment == segment.first { before.end } else { 0 });
        chunks.push(Lies { segment: segment.first, begin, end, from: first, to: last });
    }
    store.settle();
    let all: Vec<u64> = store.shared().view().segments.iter().map(|segment| segment.first).collect();
    assert_eq!(all.len(), 3, "{all:?}");
    Small { disk, settings, chunks, last }
}

/// The file of the segment that was begun with a sequence.
fn name(disk: &Disk, first: u64) -> String {
    let begun_with = |file: &String| Segment::named(file).is_some_and(|segment| segment.first == first);
    disk.names().unwrap().into_iter().find(begun_with).unwrap()
}

impl Small {
    /// What is there after a damage that hit these chunks: all others, and the gaps are counted; and more can be written.
    fn lost_only(&self, disk: Disk, hit: impl Fn(&Lies) -> bool, what: &str) {
        let mut store = open(&disk, &self.settings);
        let (records, told) = read(&mut walk(&store));
        let missing: Vec<_> = self.chunks.iter().filter(|chunk| hit(chunk)).map(|c| c.from..=c.to).collect();
        let there: Vec<_> = self.chunks.iter().filter(|chunk| !hit(chunk)).map(|c| c.from..=c.to).collect();
        assert_eq!(sequences(&records), runs(&there), "{what}");
        let status = store.shared().status();
        assert_eq!(status.lost, runs(&missing).len() as u64, "{what}");
        assert_eq!(status.records, runs(&there).len() as u64, "{what}");
        assert_eq!(status.last, self.last, "{what}: no sequence is given out again");
        let inner: u64 = told.iter().map(|gap| gap.to - gap.from + 1).sum();
        let tail = self.last - records.last().map_or(0, |record| record.sequence);
        assert_eq!(inner + tail, status.lost, "{what}: {told:?}");
        // Life goes on, and what is missing at the end is told with what follows.
        let mut walk = walk(&store);
        read(&mut walk);
        assert_eq!(commit(&mut store, &[record(1_000, 9)]), Ok(self.last + 1), "{what}");
        let (more, told) = read(&mut walk);
        assert_eq!(sequences(&more), [self.last + 1], "{what}");
        let gap = (tail > 0).then(|| Gap { from: self.last + 1 - tail, to: self.last });
        assert_eq!(told.first().copied(), gap, "{what}");
        assert_eq!(store.shared().status().lost, status.lost, "{what}: counted once");
    }

    fn segments(&self) -> Vec<(u64, usize)> {
        let length = |first| File::length(&self.disk.open(&name(&self.disk, first)).unwrap()) as usize;
        let mut firsts: Vec<u64> = self.chunks.iter().map(|chunk| chunk.segment).collect();
        firsts.dedup();
        firsts.into_iter().map(|first| (first, length(first))).collect()
    }
}

#[test]
fn a_flipped_bit_anywhere_costs_the_chunk_it_hits_and_no_other() {
    let spool = spool();
    for (segment, length) in spool.segments() {
        for at in 0..length {
            for bit in [0, 3, 7] {
                let disk = spool.disk.copy();
                disk.damage(&name(&disk, segment), |bytes| bytes[at] ^= 1 << bit);
                let hit = |chunk: &Lies| chunk.segment == segment && (chunk.begin..chunk.end).contains(&at);
                spool.lost_only(disk, hit, &format!("bit {bit} of byte {at} of {segment}"));
            }
        }
    }
}

#[test]
fn a_segment_that_ends_anywhere_costs_what_was_behind_that() {
    let spool = spool();
    for (segment, length) in spool.segments() {
        for end in 0..length {
            let disk = spool.disk.copy();
            disk.damage(&name(&disk, segment), |bytes| bytes.truncate(end));
            let hit = |chunk: &Lies| chunk.segment == segment && chunk.end > end;
            spool.lost_only(disk, hit, &format!("{segment} ends at {end}"));
        }
    }
}

#[test]
fn bytes_that_came_in_or_went_cost_the_chunk_they_hit() {
    let spool = spool();
    for (segment, length) in spool.segments() {
        for at in 0..length {
            let hit = |chunk: &Lies| chunk.segment == segment && chunk.begin <= at && at < chunk.end;
            let between = spool.chunks.iter().any(|chunk| chunk.segment == segment && chunk.begin == at);
            let disk = spool.disk.copy();
            disk.damage(&name(&disk, segment), |bytes| bytes.insert(at, !bytes[at]));
            spool.lost_only(
                disk,
                |chunk| !between && hit(chunk),
                &format!("a byte more at {at} of {segment}"),
            );
            let disk = spool.disk.copy();
            // Which of two that are the same went, nobody can tell.
            let mut twin = false;
            disk.damage(&name(&disk, segment), |bytes| {
                twin = bytes.remove(at) == *bytes.get(at).unwrap_or(&0)
            });
            if twin {
                continue;
            }
            spool.lost_only(disk, hit, &format!("a byte less at {at} of {segment}"));
        }
    }
}

#[test]
fn a_file_that_is_gone_costs_what_was_in_it() {
    let spool = spool();
    for (segment, _) in spool.segments() {
        let disk = spool.disk.copy();
        disk.remove(&name(&disk, segment)).unwrap();
        spool.lost_only(disk, |chunk| chunk.segment == segment, &format!("{segment} is gone"));
    }
}

#[test]
fn damage_while_the_spool_is_open_is_told_at_once_also_at_its_end() {
    let disk = Disk::default();
    let mut store = open(&disk, &small());
    let mut walk = walk(&store);
    for n in 0..3 {
        commit(&mut store, &[record(n, 20), record(n, 20)]).unwrap();
    }
    let length = store.shared().view().bytes() as usize;
    disk.damage(&name(&disk, 1), |bytes| bytes[length - 1] ^= 1);
    assert_eq!(sequences(&read(&mut walk).0), [1, 2, 3, 4]);
    assert_eq!(store.shared().status().lost, 2);
    // All that is left is acknowledged: nothing waits, though the end can never be.
    store.shared().view().ack(4);
    assert_eq!(store.shared().status().records, 0);
    assert_eq!(commit(&mut store, &[record(7, 20)]), Ok(7));
    let (records, told) = read(&mut walk);
    assert_eq!((sequences(&records), told), (vec![7], vec![Gap { from: 5, to: 6 }]));
    assert_eq!(store.shared().status().lost, 2);
}

#[test]
fn a_lost_cursor_repeats_work_and_an_old_one_tells_what_it_does_not_find() {
    let spool = spool();
    let mut store = open(&spool.disk, &spool.settings);
    let second = spool.segments()[1].0;
    store.shared().view().ack(second + 1);
    store.settle();
    drop(store);
    let all = runs(&[second..=spool.last]);
    for (slots, lost) in [(vec![4096], second - 1), (vec![0, 4096], 0)] {
        let disk = spool.disk.copy();
        disk.damage("cursor", |bytes| slots.iter().for_each(|at: &usize| bytes[*at] ^= 1));
        let store = open(&disk, &spool.settings);
        assert_eq!(sequences(&read(&mut walk(&store)).0), all);
        assert_eq!(store.shared().status().lost, lost);
    }
    spool.disk.remove("cursor").unwrap();
    let store = open(&spool.disk, &spool.settings);
    assert_eq!(sequences(&read(&mut walk(&store)).0), all);
}

#[test]
fn what_looks_like_chunks_within_records_is_none_and_costs_no_time() {
    let disk = Disk::default();
    let settings = Settings::default();
    let mut store = open(&disk, &settings);
    // Stored as it is: it would compress too well.
    let bait = [NewRecord { tag: 0, bytes: b"TLC1".repeat(250_000).into() }];
    for _ in 0..3 {
        commit(&mut store, &bait).unwrap();
    }
    let length = store.shared().view().bytes();
    disk.damage(&name(&disk, 1), |bytes| bytes[8] ^= 1);
    let before = disk.read();
    assert_eq!(sequences(&read(&mut walk(&store)).0), [2, 3]);
    let read = disk.read() - before;
    assert!(read < 2 * length, "{read} bytes were read of {length}");
}

#[test]
fn what_is_older_than_it_may_be_goes_and_is_counted() {
    let now = Arc::new(AtomicU64::new(1_750_000_000_000));
    let settings = Settings { max_age: Some(Duration::from_secs(3_600)), clock: clock(&now), ..small() };
    let disk = Disk::default();
    let mut store = open(&disk, &settings);
    for n in 0..10 {
        commit(&mut store, &[record(n, 4_000)]).unwrap();
        now.fetch_add(600_000, Ordering::Relaxed);
    }
    store.shared().view().ack(1);
    store.settle();
    // The third was spooled 80 minutes ago, the fourth 70, the fifth 60 and no more.
    let status = store.shared().status();
    assert_eq!((status.records, status.lost, status.gaps), (6, 3, 1));
    let oldest = status.oldest.unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(oldest.as_secs(), 1_750_000_000 + 4 * 600);
    let (records, told) = read(&mut walk(&store));
    assert_eq!((sequences(&records), told), (runs(&[5..=10]), vec![Gap { from: 2, to: 4 }]));
    now.fetch_add(86_400_000, Ordering::Relaxed);
    store.settle();
    let status = store.shared().status();
    assert_eq!((status.records, status.lost, status.oldest, status.bytes), (0, 9, None, 0));
    assert_eq!(commit(&mut store, &[record(11, 10)]), Ok(11));
}
