//! Each shipper, straight into OpenSearch: every line once. And OpenSearch itself, as far as tests rely on it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use trunkline_runtime::Tasks;
use trunkline_tests::command::until;
use trunkline_tests::real_parts::{
    Asked, Collector, Encoding, Filebeat, OTLP_INDEX, OpenSearch, PassThrough, Rsyslog, Shipping,
};

use crate::stage::{Stage, append_lines, line};

/// Half of them are in the file before the shipper starts, half are written while it runs.
const LINES: usize = 5_000;
const DELIVERED: Duration = Duration::from_secs(120);
const LOGIN: Option<(&str, &str)> = Some(("shipper", "of-the-test"));

fn shipping<'a>(folder: &'a Path, file: &'a Path, url: &'a str) -> Shipping<'a> {
    Shipping { folder, file, url, login: LOGIN }
}

fn lines() -> Vec<String> {
    (1..=LINES).map(line).collect()
}

#[tokio::test]
async fn rsyslog_delivers_every_line_once() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let (folder, file) = (stage.folder("rsyslog")?, stage.folder("")?.join("followed.log"));
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    append_lines(&file, 1..=LINES / 2)?;
    let rsyslog = Rsyslog::start(shipping(&folder, &file, opensearch.url()))?;
    opensearch.has(Rsyslog::INDEX, LINES / 2, DELIVERED).await?;
    append_lines(&file, LINES / 2 + 1..=LINES)?;
    opensearch.has(Rsyslog::INDEX, LINES, DELIVERED).await?;
    let given_up = rsyslog.given_up();
    rsyslog.stop().await?;
    assert_eq!(given_up, "");
    opensearch.refresh().await?;
    assert_eq!(opensearch.messages(Rsyslog::INDEX).await?, lines());
    opensearch.stop().await?;
    stage.passed()
}

#[tokio::test]
async fn filebeat_with_its_default_settings_delivers_every_line_once() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let tasks = Tasks::new();
    let (folder, file) = (stage.folder("filebeat")?, stage.folder("")?.join("followed.log"));
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let pass = PassThrough::start(&tasks, opensearch.url()).await?;
    append_lines(&file, 1..=LINES / 2)?;
    let filebeat = Filebeat::start(&stage.parts, shipping(&folder, &file, pass.url()))?;
    opensearch.has(Filebeat::INDEX, LINES / 2, DELIVERED).await?;
    append_lines(&file, LINES / 2 + 1..=LINES)?;
    opensearch.has(Filebeat::INDEX, LINES, DELIVERED).await?;
    filebeat.stop().await?;
    opensearch.refresh().await?;
    assert_eq!(opensearch.messages(Filebeat::INDEX).await?, lines());
    // What an intake for it must answer, before it writes. It may ask the same twice in a row: a connection that it
    // finds closed is made again.
    let mut first: Vec<String> =
        pass.asked().iter().map(|asked| format!("{} {}", asked.method, asked.uri)).collect();
    first.dedup();
    let wanted = ["GET /", "GET /_license?human=false", "GET /", "GET /_xpack"];
    assert_eq!(first[..4], wanted);
    assert!(first[4].starts_with("HEAD /_index_template/filebeat-"), "{first:?}");
    opensearch.stop().await?;
    stage.passed()
}

#[tokio::test]
async fn a_collector_delivers_every_line_once() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let tasks = Tasks::new();
    let (folder, file) = (stage.folder("otelcol")?, stage.folder("")?.join("followed.log"));
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let pass = PassThrough::start(&tasks, opensearch.url()).await?;
    append_lines(&file, 1..=LINES / 2)?;
    let shipping = shipping(&folder, &file, pass.url());
    let collector = Collector::start(&stage.parts, shipping, Encoding::Json)?;
    opensearch.has(OTLP_INDEX, LINES / 2, DELIVERED).await?;
    append_lines(&file, LINES / 2 + 1..=LINES)?;
    opensearch.has(OTLP_INDEX, LINES, DELIVERED).await?;
    collector.stop().await?;
    opensearch.refresh().await?;
    assert_eq!(opensearch.messages(OTLP_INDEX).await?, lines());
    let login = |asked: &Asked| asked.headers["authorization"] == "Basic c2hpcHBlcjpvZi10aGUtdGVzdA==";
    assert!(pass.asked().iter().all(login));

    // The same in protobuf, in which a line is as plain to see.
    let pass = PassThrough::start(&tasks, opensearch.url()).await?;
    let shipping = self::shipping(&folder, &file, pass.url());
    let collector = Collector::start(&stage.parts, shipping, Encoding::Protobuf)?;
    let seen = until("every line in protobuf", DELIVERED, async || {
        let seen = lines_in(&pass.asked());
        Ok((seen.len() >= LINES).then_some(seen))
    })
    .await?;
    collector.stop().await?;
    assert_eq!(seen, lines());
    opensearch.stop().await?;
    stage.passed()
}

/// The lines in the bodies of requests, sorted.
fn lines_in(asked: &[Asked]) -> Vec<String> {
    let length = line(1).len();
    let mut lines = Vec::new();
    for asked in asked {
        let starts = (0..asked.body.len()).filter(|at| asked.body[*at..].starts_with(b"line "));
        lines.extend(starts.map(|at| String::from_utf8_lossy(&asked.body[at..at + length]).into_owned()));
    }
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn opensearch_keeps_what_it_acknowledged_over_a_kill_and_forgets_what_it_is_told_to() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    let template = json!({"index_patterns": ["kept-*"], "template": {"settings": {"number_of_replicas": 0}}});
    opensearch.ask("PUT", "/_index_template/kept", Some(&template)).await?;
    for number in 1..=3 {
        let document = json!({"message": line(number), "cluster": "alpha"});
        opensearch.ask("POST", "/kept-1/_doc", Some(&document)).await?;
    }
    let opensearch = opensearch.killed_and_started_again().await?;
    opensearch.has("kept-*", 3, DELIVERED).await?;
    assert_eq!(opensearch.template("kept").await?["index_patterns"], json!(["kept-*"]));
    let found = opensearch.search("kept-*", "message.keyword", &line(2)).await?;
    assert_eq!(found, [json!({"message": line(2), "cluster": "alpha"})]);
    assert_eq!(opensearch.search("kept-*", "cluster.keyword", "beta").await?, [] as [serde_json::Value; 0]);
    opensearch.delete("kept-1").await?;
    assert_eq!(opensearch.count("kept-*").await?, 0);
    opensearch.stop().await?;
    stage.passed()
}
