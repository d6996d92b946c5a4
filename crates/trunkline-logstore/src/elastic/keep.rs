//! What the store is, whether it may be written to, and which indices are past their days.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trunkline_logs::Day;

use super::bulk::said;
use super::index::{Index, PREFIX};
use super::template::{self, Found};
use super::wire::{Answer, Ask, Wire};
use crate::Unavailable;

/// How long a template that was looked at is believed.
const BELIEVED: Duration = Duration::from_secs(300);
/// How long a store that could not be used is not looked at again: whoever waited for the last look has its error.
const DOUBTED: Duration = Duration::from_secs(1);
/// How long a question of this kind may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// The longest answer of this kind, in bytes: a hundred thousand indices.
const MAX_ANSWER: usize = 16 << 20;
/// The most indices that are deleted at one time.
const MAX_DELETED: usize = 1000;

/// Which product answers, in which version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Product {
    /// `elasticsearch` or `opensearch`.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl std::fmt::Display for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// How the store is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether it answered just now.
    pub is_reachable: bool,
    /// Which product it is.
    pub product: Option<Product>,
    /// Whether the index template is there, so that documents can be taken.
    pub is_ready: bool,
    /// How many indices are ours.
    pub indices: usize,
    /// The oldest day of which there is an index.
    pub oldest: Option<Day>,
    /// Why it takes nothing though it answers; none while it takes anything.
    pub write_fault: Option<String>,
    /// What went wrong last, whatever went well since.
    pub last_error: Option<String>,
}

/// What was seen of the store, and when.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) product: Option<Product>,
    /// The days of which there was an index.
    pub(super) days: BTreeSet<Day>,
    last: Option<(Instant, Result<(), Unavailable>)>,
}

impl Seen {
    /// What the last look said, as long as that is believed.
    pub(super) fn believed(&self) -> Option<Result<(), Unavailable>> {
        let (when, said) = self.last.as_ref()?;
        let long = if said.is_ok() { BELIEVED } else { DOUBTED };
        (when.elapsed() < long).then(|| said.clone())
    }

    /// Remembers what a look said.
    pub(super) fn saw(&mut self, product: Option<Product>, said: Result<(), Unavailable>) {
        self.product = product.or_else(|| self.product.take());
        self.last = Some((Instant::now(), said));
    }
}

#[derive(Deserialize)]
struct Listed {
    index: String,
}

/// Which product it is.
pub(super) async fn product(wire: &Wire) -> Result<Product, Unavailable> {
    let answer = json(wire, Method::GET, "/".into(), None).await?;
    let version = &answer["version"];
    let number = version["number"].as_str().ok_or_else(|| why("it says no version: is it a log store?"))?;
    let name = version["distribution"].as_str().unwrap_or("elasticsearch");
    let mut parts = number.split('.').map_while(|part| part.parse::<u32>().ok());
    let major = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let oldest = if name == "opensearch" { (1, 0) } else { (7, 10) };
    if major < oldest {
        let (first, second) = oldest;
        return Err(why(format!("it is {name} {number}; at least {first}.{second} is needed")));
    }
    let short = |text: &str| text.chars().take(32).collect();
    Ok(Product { name: short(name), version: short(number) })
}

/// Sees to it that new indices are made by our template.
pub(super) async fn prepare(wire: &Wire, ours: &Value) -> Result<(), Unavailable> {
    let path = || format!("/_index_template/{}", template::NAME);
    let asked = ask(wire, Method::GET, path(), None).await?;
    let there = match asked.status {
        StatusCode::NOT_FOUND => Value::Null,
        StatusCode::OK => read(&asked)?,
        other => {
            return Err(no(
                format!("the index template cannot be read: {}", said(other, &asked.body)),
                &asked,
            ));
        }
    };
    if template::compare(&there, ours) == Found::Other {
        let written = ask(wire, Method::PUT, path(), Some(ours)).await?;
        if written.status != StatusCode::OK {
            let said = said(written.status, &written.body);
            return Err(no(format!("the index template cannot be written: {said}"), &written));
        }
        tracing::info!(template = template::NAME, "the log store's index template is written");
    }
    let made = format!("/_index_template/_simulate_index/{PREFIX}.logs.1970-01-01");
    let made = ask(wire, Method::POST, made, None).await?;
    if made.status != StatusCode::OK {
        let said = said(made.status, &made.body);
        return Err(no(format!("the index template cannot be tried: {said}"), &made));
    }
    if template::is_whole(&read(&made)?, ours) || template::compare(&there, ours) == Found::Newer {
        return Ok(());
    }
    Err(why(format!(
        "indices of ours would be made by another template than {}: is there one of a higher priority for {PREFIX}.*?",
        template::NAME
    )))
}

/// The indices that are ours.
pub(super) async fn indices(wire: &Wire) -> Result<Vec<Index>, Unavailable> {
    let path = format!("/_cat/indices/{PREFIX}.*?format=json&h=index&expand_wildcards=open,closed");
    let answer = ask(wire, Method::GET, path, None).await?;
    if answer.status != StatusCode::OK {
        let said = said(answer.status, &answer.body);
        return Err(no(format!("the indices cannot be listed: {said}"), &answer));
    }
    let listed: Vec<Listed> =
        serde_json::from_slice(&answer.body).map_err(|error| why(format!("no list of indices: {error}")))?;
    Ok(listed.iter().filter_map(|listed| Index::named(&listed.index)).collect())
}

/// Deletes these indices, those of the oldest days first; each by its own name.
pub(super) async fn delete(wire: &Wire, mut old: Vec<Index>) -> Result<Vec<String>, Unavailable> {
    old.sort_by_key(|index| index.day);
    let mut deleted = Vec::new();
    for index in old.into_iter().take(MAX_DELETED) {
        let name = index.name();
        let answer = ask(wire, Method::DELETE, format!("/{name}"), None).await?;
        match answer.status {
            StatusCode::OK => deleted.push(name),
            // Another gateway was quicker.
            StatusCode::NOT_FOUND => {}
            other => {
                let said = said(other, &answer.body);
                return Err(no(format!("{name} is too old and cannot be deleted: {said}"), &answer));
            }
        }
    }
    Ok(deleted)
}

async fn json(wire: &Wire, method: Method, path: String, body: Option<&Value>) -> Result<Value, Unavailable> {
    let answer = ask(wire, method, path, body).await?;
    if answer.status == StatusCode::OK {
        read(&answer)
    } else {
        Err(no(said(answer.status, &answer.body), &answer))
    }
}

async fn ask(wire: &Wire, method: Method, path: String, body: Option<&Value>) -> Result<Answer, Unavailable> {
    let ask = Ask {
        method,
        path,
        body: body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
        kind: "application/json",
        is_gzip: false,
        is_aside: false,
        deadline: DEADLINE,
        limit: MAX_ANSWER,
    };
    wire.ask(&ask).await.map_err(|trouble| why(trouble.to_string()))
}

fn read(answer: &Answer) -> Result<Value, Unavailable> {
    serde_json::from_slice(&answer.body).map_err(|error| why(format!("its answer is no JSON: {error}")))
}

fn why(why: impl Into<String>) -> Unavailable {
    Unavailable { why: why.into(), retry_after: None }
}

fn no(why: String, answer: &Answer) -> Unavailable {
    Unavailable { why, retry_after: answer.retry_after }
}
