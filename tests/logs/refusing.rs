//! A store that refuses, stammers, lies and is away, in front of and as a real OpenSearch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;
use trunkline_tests::{count, hand_in, wait_until};

use crate::fleet::Plan;
use crate::moody::{Mood, Moody, store_at};
use crate::opensearch::OpenSearch;
use crate::parts::in_parts;
use crate::stage::Stage;
use crate::writer::{Writer, Writers};

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
/// How much later a record of one dataset may be when another is not taken.
const DELAY: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_store_answers_what_was_answered_is_there_once() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    in_parts("store answers badly", count(30, 1_000), 250, async |times| {
        opensearch.delete("trunkline-logs.*").await.unwrap();
        let left = Arc::new(AtomicUsize::new(times));
        let telling = left.clone();
        let fleet = Plan::new(json!({}), &["eu"]);
        let tasks = trunkline_runtime::Tasks::new();
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
        .await
        .unwrap();
        let fleet = fleet.with_store(moody.store()).raise().await;
        let writers = Writers::start(&fleet, "eu").and_one_at_the_gateway(&fleet);
        wait_until("the store was bad often enough", Duration::from_secs(1800), async || {
            (left.load(Ordering::Relaxed) == 0).then_some(())
        })
        .await;
        let mut said: Vec<String> = moody.moods().iter().map(|(mood, times)| format!("{mood} {times}")).collect();
        said = vec![said.join(", ")];
        said.extend(writers.are_even(&fleet).await);
        opensearch.refresh().await.unwrap();
        let there = opensearch.count("trunkline-logs.*").await.unwrap();
        assert_eq!(there, writers.answered() as u64);
        said.push(format!("{there} in OpenSearch"));
        assert_eq!(fleet.count("q=dataset:dead_letters").await, 0);
        said
    })
    .await;
    opensearch.stop().await?;
    stage.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opensearch_that_is_away_gets_all_when_it_is_back() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let away = Duration::from_secs(count(5, 600).times as u64);
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let fleet = Plan::new(store_at(opensearch.url()), &["eu"]).raise().await;
    let writers = Writers::start(&fleet, "eu").and_one_at_the_gateway(&fleet);
    writers.go_on().await;
    let opensearch = opensearch.stopped_for(away).await?;
    let meanwhile = writers.answered();
    let said = writers.are_even(&fleet).await;
    println!("OpenSearch away for {away:?}: {meanwhile} answered by then: {}", said.join("; "));
    opensearch.stop().await?;
    stage.passed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_rejects_everything_delays_no_other_and_a_poisoned_record_is_one_dead_letter() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let seconds = count(10, 120);
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let tasks = trunkline_runtime::Tasks::new();
    let rejects = Arc::new(AtomicBool::new(false));
    let telling = rejects.clone();
    let moody = Moody::start(&tasks, opensearch.url(), move |index, _| {
        if index.contains(".prod.") && telling.load(Ordering::Relaxed) {
            return Mood::Some("", 429);
        }
        if index.contains("dead_letters") { Mood::Well } else { Mood::Some("poisoned", 400) }
    })
    .await?;
    let fleet = Plan::new(moody.store(), &["eu"]).raise().await;
    let at = |path: &str| (fleet.intake("eu"), format!("{path}/_bulk"));
    let start = |name, path: &str| {
        let (intake, path) = at(path);
        Writer::start(name, intake, &path, true, &fleet.tasks)
    };
    // The index of `audit` is blocked by OpenSearch itself, that of `prod` is said to be.
    let (well, blocked, rejected) =
        (start("well", "/datasets/logs"), start("blocked", "/datasets/audit"), start("rejected", "/datasets/prod"));
    for (query, writer) in [("q=dataset:logs", &well), ("q=dataset:audit", &blocked), ("q=dataset:prod", &rejected)] {
        writer.goes_on(20, SOON).await;
        fleet.finds(query, 20, SOON).await;
    }
    let block = |on: bool| json!({"index.blocks.write": on});
    opensearch.ask("PUT", "/trunkline-logs.audit.*/_settings", Some(&block(true))).await?;
    rejects.store(true, Ordering::Relaxed);
    let before = (moody.stored("audit").len(), moody.stored("prod").len());
    let first = well.answered();
    sleep(Duration::from_secs(seconds.times as u64)).await;
    let after = (moody.stored("audit").len(), moody.stored("prod").len());
    well.stop().await;
    fleet.finds("q=dataset:logs", well.answered(), SOON).await;
    let stored = moody.stored("logs");
    let ledger = well.ledger();
    let delays = ledger.answered.iter().skip(first).map(|(number, answered)| {
        stored[&format!("well {number}")].saturating_duration_since(*answered)
    });
    let mut delays: Vec<Duration> = delays.collect();
    delays.sort_unstable();
    let worst = *delays.last().unwrap();
    let median = delays[delays.len() / 2];
    drop(ledger);
    println!(
        "two indices reject everything for {seconds} s: {} records of another dataset were stored {median:?} (median), {worst:?} (at the \
         most) after yes; of those rejected {} were stored meanwhile",
        delays.len(),
        after.0 + after.1 - before.0 - before.1,
    );
    assert!(worst < DELAY, "{worst:?}");
    assert!(after.0 - before.0 <= 200 && after.1 - before.1 <= 200, "{before:?} {after:?}");
    // What is poisoned is told once, however often it is sent, and holds nothing up.
    let record = r#"{"message":"poisoned 1"}"#;
    for _ in 0..2 {
        let body = format!("{{\"create\":{{\"_id\":\"p\"}}}}\n{record}\n{{\"create\":{{\"_id\":\"q\"}}}}\n{{\"message\":\"well 0\"}}\n");
        let answer = hand_in(fleet.intake("eu"), "/datasets/eu/_bulk", "application/x-ndjson", body.as_bytes()).await;
        assert_eq!(answer.unwrap().0, 200);
    }
    fleet.finds("q=dataset:eu", 1, SOON).await;
    fleet.finds("q=dataset:dead_letters", 1, SOON).await;
    opensearch.ask("PUT", "/trunkline-logs.audit.*/_settings", Some(&block(false))).await?;
    rejects.store(false, Ordering::Relaxed);
    for (writer, query) in [(&blocked, "q=dataset:audit"), (&rejected, "q=dataset:prod"), (&well, "q=dataset:logs")] {
        writer.stop().await;
        fleet.finds(query, writer.answered(), SOON).await;
        let balance = writer.balance(&fleet.messages(query).await);
        println!("{query}: {balance}");
        assert!(balance.is_even(), "{query}: {balance}");
    }
    let status = fleet.nothing_waits(SOON).await;
    let letters = fleet.messages("clusters=eu&q=dataset:dead_letters").await;
    println!("dead letters: {letters:?}");
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(letters[0].contains("dead letter: a record of eu") && letters[0].contains("told to"), "{letters:?}");
    assert_eq!(fleet.messages("q=dataset:eu").await, ["well 0"]);
    let dead = status["items"].as_array().unwrap().iter().map(|item| item["deadLetters"].as_u64().unwrap());
    assert_eq!(dead.sum::<u64>(), 1, "{status}");
    assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_dead_letters_total").await, 1.0);
    opensearch.stop().await?;
    stage.passed()
}
