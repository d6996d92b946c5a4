//! A real OpenSearch of one node, and what tests ask it.
//!
//! An index is named as in its paths: `logs-*` and `a,b` are several, and one that is not there has no documents.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{Call, Process, until};
use crate::real_parts::{free_port, scripts};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::command::tied;

/// A few seconds on an idle machine with two cores.
const COMES_UP: Duration = Duration::from_secs(90);
const STOPS: Duration = Duration::from_secs(30);
/// What OpenSearch gives out for one search.
const PAGE: usize = 10_000;

/// A running OpenSearch. Dropping it kills it.
#[derive(Debug)]
pub struct OpenSearch {
    process: Process,
    folder: PathBuf,
    port: u16,
    url: String,
}

impl OpenSearch {
    /// Starts one with its data in `folder`, and waits until it answers. Started with the folder of another that has
    /// ended, it has what that had.
    pub async fn start(folder: &Path) -> Result<Self> {
        Self::at(folder, free_port()?).await
    }

    async fn at(folder: &Path, port: u16) -> Result<Self> {
        let up = tied(scripts().join("opensearch-up")).arg(folder).arg(port.to_string());
        let process = up.start(folder, "opensearch")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { process, folder: folder.to_owned(), port, url };
        until("OpenSearch answers", COMES_UP, async || {
            if let Ok(status) = server.process.ended(Duration::ZERO).await {
                bail!("OpenSearch has ended, {status}: {} {}", server.process.output(), server.process.log());
            }
            let path = "/_cluster/health?wait_for_status=yellow&timeout=1s";
            Ok(server.ask("GET", path, None).await.ok())
        })
        .await
        .with_context(|| server.process.output())?;
        Ok(server)
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it, and starts it again with its data at the same place.
    pub async fn killed_and_started_again(self) -> Result<Self> {
        let (folder, port) = (self.folder.clone(), self.port);
        self.process.kill().await?;
        Self::at(&folder, port).await
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Asks it to stop, and starts it again at the same place once it was away for so long.
    pub async fn stopped_for(self, away: Duration) -> Result<Self> {
        let (folder, port) = (self.folder.clone(), self.port);
        self.stop().await?;
        tokio::time::sleep(away).await;
        Self::at(&folder, port).await
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> Result<()> {
        self.process.signal("TERM").await?;
        self.process.ended(STOPS).await?;
        Ok(())
    }

    /// One request, whose answer must be JSON and no error.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut call = Call::new("curl").args(["-s", "--fail-with-body", "--max-time", "20", "-X", method]);
        if let Some(body) = body {
            call = call.args(["-H", "Content-Type: application/json", "--data-binary", "@-"]);
            call = call.input(body.to_string());
        }
        let outcome = call.arg(format!("{}{path}", self.url)).run().await?;
        if outcome.code != Some(0) {
            let words = String::from_utf8_lossy(&outcome.stdout).into_owned();
            bail!("{method} {path}: curl ended with {:?}: {words}", outcome.code);
        }
        serde_json::from_slice(&outcome.stdout).with_context(|| format!("{method} {path}"))
    }

    /// Makes all that was written so far show in searches.
    pub async fn refresh(&self) -> Result<()> {
        self.ask("POST", "/_refresh", None).await.map(|_| ())
    }

    /// How many documents an index shows.
    pub async fn count(&self, index: &str) -> Result<u64> {
        let path = format!("/{index}/_count?ignore_unavailable=true");
        self.ask("GET", &path, None).await?["count"].as_u64().context("a count")
    }

    /// How many documents have a field with exactly this value.
    pub async fn count_of(&self, index: &str, field: &str, value: &str) -> Result<u64> {
        let query = json!({"query": {"term": {field: value}}});
        let answer =
            self.ask("POST", &format!("/{index}/_count?ignore_unavailable=true"), Some(&query)).await?;
        answer["count"].as_u64().context("a count")
    }

    /// The documents whose field has exactly this value, at most 10,000. A text is looked for in the field's `keyword`.
    pub async fn search(&self, index: &str, field: &str, value: &str) -> Result<Vec<Value>> {
        self.found(index, json!({"term": {field: value}})).await
    }

    /// The `message` of every document of an index, in order; at most 10,000.
    pub async fn messages(&self, index: &str) -> Result<Vec<String>> {
        let documents = self.found(index, json!({"match_all": {}})).await?;
        let message = |document: &Value| document["message"].as_str().map(str::to_owned);
        let mut messages: Vec<String> =
            documents.iter().map(message).collect::<Option<_>>().context("a document without a message")?;
        messages.sort_unstable();
        Ok(messages)
    }

    async fn found(&self, index: &str, query: Value) -> Result<Vec<Value>> {
        let path = format!("/{index}/_search?ignore_unavailable=true");
        let answer = self.ask("POST", &path, Some(&json!({"size": PAGE, "query": query}))).await?;
        let hits = answer["hits"]["hits"].as_array().context("hits")?;
        Ok(hits.iter().map(|hit| hit["_source"].clone()).collect())
    }

    /// Forgets an index and all that is in it.
    pub async fn delete(&self, index: &str) -> Result<()> {
        self.ask("DELETE", &format!("/{index}"), None).await.map(|_| ())
    }

    /// An index template as it is kept.
    pub async fn template(&self, name: &str) -> Result<Value> {
        let answer = self.ask("GET", &format!("/_index_template/{name}"), None).await?;
        Ok(answer["index_templates"][0]["index_template"].clone())
    }

    /// Waits until an index shows as many documents as are wanted, or more. While it is being made, nothing can be
    /// asked of it.
    pub async fn has(&self, index: &str, wanted: usize, limit: Duration) -> Result<()> {
        let wanted = u64::try_from(wanted)?;
        let mut last = Ok(0);
        until("OpenSearch has all documents", limit, async || {
            last = self.refresh().await.and(self.count(index).await);
            Ok(matches!(last, Ok(count) if count >= wanted).then_some(()))
        })
        .await
        .with_context(|| format!("{index} should have {wanted}: {last:?}"))
    }
}
