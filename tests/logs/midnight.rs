//! Records of yesterday that are handed in today, twice: they are in yesterday's index, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use trunkline_logs::{Day, ENTRY, Entry, OwnId};
use trunkline_runtime::Tasks;
use trunkline_spool::{NewRecord, Settings, Spool};
use trunkline_tests::count;
use trunkline_tests::fleet::Plan;
use trunkline_tests::real_parts::OpenSearch;

use crate::moody::{Mood, Moody};
use crate::parts::in_parts;
use crate::stage::Stage;

const DAY: Duration = Duration::from_secs(24 * 3600);
const SOON: Duration = Duration::from_secs(180);
/// How many answers are lost before one is heard.
const LOST: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_spooled_before_midnight_is_stored_once_on_its_day_however_often_it_is_sent() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    in_parts("records of yesterday", count(2_000, 100_000), 100_000, async |many| {
        let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
        let said = hand_in_late(&opensearch, many).await?;
        opensearch.stop().await?;
        Ok(vec![said])
    })
    .await?;
    stage.passed()
}

async fn hand_in_late(opensearch: &OpenSearch, many: usize) -> Result<String> {
    let (tasks, told) = (Tasks::new(), Arc::new(AtomicUsize::new(0)));
    let telling = told.clone();
    let moody = Moody::start(&tasks, opensearch.url(), move |_, _| {
        if telling.fetch_add(1, Ordering::Relaxed) < LOST { Mood::Silent } else { Mood::Well }
    })
    .await?;
    let mut fleet = Plan::new(moody.store(), &["eu"]).make();
    let yesterday = SystemTime::now() - DAY;
    fill(&fleet.spool("eu").join("logs"), yesterday, many).await?;
    fleet.start_gateway().await;
    fleet.start_agent("eu");
    fleet.finds("q=dataset:logs", 1, SOON).await;
    // Between two attempts the agent goes as well.
    fleet.kill_agent("eu");
    fleet.start_agent("eu");
    fleet.finds("q=dataset:logs", many, SOON).await;
    fleet.nothing_waits(SOON).await;
    opensearch.refresh().await?;
    let day = |at: SystemTime| -> Result<Day> { Ok(Day::of(Timestamp::try_from(at)?.as_millisecond())) };
    let on = |day: Day| format!("trunkline-logs.logs.{day}");
    let (then, now) = (on(day(yesterday)?), on(day(SystemTime::now())?));
    let there = (opensearch.count(&then).await?, opensearch.count(&now).await?);
    assert_eq!(there, (many as u64, 0), "{then}, {now}");
    let mut messages = fleet.messages("q=dataset:logs").await;
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), many);
    let told = told.load(Ordering::Relaxed);
    Ok(format!("{told} bulk requests, {LOST} answers lost: {} in {then}, {} in {now}", there.0, there.1))
}

/// A spool as an agent left it on another day: half of its records have ids of their shipper's.
async fn fill(folder: &std::path::Path, at: SystemTime, many: usize) -> Result<()> {
    let tasks = Tasks::new();
    std::fs::create_dir_all(folder)?;
    let spool = Spool::open(folder, Settings { clock: Arc::new(move || at), ..Settings::default() }, &tasks)?;
    let received = Timestamp::try_from(at)?.as_millisecond();
    let record = |number: usize| {
        let own_id = number.is_multiple_of(2).then(|| OwnId::of(&format!("id-{number}")));
        let json = Bytes::from(json!({"message": format!("of yesterday {number}")}).to_string());
        NewRecord { tag: ENTRY, bytes: Entry { received, own_id, json }.encode() }
    };
    let numbers: Vec<usize> = (0..many).collect();
    for some in numbers.chunks(500) {
        spool.writer().append(some.iter().map(|number| record(*number)).collect()).await?;
    }
    tasks.shut_down().await;
    Ok(())
}
