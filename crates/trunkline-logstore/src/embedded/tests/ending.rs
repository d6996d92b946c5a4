//! What ends: searches that take too long, parts that have to go.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::json;
use trunkline_logs::{Cursor, Day, Field, Order};

use super::documents::{Agent, DAY};
use super::{Limits, Reading, Store, Watch, everything, find, histogram, top, unlimited};
use crate::embedded::watch::Ended;

#[test]
fn a_search_whose_time_is_over_says_so_or_tells_the_beginning_of_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), unlimited(), DAY);
    let (mut agent, mut random) = (Agent::new("prod", 0, "logs"), StdRng::seed_from_u64(5));
    for turn in 0..3_000 {
        store.take(&agent.anything(&mut random));
        if turn % 1_000 == 0 {
            store.commit();
        }
    }
    store.commit();
    let question = everything(&[agent.uid]);
    let whole = store.all(&question, Order::Newest, 1000);
    let (mut ended, mut partial, mut finished) = (0, 0, 0);
    for step in 0..50 {
        let until = Instant::now() + Duration::from_micros(step * step * 4);
        let watch = Watch::new(until, Arc::new(AtomicBool::new(false)));
        let found = Reading::new(&store.parts.all(), &question, &watch)
            .and_then(|reading| find(&reading, &question, Order::Newest, None, 300, &watch));
        match found {
            Err(Ended::TooLong) => ended += 1,
            Err(other) => panic!("{other}"),
            Ok(hits) => {
                let found: Vec<Cursor> = hits.hits.iter().map(|hit| hit.at).collect();
                assert_eq!(found, whole[..found.len()], "what is told is the beginning of the answer");
                assert_eq!(hits.next, found.last().copied(), "and the next page goes on behind it");
                if hits.partial.is_some() { partial += 1 } else { finished += 1 }
            }
        }
        if finished > 3 {
            break;
        }
    }
    assert!(ended > 0, "{ended} ended, {partial} told a part, {finished} finished");
    let given_up = Watch::new(Instant::now() + Duration::from_secs(60), Arc::new(AtomicBool::new(true)));
    assert!(matches!(Reading::new(&store.parts.all(), &question, &given_up), Err(Ended::TooLong)));
    // Each kind of search looks.
    let begun = Watch::new(Instant::now() + Duration::from_secs(60), Arc::new(AtomicBool::new(false)));
    let reading = Reading::new(&store.parts.all(), &question, &begun).unwrap();
    let over = || Watch::new(Instant::now(), Arc::new(AtomicBool::new(false)));
    assert!(matches!(find(&reading, &question, Order::Newest, None, 9, &over()), Err(Ended::TooLong)));
    assert!(matches!(top(&reading, &question, &Field::Cluster, 9, &over()), Err(Ended::TooLong)));
    assert!(matches!(histogram(&reading, &question, 9, None, &over()), Err(Ended::TooLong)));
}

#[test]
fn the_oldest_parts_go_when_there_is_no_room_and_a_search_under_way_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { bytes: 400_000, ..unlimited() };
    let mut store = Store::open(folder.path(), limits, DAY);
    let mut agent = Agent::new("prod", 0, "logs");
    let question = everything(&[agent.uid]);
    let mut under_way = None;
    for turn in 0..40 {
        for _ in 0..100 {
            // One day alone takes more than all may.
            store.take(
                &agent.say(DAY, &json!({"message": format!("{} {}", agent.sequence, "x y z ".repeat(50))})),
            );
        }
        store.commit();
        store.indexer.make_room().unwrap();
        if turn == 5 {
            let watch =
                Watch::new(Instant::now() + Duration::from_secs(600), Arc::new(AtomicBool::new(false)));
            let reading = Reading::new(&store.parts.all(), &question, &watch).unwrap();
            under_way = Some((reading, watch, store.all(&question, Order::Oldest, 1000)));
        }
    }
    let bytes: u64 = store.parts.all().iter().map(|part| part.bytes()).sum();
    assert!(bytes <= 400_000 + 100_000, "{bytes}");
    let left = store.all(&question, Order::Newest, 1000);
    assert!(left.len() >= 100 && left.len() < 4_000, "{}", left.len());
    assert_eq!(store.parts.crowded_out(), 4_000 - left.len() as u64, "what went before its time is counted");
    let numbers: Vec<u32> = store.parts.all().iter().map(|part| part.name.number).collect();
    assert!(numbers[0] > 0 && numbers.is_sorted(), "{numbers:?}");
    let (reading, watch, before) = under_way.unwrap();
    let hits = find(&reading, &question, Order::Oldest, None, 1000, &watch).unwrap();
    assert_eq!(hits.hits.iter().map(|hit| hit.at).collect::<Vec<_>>(), before[..hits.hits.len()]);
    assert!(!hits.hits.is_empty());
    // What was removed is not there again in the next process, and numbers go on.
    drop(store);
    let store = Store::open(folder.path(), limits, Day(DAY.0 + 1));
    assert_eq!(store.all(&question, Order::Newest, 1000), left);
}

#[test]
fn a_clock_that_is_ahead_ends_hardly_a_day_and_time_that_has_passed_ends_all_that_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path(), Limits { days: 3, ..unlimited() }, DAY);
    let mut agent = Agent::new("prod", 0, "logs");
    let mut say = |store: &mut Store, day| {
        store.take(&agent.say(day, &json!({"message": "of this day"})));
        store.commit();
    };
    let days = |store: &Store| store.parts.days().into_iter().map(|day| day.0).collect::<Vec<_>>();
    for age in (0..=3).rev() {
        say(&mut store, Day(DAY.0 - age));
    }
    let wrong = Day(DAY.0 + 365);
    store.indexer.expire(wrong).unwrap();
    say(&mut store, wrong);
    store.indexer.expire(wrong).unwrap();
    assert_eq!(days(&store), [DAY.0 - 2, DAY.0 - 1, DAY.0, wrong.0], "the oldest a day early");
    for more in 1..=2 {
        say(&mut store, Day(wrong.0 + more));
    }
    // It is so: a few go at each look.
    store.indexer.expire(Day(wrong.0 + 2)).unwrap();
    assert_eq!(days(&store), [DAY.0, wrong.0, wrong.0 + 1, wrong.0 + 2]);
    store.indexer.expire(Day(wrong.0 + 2)).unwrap();
    store.indexer.expire(Day(wrong.0 + 2)).unwrap();
    assert_eq!(days(&store), [wrong.0, wrong.0 + 1, wrong.0 + 2]);
}
