//! One index takes nothing: other datasets do not notice. One record is never taken: it is one dead letter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;
use trunkline_runtime::Tasks;
use trunkline_tests::fleet::{Fleet, Plan};
use trunkline_tests::real_parts::OpenSearch;
use trunkline_tests::{count, hand_in};

use crate::moody::{Mood, Moody};
use crate::parts::in_parts;
use crate::stage::Stage;
use crate::writer::{Manner, Writer};

/// How much later a record of one dataset may be when another is not taken.
const DELAY: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(180);
/// How many records may be on their way when an index begins to reject.
const ON_THE_WAY: usize = 2_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t24_an_index_that_rejects_everything_delays_no_other_dataset() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    in_parts("an index rejects everything, seconds", count(10, 120), 120, async |seconds| {
        let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
        let said = reject(&opensearch, Duration::from_secs(seconds as u64)).await?;
        opensearch.stop().await?;
        Ok(said)
    })
    .await?;
    stage.passed()
}

async fn reject(opensearch: &OpenSearch, lasts: Duration) -> Result<Vec<String>> {
    let (tasks, rejects) = (Tasks::new(), Arc::new(AtomicBool::new(false)));
    let telling = rejects.clone();
    let moody = Moody::start(&tasks, opensearch.url(), move |index, _| {
        let rejected = index.contains(".prod.") && telling.load(Ordering::Relaxed);
        if rejected { Mood::Some("", 429) } else { Mood::Well }
    })
    .await?;
    let fleet = Plan::new(moody.store(), &["eu"]).raise().await;
    let start = |name, dataset: &str| {
        // It is not how much a store takes that is measured.
        let manner = Manner { pause: Duration::from_millis(50), ..Manner::default() };
        Writer::start(name, fleet.intake("eu"), &format!("/datasets/{dataset}/_bulk"), manner, &fleet.tasks)
    };
    // The index of `audit` is blocked by OpenSearch itself, that of `prod` is said to be.
    let (well, blocked, rejected) =
        (start("well", "logs"), start("blocked", "audit"), start("rejected", "prod"));
    for (writer, query) in
        [(&well, "q=dataset:logs"), (&blocked, "q=dataset:audit"), (&rejected, "q=dataset:prod")]
    {
        writer.goes_on(20, SOON).await;
        fleet.finds(query, 20, SOON).await;
    }
    // Indices are made, and what waited for that is stored.
    fleet.finds("q=dataset:logs", well.answered(), SOON).await;
    let first = well.answered();
    sleep(lasts / 2).await;
    let before = well.answered();
    let block = |on: bool| json!({"index.blocks.write": on});
    opensearch.ask("PUT", "/trunkline-logs.audit.*/_settings", Some(&block(true))).await?;
    rejects.store(true, Ordering::Relaxed);
    let of_rejecting = || moody.stored("audit").len() + moody.stored("prod").len();
    let there = of_rejecting();
    sleep(lasts).await;
    let meanwhile = of_rejecting() - there;
    well.stop().await;
    fleet.finds("q=dataset:logs", well.answered(), SOON).await;
    let (calm, rejected_beside) =
        (delays(&well, first..before, &moody), delays(&well, before..usize::MAX, &moody));
    let mut said = vec![
        format!("before: {calm}"),
        format!("two indices reject: {rejected_beside}"),
        format!("{meanwhile} of those rejected were on their way already"),
    ];
    assert!(rejected_beside.worst < calm.worst + DELAY, "{said:?}");
    assert!(meanwhile < ON_THE_WAY, "{said:?}");
    opensearch.ask("PUT", "/trunkline-logs.audit.*/_settings", Some(&block(false))).await?;
    rejects.store(false, Ordering::Relaxed);
    for (writer, query) in
        [(&blocked, "q=dataset:audit"), (&rejected, "q=dataset:prod"), (&well, "q=dataset:logs")]
    {
        writer.stop().await;
        fleet.finds(query, writer.answered(), SOON).await;
        let balance = writer.balance(&fleet.messages(query).await);
        assert!(balance.is_even(), "{query}: {balance}");
        said.push(format!("{query}: {balance}"));
    }
    Ok(said)
}

/// How long records took from yes to the store.
struct Delays {
    records: usize,
    median: Duration,
    worst: Duration,
}

impl std::fmt::Display for Delays {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { records, median, worst } = self;
        write!(
            f,
            "{records} records of another dataset were stored {median:.0?} (median), {worst:.0?} (at the most) after yes"
        )
    }
}

/// Of those that were answered, from one to another.
fn delays(writer: &Writer, which: std::ops::Range<usize>, moody: &Moody) -> Delays {
    let stored = moody.stored("logs");
    let ledger = writer.ledger();
    let delay = |(number, answered): (&usize, &tokio::time::Instant)| {
        stored[&format!("well {number}")].saturating_duration_since(*answered)
    };
    let its = ledger.answered.iter().skip(which.start).take(which.end - which.start);
    let mut delays: Vec<Duration> = its.map(delay).collect();
    delays.sort_unstable();
    Delays { records: delays.len(), median: delays[delays.len() / 2], worst: delays[delays.len() - 1] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t24_a_poisoned_record_is_one_dead_letter_and_those_beside_it_are_stored() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let tasks = Tasks::new();
    let moody = Moody::start(&tasks, opensearch.url(), |index, _| {
        if index.contains("dead_letters") { Mood::Well } else { Mood::Some("poisoned", 400) }
    })
    .await?;
    let mut fleet = Plan::new(moody.store(), &["eu"]).raise().await;
    poison(&fleet).await;
    fleet.finds("q=dataset:logs", 2, SOON).await;
    fleet.finds("q=dataset:dead_letters", 1, SOON).await;
    // Its shipper heard nothing, it seems, and sends it again; neither end remembers.
    for _ in 0..2 {
        fleet.kill_agent("eu");
        fleet.start_agent("eu");
        fleet.connected("eu").await;
        poison(&fleet).await;
        fleet.nothing_waits(SOON).await;
    }
    fleet.nothing_waits(SOON).await;
    let letters = fleet.messages("clusters=eu&q=dataset:dead_letters").await;
    println!("poisoned three times: {letters:?}");
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(
        letters[0].contains("dead letter: a record of logs") && letters[0].contains("told to"),
        "{letters:?}"
    );
    let mut others = fleet.messages("clusters=eu&q=dataset:logs").await;
    others.sort();
    assert_eq!(others, ["after", "before"]);
    let status = fleet.logs("/status").await;
    let dead = status["items"].as_array().unwrap().iter().map(|item| item["deadLetters"].as_u64().unwrap());
    assert_eq!(dead.sum::<u64>(), 1, "{status}");
    assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_dead_letters_total").await, 1.0);
    assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_lost_total").await, 0.0);
    opensearch.stop().await?;
    stage.passed()
}

async fn poison(fleet: &Fleet) {
    let records = ["before", "poisoned", "after"]
        .map(|message| format!("{}\n{}\n", json!({"create": {"_id": message}}), json!({"message": message})));
    let body = records.concat();
    let answer =
        hand_in(fleet.intake("eu"), "/_bulk", "application/x-ndjson", body.as_bytes()).await.unwrap();
    assert!(answer.0 == 200 && answer.1.contains("\"errors\":false"), "{answer:?}");
}
