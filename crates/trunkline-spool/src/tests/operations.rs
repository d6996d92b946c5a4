//! Any run of what can happen to a spool, against what it promised.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::prove::count;
use super::small;
use super::world::{Step, World};
use crate::settings::{Full, Settings};

fn lengths() -> impl Strategy<Value = Vec<u16>> {
    prop_oneof![3 => vec(0..600_u16, 1..6), 1 => vec(0..50_u16, 1..60), 1 => vec(2_000..9_000_u16, 1..3)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => lengths().prop_map(Step::Append),
        3 => (0..=100_u8).prop_map(Step::Ack),
        2 => Just(Step::Settle),
        4 => (1..9_u8).prop_map(Step::Read),
        1 => Just(Step::Rewind),
        1 => any::<bool>().prop_map(|orderly| Step::Reopen { orderly }),
        1 => Just(Step::PowerCut),
        3 => (0..20_u8).prop_map(Step::PowerCutAfter),
        2 => (0..6_000_u16).prop_map(Step::Fill),
        2 => Just(Step::Free),
        1 => (1..3_u8).prop_map(Step::FailSyncs),
        1 => (-100_000..100_000).prop_map(Step::Clock),
    ]
}

fn kinds() -> impl Strategy<Value = Settings> {
    let ages = prop_oneof![2 => Just(None), 1 => Just(Some(Duration::from_secs(50_000)))];
    (any::<bool>(), ages).prop_map(|(drops, max_age)| Settings {
        full: if drops { Full::DropOldest } else { Full::Refuse },
        max_age,
        ..small()
    })
}

#[test]
fn whatever_happens_nothing_answered_is_lost_comes_twice_or_out_of_order_and_gaps_are_exact() {
    let count = count(200, 20_000);
    let config = Config {
        cases: count.times as u32,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(
        &(kinds(), vec(step(), 1..80), any::<u64>()),
        |(settings, steps, seed)| {
            let mut world = World::new(settings, seed);
            steps.iter().for_each(|step| world.does(step));
            world.ends();
            Ok(())
        },
    );
    ran.unwrap();
    println!("{count} runs of up to 80 steps");
}

#[test]
fn power_cuts_at_any_change_of_the_disk_lose_nothing_that_was_answered() {
    let count = count(1_000, 100_000);
    let (mut cuts, mut answered, mut refused) = (0, 0, 0);
    for seed in 0..count.times as u64 {
        let mut luck = StdRng::seed_from_u64(seed);
        let mut world = World::new(small(), seed);
        for _ in 0..4 {
            world.does(&Step::PowerCutAfter(luck.random_range(0..60)));
            let before = world.cuts;
            // With the last change of one the power may go at the first of the next.
            for _ in 0..60 {
                let lengths = (0..luck.random_range(1..5)).map(|_| luck.random_range(0..1_500)).collect();
                world.does(&Step::Append(lengths));
                if luck.random_ratio(1, 4) {
                    world.does(&Step::Ack(luck.random_range(0..=100)));
                    world.does(&Step::Settle);
                }
                if world.cuts > before {
                    break;
                }
            }
        }
        let world = world.ends();
        (cuts, answered, refused) = (cuts + world.cuts, answered + world.answered, refused + world.refused);
    }
    println!("{count} seeds: {cuts} power cuts, {answered} records answered, {refused} not");
    assert!(cuts > 3 * count.times && answered > 10 * count.times);
}

/// Found by the full number of the runs above: neither the segment that was begun in vain nor the one in its place was there.
#[test]
fn a_power_cut_while_another_life_begins_in_the_place_of_an_empty_segment_leaves_one_of_the_two() {
    for after in 0..8 {
        for seed in 0..50 {
            let age = Some(Duration::from_secs(50_000));
            let mut world = World::new(Settings { max_age: age, ..small() }, seed);
            let old = [Step::Append(vec![1, 2]), Step::Clock(50_001), Step::Settle];
            old.iter().for_each(|step| world.does(step));
            world.does(&Step::Reopen { orderly: false });
            world.does(&Step::PowerCutAfter(after));
            world.does(&Step::Append(vec![3]));
            world.does(&Step::PowerCut);
            assert!(world.has_a_segment(), "the power went after {after} changes");
            world.ends();
        }
    }
}
