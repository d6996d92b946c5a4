//! One life after another, also in a folder that was set back to an older copy: no place ever stands for two records.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::prove::count;
use super::{Disk, commit, id, open, record, sequences, small, walk};
use crate::chunk::{Chunk, Limits};
use crate::epoch::Epoch;
use crate::folder::model::Leaves;
use crate::segments::Segment;
use crate::store::Store;

/// What is in each place: which record, of all that were ever brought.
type Places = BTreeMap<(Epoch, u64), u64>;

/// Reads all that waits as if to ship it.
fn ship(store: &Store, shipped: &mut Places) {
    let mut walk = walk(store);
    while let Some(chunk) = walk.step().unwrap() {
        for record in Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap().records() {
            let place = (chunk.epoch, record.sequence);
            let before = shipped.insert(place, id(&record));
            assert!(before.is_none_or(|before| before == id(&record)), "{place:?} stands for two records");
        }
    }
}

#[test]
fn a_folder_that_is_set_back_gives_no_place_to_another_record() {
    let count = count(100, 10_000);
    let (mut set_back, mut again) = (0, 0);
    for seed in 0..count.times as u64 {
        let mut luck = StdRng::seed_from_u64(seed);
        let (mut disk, mut shipped, mut brought) = (Disk::default(), Places::new(), 0);
        let mut copies = vec![disk.copy()];
        let mut newest = 0;
        for _ in 0..12 {
            disk = match luck.random_range(0..3) {
                0 => {
                    set_back += 1;
                    copies.choose(&mut luck).unwrap().copy()
                }
                1 => disk.power_cut(Leaves::Anything, &mut luck),
                _ => disk,
            };
            let mut store = open(&disk, &small());
            ship(&store, &mut shipped);
            for _ in 0..luck.random_range(0..6) {
                let records: Vec<_> =
                    (0..luck.random_range(1..4)).map(|n| record(brought + n, 300)).collect();
                brought += records.len() as u64;
                if let Ok(first) = commit(&mut store, &records) {
                    again += u64::from(first <= newest);
                    newest = newest.max(first);
                }
                if luck.random_ratio(1, 3) {
                    ship(&store, &mut shipped);
                    let through = store.shared().view().last;
                    store.shared().view().ack(through);
                    store.settle();
                }
                if luck.random_ratio(1, 4) {
                    copies.push(disk.copy());
                }
            }
            ship(&store, &mut shipped);
        }
    }
    assert!(again > 0, "sequences were given out again");
    println!(
        "{count}: set back {set_back} times, {again} commits with sequences that had been given out before"
    );
}

#[test]
fn each_life_writes_under_an_epoch_of_its_own_and_ships_what_is_left_under_the_old_one() {
    let disk = Disk::default();
    let mut epochs = Vec::new();
    for life in 0..3 {
        let mut store = open(&disk, &small());
        commit(&mut store, &[record(life, 20)]).unwrap();
        let mut walk = walk(&store);
        let read: Vec<_> = std::iter::from_fn(|| walk.step().unwrap()).map(|chunk| chunk.epoch).collect();
        let newest = *read.last().unwrap();
        assert!(!epochs.contains(&newest));
        epochs.push(newest);
        assert_eq!(read, epochs);
    }
    let folder = open(&disk, &small()).shared().folder;
    assert!(!epochs.contains(&folder), "no record goes under that");
}

#[test]
fn of_two_segments_that_were_begun_with_one_sequence_the_one_that_was_begun_in_vain_goes() {
    let disk = Disk::default();
    let mut store = open(&disk, &small());
    commit(&mut store, &[record(1, 20)]).unwrap();
    let segments: Vec<String> =
        disk.names().unwrap().into_iter().filter(|name| Segment::named(name).is_some()).collect();
    let [written] = segments.as_slice() else { panic!("{segments:?}") };
    // The life before began one with the same sequence, and the power went before its name was gone.
    for before in [Epoch::from([0; 16]), Epoch::from([255; 16])] {
        disk.create(&Segment::new(1, before).name()).unwrap();
        let mut store = open(&disk, &small());
        assert_eq!(sequences(&super::read(&mut walk(&store)).0)[0], 1);
        assert_eq!(store.shared().status().lost, 0);
        assert!(disk.names().unwrap().contains(written));
        assert!(!disk.names().unwrap().contains(&Segment::new(1, before).name()));
        let last = store.shared().view().last;
        assert_eq!(commit(&mut store, &[record(2, 20)]), Ok(last + 1));
    }
}

#[test]
fn whatever_fails_as_another_lifes_segment_is_replaced_the_next_commit_goes_on() {
    let mut failed = 0;
    for step in 0..8 {
        let disk = Disk::default();
        let mut before = open(&disk, &small());
        disk.fail_syncs(1);
        commit(&mut before, &[record(1, 20)]).unwrap_err();
        drop(before);
        let mut store = open(&disk, &small());
        disk.fail_after(step);
        failed += usize::from(commit(&mut store, &[record(2, 20)]).is_err());
        disk.fail_after(u64::MAX);
        let last = store.shared().view().last;
        assert_eq!(commit(&mut store, &[record(3, 20)]), Ok(last + 1), "{step}");
        let (records, gaps) = super::read(&mut walk(&store));
        assert_eq!((sequences(&records), gaps.len()), ((1..=last + 1).collect(), 0), "{step}");
        // Nothing is left of it, and another life finds the same.
        let segments =
            || disk.names().unwrap().into_iter().filter(|name| Segment::named(name).is_some()).count();
        assert_eq!(segments(), 1, "{step}");
        drop(store);
        let store = open(&disk, &small());
        assert_eq!(sequences(&super::read(&mut walk(&store)).0), sequences(&records), "{step}");
    }
    assert!(failed > 2, "{failed} steps failed");
}
