//! `kill -9` at random points of writing: what was acknowledged is there, and nothing is half.
//!
//! The test starts itself again as another process, which writes as several at once and says on its standard output what
//! it is about to do and what was acknowledged. It is killed after a random number of those words and a random number of
//! microseconds; then the file is opened and compared with what was said. `TRUNKLINE_PROVE=1` does it 200 times.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use trunkline_api::{ClusterPatch, Lock};
use trunkline_proto::Slot;
use trunkline_registry::{Record, Registry};

use crate::note;
use crate::{AWAY, LIFE, at, certificate, id, new, pin, uid};

#[path = "../../../../tests/harness/killed.rs"]
mod killed;

use killed::hear_and_kill;

/// Names the file to the process that writes, and the number of its round.
const FILE: &str = "TRUNKLINE_TEST_REGISTRY";
const ROUND: &str = "TRUNKLINE_TEST_ROUND";
/// How many write at once, each to a cluster of its own.
const WRITERS: u64 = 8;

/// What the writing process says.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    /// It is about to do this.
    Does(String, Step),
    /// It was acknowledged; so the cluster is now.
    Did(String, Option<Box<Record>>),
}

/// What is done to a cluster, in this order, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Step {
    Register,
    Redeem,
    NoteSlot,
    Edit,
    NoteSeen,
    Lock,
    Unlock,
    RenewToken,
    Remove,
}

const STEPS: [Step; 9] = [
    Step::Register,
    Step::Redeem,
    Step::NoteSlot,
    Step::Edit,
    Step::NoteSeen,
    Step::Lock,
    Step::Unlock,
    Step::RenewToken,
    Step::Remove,
];

fn say(word: &Word) {
    killed::say(&serde_json::to_string(word).unwrap());
}

/// Not a test of its own: the process that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let (Ok(path), Ok(round)) = (std::env::var(FILE), std::env::var(ROUND)) else { return };
    let registry = Registry::open(Path::new(&path)).unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(registry.clone(), format!("r{round}-{writer}")));
    }
    writers.join_all().await;
}

async fn write(registry: Registry, name: String) {
    let cluster = id(&name);
    let mut token = None;
    for turn in 0u64.. {
        let step = STEPS[turn as usize % STEPS.len()];
        say(&Word::Does(name.clone(), step));
        let now = registry.get(&cluster);
        match step {
            Step::Register => {
                token = Some(registry.register(&new(&name), "ada", at(0), LIFE).await.unwrap().1);
            }
            Step::Redeem => {
                let token = token.as_ref().map(trunkline_registry::JoinToken::reveal);
                drop(registry.redeem(&cluster, token, &pin(turn), at(1), AWAY).await.unwrap());
            }
            Step::NoteSlot => {
                let uid = uid(&now.unwrap());
                note(&registry, &cluster, uid, Slot(1), certificate(turn, at(1))).await.unwrap();
            }
            Step::Edit => {
                let patch = ClusterPatch { description: Some("x".repeat(1_500)), ..Default::default() };
                drop(registry.edit(&cluster, &patch, "ada").await.unwrap());
            }
            Step::NoteSeen => registry.note_seen(&cluster, uid(&now.unwrap()), at(2)).await.unwrap(),
            Step::Lock => {
                let lock = Lock { by: "ada".into(), since: at(1), reason: "audit".into() };
                drop(registry.lock(&cluster, lock).await.unwrap());
            }
            Step::Unlock => drop(registry.unlock(&cluster).await.unwrap()),
            Step::RenewToken => drop(registry.renew_token(&cluster, "ben", at(3), LIFE).await.unwrap()),
            Step::Remove => drop(registry.remove(&cluster).await.unwrap()),
        }
        say(&Word::Did(name.clone(), registry.get(&cluster).map(|record| Box::new(Record::clone(&record)))));
    }
}

/// Whether `now` is what the step makes of `before`, and nothing less.
fn is_done(step: Step, before: Option<&Record>, now: Option<&Record>) -> bool {
    let (Some(now), before) = (now, before) else { return step == Step::Remove };
    let Some(before) = before else {
        return step == Step::Register
            && now.metadata.revision == 1
            && now.join.is_some()
            && now.key.is_none();
    };
    // What the step sets is there; what it does not is as it was.
    let mut expected = before.clone();
    let grown = match step {
        Step::Redeem => {
            let used = now.join.as_ref().and_then(|join| join.used.as_ref());
            expected.key.clone_from(&now.key);
            expected.join.clone_from(&now.join);
            now.key.as_ref().is_some_and(|key| used.is_some_and(|used| used.key == key.pin))
        }
        Step::NoteSlot => {
            expected.slots.clone_from(&now.slots);
            now.slots.len() == 1
        }
        Step::Edit => {
            expected.spec.description = "x".repeat(1_500);
            expected.metadata.revision += 1;
            true
        }
        Step::NoteSeen => {
            expected.last_seen = Some(at(2));
            true
        }
        Step::Lock | Step::Unlock => {
            expected.spec.locked.clone_from(&now.spec.locked);
            expected.metadata.revision += 1;
            now.spec.locked.is_some() == (step == Step::Lock)
        }
        Step::RenewToken => {
            expected.join.clone_from(&now.join);
            now.join.as_ref().is_some_and(|join| join.by == "ben" && join.used.is_none())
        }
        Step::Register | Step::Remove => false,
    };
    grown && expected == *now
}

/// What was said of a cluster: how it was last, and what was under way.
#[derive(Default)]
struct Said {
    now: Option<Record>,
    doing: Option<Step>,
}

fn hear(line: &str, said: &mut BTreeMap<String, Said>) -> bool {
    // The test runner's own lines.
    let Some(begin) = line.find('{') else { return false };
    match serde_json::from_str(&line[begin..]) {
        Ok(Word::Does(name, step)) => said.entry(name).or_default().doing = Some(step),
        Ok(Word::Did(name, now)) => drop(said.insert(name, Said { now: now.map(|now| *now), doing: None })),
        Err(_) => return false,
    }
    true
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_nothing_is_half() {
    let rounds = if std::env::var("TRUNKLINE_PROVE").is_ok_and(|prove| prove == "1") { 200 } else { 20 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.redb");
    let mut random = StdRng::seed_from_u64(4);
    let mut said = BTreeMap::new();
    let (mut kept, mut open) = (0, 0);
    for round in 0..rounds {
        let words = random.random_range(1..400);
        let then = Duration::from_micros(random.random_range(0..10_000));
        hear_and_kill(
            "crash::the_process_that_is_killed",
            &[(FILE, path.to_str().unwrap()), (ROUND, &round.to_string())],
            words,
            then,
            |line| hear(line, &mut said),
        );
        let registry = Registry::open(&path).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let mut found: BTreeMap<String, Record> = registry
            .list()
            .iter()
            .map(|record| (record.metadata.name.to_string(), Record::clone(record)))
            .collect();
        for (name, said) in &mut said {
            let now = found.remove(name);
            let as_said = now == said.now;
            let done = said.doing.is_some_and(|step| is_done(step, said.now.as_ref(), now.as_ref()));
            assert!(
                as_said || done,
                "round {round}, {name}: acknowledged {:?}, under way {:?}, found {now:?}",
                said.now,
                said.doing
            );
            kept += usize::from(as_said);
            open += usize::from(!as_said);
            // From here on it is as it was found.
            *said = Said { now, doing: None };
        }
        assert!(found.is_empty(), "round {round}: nobody spoke of {:?}", found.keys());
    }
    println!(
        "{rounds} kills: {kept} clusters as acknowledged, {open} with the step that was under way, 0 lost, 0 half"
    );
}
