//! `kill -9` at random points of writing, reading and acknowledging: what was answered is there once and in order.
//!
//! The test starts itself again as another process, which appends as several at once, reads and acknowledges, and says on its
//! standard output what it was told. `TRUNKLINE_PROVE=1` kills it 500 times.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinSet;
use trunkline_runtime::Tasks;
use trunkline_spool::{Chunk, Limits, Spool};

use crate::killed::{hear_and_kill, say};
use crate::prove::count;
use crate::{contents, record, short};

const FOLDER: &str = "TRUNKLINE_TEST_SPOOL";
const ROUND: &str = "TRUNKLINE_TEST_ROUND";
const WRITERS: usize = 8;

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let (Ok(folder), Ok(round)) = (std::env::var(FOLDER), std::env::var(ROUND)) else { return };
    let tasks = Tasks::new();
    let spool = Spool::open(Path::new(&folder), short(), &tasks).unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (spool, round) = (spool.writer(), round.clone());
        writers.spawn(async move {
            for turn in 0_usize.. {
                let names: Vec<_> =
                    (0..=turn % 3).map(|part| format!("{round}-{writer}-{turn}-{part}")).collect();
                let fill = "x".repeat(turn * 37 % 3_000);
                let receipt =
                    spool.append(names.iter().map(|name| record(&format!("{name} {fill}"))).collect()).await;
                let first = receipt.unwrap().first;
                for (sequence, name) in (first..first + names.len() as u64).zip(&names) {
                    say(&format!("kept {sequence} {name}"));
                }
            }
        });
    }
    let mut reader = spool.reader();
    let mut luck = StdRng::seed_from_u64(round.parse().unwrap());
    while let Some(chunk) = reader.next().await.unwrap() {
        let chunk = Chunk::decode(&chunk.bytes, chunk.epoch, &Limits::default()).unwrap();
        // It said first that it may go.
        if luck.random_ratio(1, 3) {
            say(&format!("acked {}", chunk.head().last()));
            spool.ack(chunk.head().last()).unwrap();
        }
    }
}

#[derive(Default)]
struct Heard {
    kept: BTreeMap<u64, String>,
    acked: u64,
}

impl Heard {
    fn hear(&mut self, line: &str) -> bool {
        // The frame of the tests says something of its own before.
        let mut words = line.split(' ').skip_while(|word| !matches!(*word, "kept" | "acked"));
        match (words.next(), words.next().and_then(|word| word.parse().ok()), words.next()) {
            (Some("kept"), Some(sequence), Some(name)) => {
                let before = self.kept.insert(sequence, name.to_owned());
                assert_eq!(before, None, "{sequence} stood for another record");
                true
            }
            (Some("acked"), Some(sequence), None) => {
                self.acked = self.acked.max(sequence);
                false
            }
            _ => false,
        }
    }
}

#[tokio::test]
async fn what_was_answered_survives_kill_9_once_and_in_order() {
    let count = count(12, 500);
    let folder = tempfile::tempdir().unwrap();
    let mut luck = StdRng::seed_from_u64(21);
    let mut heard = Heard::default();
    let (mut answered, mut unanswered) = (0, 0);
    for round in 0..count.times {
        let before = heard.kept.len();
        let path = folder.path().to_str().unwrap();
        let (words, then) = (luck.random_range(1..300), luck.random_range(0..20_000));
        hear_and_kill(
            "killed_within::the_process_that_is_killed",
            &[(FOLDER, path), (ROUND, &round.to_string())],
            words,
            Duration::from_micros(then),
            |line| heard.hear(line),
        );
        answered += heard.kept.len() - before;
        let (there, lost) = contents(folder.path(), short()).await;
        assert_eq!(lost, 0, "{round}");
        let order: Vec<u64> = there.iter().map(|(sequence, _)| *sequence).collect();
        assert!(order.windows(2).all(|two| two[0] + 1 == two[1]), "{round}: not in order, or not whole");
        let there: BTreeMap<u64, &str> =
            there.iter().map(|(sequence, text)| (*sequence, text.split(' ').next().unwrap())).collect();
        for (sequence, name) in heard.kept.range(heard.acked + 1..) {
            assert_eq!(there.get(sequence), Some(&name.as_str()), "{round}: {sequence} was answered");
        }
        // What was written and not answered stays from now on, and is nothing else later.
        for (sequence, name) in there {
            let kept = heard.kept.entry(sequence).or_insert_with(|| {
                unanswered += 1;
                name.to_owned()
            });
            assert_eq!(kept, name, "{round}: {sequence} stands for two records");
        }
        let mut names: Vec<_> = heard.kept.values().collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "{round}: a record is there twice");
    }
    println!(
        "{count} kills: {answered} records answered, {unanswered} kept without, {} acknowledged",
        heard.acked
    );
}
