//! `kill -9` at random points of writing, indexing and committing: what was answered is found, and nothing twice.
//!
//! The test starts itself again as another process, which writes as several slots at once and says what was answered. The
//! next process sends again what the one before was not answered for, and some that it was. `TRUNKLINE_PROVE=1` kills it
//! 100 times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use trunkline_logs::{Day, Document};
use trunkline_runtime::Tasks;

use crate::killed::{hear_and_kill, say};
use crate::prove::count;
use crate::{document, found, now, open, quick, settled};

const FOLDER: &str = "TRUNKLINE_TEST_LOGSTORE";
const ROUND: &str = "TRUNKLINE_TEST_ROUND";
/// Through where each slot was answered in the round before.
const ANSWERED: &str = "TRUNKLINE_TEST_ANSWERED";
const TODAY: &str = "TRUNKLINE_TEST_TODAY";
const SLOTS: u16 = 4;
const BATCH: u64 = 20;

/// Records of a slot in a round, from `first` on. Some have an id of their shipper's, which comes again; some were spooled
/// the day before.
fn batch(slot: u16, round: u8, first: u64, today: Day) -> Vec<Document> {
    let one = |sequence: u64| {
        let own = sequence.is_multiple_of(5).then(|| format!("{round}-{slot}-{}", sequence % 30));
        let day = if sequence <= 40 { Day(today.0 - 1) } else { today };
        document(slot, round, sequence, day, own.as_deref(), &"x".repeat(sequence as usize % 200))
    };
    (first..first + BATCH).map(one).collect()
}

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let variable = |name| std::env::var(name).ok();
    let (Some(folder), Some(round), Some(today)) = (variable(FOLDER), variable(ROUND), variable(TODAY))
    else {
        return;
    };
    let (round, today): (u8, Day) = (round.parse().unwrap(), Day(today.parse().unwrap()));
    let answered = variable(ANSWERED).unwrap_or_default();
    let answered: Vec<u64> = answered.split_whitespace().map(|last| last.parse().unwrap()).collect();
    let store = open(Path::new(&folder), quick(), &Tasks::new());
    let mut slots = JoinSet::new();
    for slot in 0..SLOTS {
        let (store, last) = (store.clone(), answered.get(usize::from(slot)).copied());
        slots.spawn(async move {
            if let Some(last) = last {
                for first in [last.saturating_sub(BATCH) + 1, last + 1] {
                    store.write(&batch(slot, round - 1, first, today)).await.unwrap();
                }
                say(&format!("answered {} {slot} {}", round - 1, last + BATCH));
            }
            for first in (1..).step_by(BATCH as usize) {
                store.write(&batch(slot, round, first, today)).await.unwrap();
                say(&format!("answered {round} {slot} {}", first + BATCH - 1));
            }
        });
    }
    slots.join_all().await;
}

#[test]
fn what_was_answered_survives_kill_9_and_is_found_once() {
    let count = count(4, 100);
    let folder = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(21);
    let today = Day::of(now());
    let mut answered: BTreeMap<(u8, u16), u64> = BTreeMap::new();
    for round in 0..count.times as u8 {
        let before: Vec<String> = (0..SLOTS)
            .filter_map(|slot| round.checked_sub(1).map(|before| (before, slot)))
            .map(|place| answered.get(&place).copied().unwrap_or(0).to_string())
            .collect();
        let (words, then) = (random.random_range(1..60), random.random_range(0..300));
        hear_and_kill(
            "killed_within::the_process_that_is_killed",
            &[
                (FOLDER, folder.path().to_str().unwrap()),
                (ROUND, &round.to_string()),
                (ANSWERED, &before.join(" ")),
                (TODAY, &today.0.to_string()),
            ],
            words,
            Duration::from_millis(then),
            |line| {
                let mut words = line.split(' ').skip_while(|word| *word != "answered").skip(1);
                let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
                let (Some(round), Some(slot), Some(last)) = (number(), number(), number()) else {
                    return false;
                };
                let known = answered.entry((round as u8, slot as u16)).or_default();
                *known = last.max(*known);
                true
            },
        );
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (found, days) = runtime.block_on(async {
        let tasks = Tasks::new();
        let store = open(folder.path(), quick(), &tasks);
        settled(&store).await;
        let found = found(&store).await;
        assert_eq!((store.status().documents, store.status().lost), (found.len() as u64, 0));
        let days = store.status().days;
        tasks.shut_down().await;
        (found, days)
    });
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    found.iter().for_each(|id| *times.entry(*id).or_default() += 1);
    let mut expected = BTreeMap::new();
    for ((round, slot), last) in &answered {
        for first in (1..*last).step_by(BATCH as usize) {
            for document in batch(*slot, *round, first, today) {
                let known = expected.entry(document.id).or_insert((document.has_own_id, BTreeSet::new()));
                known.1.insert(document.stamp.day);
            }
        }
    }
    for (id, (has_own_id, days)) in &expected {
        let times = times.get(id).copied().unwrap_or(0);
        // An id of a shipper's is there once a day: also on the other day, if what was written then was not answered.
        assert!(
            times >= days.len() && times <= if *has_own_id { 2 } else { 1 },
            "{id} is there {times} times"
        );
    }
    println!("{count} kills: {} answered, {} found on {days} days", expected.len(), found.len());
}
