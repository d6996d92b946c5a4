//! A store that refuses, stammers, lies and is away, in front of and as a real OpenSearch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use trunkline_runtime::Tasks;
use trunkline_tests::fleet::{Plan, store_at};
use trunkline_tests::real_parts::OpenSearch;
use trunkline_tests::{count, wait_until};

use crate::moody::{Mood, Moody};
use crate::parts::in_parts;
use crate::stage::Stage;
use crate::writer::{Manner, Writers};

/// What a store may say to a bulk request that it does not take as it is, or says it did not.
const MOODS: [Mood; 11] = [
    Mood::No(429),
    Mood::No(503),
    Mood::No(413),
    Mood::No(500),
    Mood::Liar(503),
    Mood::Liar(429),
    Mood::Mumbles,
    Mood::Silent,
    Mood::Half(429),
    Mood::Half(503),
    Mood::Well,
];
/// How long it takes until the store was bad as often as it is to be.
const BAD_ENOUGH: Duration = Duration::from_secs(1800);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_store_answers_what_was_answered_is_there_once() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    in_parts("store answers badly", count(30, 1_000), 250, async |times| {
        opensearch.delete("trunkline-logs.*").await?;
        let left = Arc::new(AtomicUsize::new(times));
        let telling = left.clone();
        let tasks = Tasks::new();
        let moody = Moody::start(&tasks, opensearch.url(), move |_, body| {
            let mood = match MOODS[rand::random_range(0..MOODS.len())] {
                // What is too long by itself is never taken, rightly.
                Mood::No(413) if body.lines().count() < 8 => Mood::No(503),
                mood => mood,
            };
            let is_bad = mood != Mood::Well;
            let one_less = |left: usize| left.checked_sub(usize::from(is_bad));
            match telling.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less) {
                Ok(_) => mood,
                Err(_) => Mood::Well,
            }
        })
        .await?;
        let fleet = Plan::new(moody.store(), &["eu"]).raise().await;
        let writers = Writers::start(&fleet, "eu").and_one_at_the_gateway(Manner::default(), &fleet);
        wait_until("the store was bad often enough", BAD_ENOUGH, async || {
            (left.load(Ordering::Relaxed) == 0).then_some(())
        })
        .await;
        let mut said: Vec<String> =
            moody.moods().iter().map(|(mood, times)| format!("{mood} {times}")).collect();
        said = vec![said.join(", ")];
        said.extend(writers.are_even(&fleet).await);
        opensearch.refresh().await?;
        let there = opensearch.count("trunkline-logs.*").await?;
        assert_eq!(there, writers.answered() as u64);
        said.push(format!("{there} in OpenSearch"));
        assert_eq!(fleet.count("q=dataset:dead_letters").await, 0);
        Ok(said)
    })
    .await?;
    opensearch.stop().await?;
    stage.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opensearch_that_is_away_gets_all_when_it_is_back() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    in_parts("OpenSearch away, seconds", count(5, 600), 600, async |seconds| {
        let away = Duration::from_secs(seconds as u64);
        let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
        let fleet = Plan::new(store_at(opensearch.url()), &["eu"]).raise().await;
        let manner = Manner { pause: Duration::from_millis(100), ..Manner::default() };
        let writers = Writers::start_in(manner, &fleet, "eu").and_one_at_the_gateway(manner, &fleet);
        writers.go_on().await;
        let opensearch = opensearch.stopped_for(away).await?;
        let mut said = vec![format!("{} answered when it was back", writers.answered())];
        said.extend(writers.are_even(&fleet).await);
        opensearch.stop().await?;
        Ok(said)
    })
    .await?;
    stage.passed()
}
