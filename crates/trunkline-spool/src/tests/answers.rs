//! The spool as its callers see it, on the model of a disk: who is answered, when, and with what.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use trunkline_runtime::Tasks;

use super::prove::count;
use super::{Disk, Folder, Settings, Store, id, read, record, small, walk};
use crate::chunk::{Chunk, Limits};
use crate::error::Refused;
use crate::folder::model::Leaves;
use crate::spool::{Reader, Spool};

fn start(disk: &Disk, settings: &Settings, tasks: &Tasks) -> Spool {
    Spool::start(Folder::Model(disk.clone()), settings.clone(), tasks, None).unwrap()
}

/// Reads on until the record with this sequence has come.
async fn read_through(reader: &mut Reader, last: u64) -> Vec<u64> {
    let mut sequences = Vec::new();
    while sequences.last().is_none_or(|there| *there < last) {
        let chunk = reader.next().await.unwrap().unwrap();
        let chunk = Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap();
        sequences.extend(chunk.records().map(|record| record.sequence));
    }
    sequences
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_every_answer_a_sync_has_ended_that_covers_it() {
    let count = count(10, 200);
    let (disk, tasks) = (Disk::default(), Tasks::new());
    let settings = Settings { segment_bytes: 20_000, ..Settings::default() };
    let spool = start(&disk, &settings, &tasks);
    let mut callers = JoinSet::new();
    for caller in 0..16_u64 {
        let (writer, disk, settings) = (spool.writer(), disk.clone(), settings.clone());
        callers.spawn(async move {
            let mut luck = StdRng::seed_from_u64(caller);
            for turn in 0..count.times as u64 {
                let ids: Vec<u64> =
                    (0..luck.random_range(1..4)).map(|n| (caller << 32) + turn * 10 + n).collect();
                let records = ids.iter().map(|id| record(*id, luck.random_range(0..500))).collect();
                let before = disk.syncs();
                let receipt = writer.append(records).await.unwrap();
                assert!(disk.syncs() > before);
                // What the power would leave at this moment.
                let left =
                    Store::open(Folder::Model(disk.power_cut(Leaves::Nothing, &mut luck)), settings.clone())
                        .unwrap();
                let there: BTreeMap<u64, u64> =
                    read(&mut walk(&left)).0.iter().map(|record| (record.sequence, id(record))).collect();
                let mine: Vec<u64> =
                    (receipt.first..=receipt.last).map(|sequence| there[&sequence]).collect();
                assert_eq!(mine, ids);
            }
        });
    }
    callers.join_all().await;
    let appends = 16 * count.times as u64;
    println!("{count} appends of each of 16 callers: {} syncs for {appends}", disk.syncs());
    assert!(disk.syncs() < appends / 2, "they share syncs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_kept_whole_though_it_takes_several_chunks_and_the_power_goes_within_it() {
    let count = count(40, 2_000);
    let mut luck = StdRng::seed_from_u64(3);
    let (mut whole, mut none) = (0, 0);
    for seed in 0..count.times as u64 {
        let (disk, tasks) = (Disk::default(), Tasks::new());
        let settings = Settings { linger: Duration::ZERO, ..Settings::default() };
        let spool = start(&disk, &settings, &tasks);
        spool.writer().append(vec![record(1, 10)]).await.unwrap();
        disk.cut_after(luck.random_range(0..2));
        let call = (0..3).map(|n| record(seed * 10 + n, 600_000)).collect();
        assert!(matches!(spool.writer().append(call).await, Err(Refused::Disk { .. })));
        let left = Store::open(Folder::Model(disk.power_cut(Leaves::Anything, &mut luck)), settings).unwrap();
        match read(&mut walk(&left)).0.len() {
            4 => whole += 1,
            1 => none += 1,
            part => panic!("{part} records of a call of 3, and one before"),
        }
    }
    println!("{count} power cuts within a call: {whole} whole, {none} not at all");
    assert!(whole > 0 && none > 0);
}

#[tokio::test]
async fn who_brings_more_than_the_queue_holds_waits() {
    let tasks = Tasks::new();
    let settings =
        Settings { queue_bytes: 64 * 1024, linger: Duration::from_millis(50), ..Settings::default() };
    let spool = start(&Disk::default(), &settings, &tasks);
    let mut callers = JoinSet::new();
    for id in 0..4 {
        let writer = spool.writer();
        callers.spawn(async move { writer.append(vec![record(id, 40_000)]).await.unwrap() });
    }
    callers.join_all().await;
    let mut reader = spool.reader();
    let mut commits = Vec::new();
    for _ in 0..4 {
        commits.push(reader.next().await.unwrap().unwrap().head.commit);
    }
    assert_eq!(commits, [1, 2, 3, 4], "no two of them were in the queue together");
    let all = spool.writer().append(vec![record(9, 40_000), record(9, 40_000)]).await;
    assert!(matches!(all, Err(Refused::TooLong { most: 65_536, .. })), "{all:?}");
    let one = spool.writer().append(vec![record(9, 1 << 20)]).await;
    assert!(matches!(one, Err(Refused::TooLong { what: "a record", .. })), "{one:?}");
    assert_eq!(spool.writer().append(Vec::new()).await, Err(Refused::Nothing));
}

#[tokio::test]
async fn who_stops_waiting_for_an_answer_leaves_no_room_taken() {
    let tasks = Tasks::new();
    let settings = Settings { queue_bytes: 64 * 1024, ..Settings::default() };
    let spool = start(&Disk::default(), &settings, &tasks);
    for turn in 0..20 {
        let writer = spool.writer();
        let append = writer.append(vec![record(turn, 40_000)]);
        let stopped = tokio::time::timeout(Duration::from_micros(turn * 100), append).await;
        drop(stopped);
    }
    let receipt = spool.writer().append(vec![record(99, 60_000)]).await.unwrap();
    let mut reader = spool.reader();
    let sequences = read_through(&mut reader, receipt.last).await;
    assert_eq!(sequences, (1..=receipt.last).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_is_dropped_while_it_waits_misses_nothing() {
    let tasks = Tasks::new();
    let settings = Settings { segment_bytes: 2_000, linger: Duration::ZERO, ..Settings::default() };
    let spool = start(&Disk::default(), &settings, &tasks);
    let writer = spool.writer();
    let writing = tasks.spawn(async move {
        for n in 0..300 {
            writer.append(vec![record(n, 100)]).await.unwrap();
        }
    });
    let mut reader = spool.reader();
    let mut sequences = Vec::new();
    while sequences.len() < 300 {
        // Begun and dropped, whether it waits for the disk or for a record.
        tokio::select! {
            biased;
            chunk = reader.next() => {
                let chunk = chunk.unwrap().unwrap();
                sequences.extend(chunk.head.first..=chunk.head.last());
                continue;
            }
            () = std::future::ready(()) => {}
        }
        let chunk = reader.next().await.unwrap().unwrap();
        sequences.extend(chunk.head.first..=chunk.head.last());
    }
    writing.await.unwrap();
    assert_eq!(sequences, (1..=300).collect::<Vec<_>>());
    // After a lost link it begins again behind what was acknowledged.
    spool.ack(290).unwrap();
    reader.rewind();
    assert_eq!(read_through(&mut reader, 300).await, (291..=300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_serves_all_else_until_there_is_room() {
    let (disk, tasks) = (Disk::default(), Tasks::new());
    let settings = Settings { segment_bytes: 4_000, ..Settings::default() };
    let spool = start(&disk, &settings, &tasks);
    let writer = spool.writer();
    disk.set_room(Some(30_000));
    let (mut last, mut refused) = (0, 0);
    for n in 0..60 {
        match writer.append(vec![record(n, 1_000)]).await {
            Ok(receipt) => last = receipt.last,
            Err(Refused::Disk { why, retry_after }) => {
                assert_eq!((why.as_str(), retry_after), ("no storage space", Duration::from_secs(1)));
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 30 && (10..30).contains(&last), "{refused} {last}");
    let status = spool.status();
    assert_eq!(status.fault.as_deref(), Some("no storage space"));
    let mut reader = spool.reader();
    assert_eq!(read_through(&mut reader, last).await, (1..=last).collect::<Vec<_>>());
    // Acknowledged on the full disk; what goes makes room, and nobody has to start anything.
    spool.ack(last).unwrap();
    let mut tries = 0;
    let next = loop {
        match writer.append(vec![record(100, 1_000)]).await {
            Ok(receipt) => break receipt,
            Err(Refused::Disk { .. }) if tries < 500 => tries += 1,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(next.first, last + 1);
    assert_eq!(read_through(&mut reader, next.last).await, [next.last]);
    let status = spool.status();
    assert_eq!((status.fault, status.records, status.lost), (None, 1, 0));
}

#[tokio::test]
async fn what_waits_when_everything_stops_is_written_and_read() {
    let tasks = Tasks::new();
    let settings = Settings { linger: Duration::from_secs(1), ..small() };
    let spool = start(&Disk::default(), &settings, &tasks);
    let mut reader = spool.reader();
    let writer = spool.writer();
    let append = writer.append(vec![record(1, 10)]);
    tokio::pin!(append);
    tokio::select! {
        biased;
        answer = &mut append => panic!("{answer:?} came at once"),
        () = std::future::ready(()) => {}
    }
    tasks.shut_down().await;
    assert_eq!(append.await.unwrap().last, 1);
    assert_eq!(spool.writer().append(vec![record(2, 10)]).await, Err(Refused::Closed));
    assert_eq!(reader.next().await.unwrap().unwrap().head.first, 1);
    assert_eq!(reader.next().await.unwrap(), None);
}

#[tokio::test]
async fn an_acknowledgement_of_what_was_never_written_lets_nothing_go() {
    let tasks = Tasks::new();
    let spool = start(&Disk::default(), &small(), &tasks);
    spool.writer().append(vec![record(1, 10)]).await.unwrap();
    let refused = spool.ack(2).unwrap_err();
    assert_eq!((refused.through, refused.last), (2, 1));
    assert_eq!(spool.status().records, 1);
    spool.ack(1).unwrap();
    spool.ack(0).unwrap();
    assert_eq!((spool.status().acked, spool.status().oldest), (1, None));
}

#[tokio::test]
async fn a_full_spool_refuses_with_a_time_to_come_again_until_something_goes() {
    let (disk, tasks) = (Disk::default(), Tasks::new());
    let spool = start(&disk, &small(), &tasks);
    let writer = spool.writer();
    let mut last = 0;
    let refused = loop {
        match writer.append(vec![record(last, 1_000)]).await {
            Ok(receipt) => last = receipt.last,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(&refused, Refused::Full { cap: 65_536, bytes, .. } if *bytes > 63_000), "{refused:?}");
    assert!(refused.to_string().contains("try again in 5 s"), "{refused}");
    let syncs = disk.syncs();
    for _ in 0..10 {
        assert!(matches!(writer.append(vec![record(0, 10)]).await, Err(Refused::Full { .. })));
    }
    assert_eq!(disk.syncs(), syncs, "no disk is asked for that");
    let oldest = spool.status().oldest.unwrap();
    assert!(oldest.elapsed().unwrap() < Duration::from_secs(60));
    spool.ack(last / 2).unwrap();
    let next = loop {
        match writer.append(vec![record(0, 10)]).await {
            Ok(receipt) => break receipt,
            Err(Refused::Full { .. }) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(next.first, last + 1);
    assert_eq!(spool.status().lost, 0);
}

#[tokio::test]
async fn a_spool_that_drops_its_oldest_takes_all_and_counts_what_goes() {
    let tasks = Tasks::new();
    let settings = Settings { full: crate::Full::DropOldest, linger: Duration::ZERO, ..small() };
    let spool = start(&Disk::default(), &settings, &tasks);
    let mut reader = spool.reader();
    for n in 1..=200 {
        assert_eq!(spool.writer().append(vec![record(n, 1_000)]).await.unwrap().last, n);
    }
    let status = spool.status();
    assert!(status.bytes <= status.cap && status.lost > 100, "{status:?}");
    let first = reader.next().await.unwrap().unwrap();
    assert_eq!(first.gap.map(|gap| (gap.from, gap.to)), Some((1, status.lost)));
    assert_eq!(status.records + status.lost, 200);
}
