//! Documents in: cut up by index and size, several requests at once, an outcome for each document.
//!
//! A request goes to one index only. So an index that refuses or hangs holds up its own documents; and each dataset has its own turn, so
//! that one that hangs takes no turn from others. A request that the store finds too long (413) is cut in two, down to one document.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::{BoxFuture, join_all};
use http::{Method, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trunkline_logs::{Dataset, Document, DocumentId};
use trunkline_runtime::Pieces;

use super::config::BulkConfig;
use super::index::Index;
use super::verdict::judge;
use super::wire::{Ask, Wire};
use crate::{Outcome, Unavailable};

/// The longest answer to a bulk request, in bytes, and for each of its documents.
const MAX_ANSWER: usize = 64 * 1024;
const MAX_ANSWER_EACH: usize = 8 * 1024;
/// How much is compressed before others have their turn, in bytes.
const PIECE: usize = 16 * 1024;
/// Datasets whose turns are remembered; idle ones are forgotten beyond that.
const MAX_TURNS: usize = 64;
/// What a request may hold at least, in bytes, however often the store said 413.
const SHORTEST: usize = 64 * 1024;
/// After how many requests that the store took whole it is tried whether it takes longer ones.
const GROWS: usize = 64;
/// How long documents wait for their turn: then they are to come later, so that what hangs holds no memory.
const TURN: Duration = Duration::from_secs(5);
/// All that is needed of an answer.
const FILTER: &str = "filter_path=items.*._id,items.*.status,items.*.error";

/// Who may hand in now.
#[derive(Debug)]
pub(super) struct Bulk {
    config: BulkConfig,
    /// The longest request that is made now, in bytes before compression.
    longest: AtomicUsize,
    /// How many were taken since one was too long.
    taken: AtomicUsize,
    turns: Mutex<HashMap<Dataset, Arc<Semaphore>>>,
}

/// Documents of one index, with their places among all.
struct Part<'a> {
    index: &'a str,
    documents: Vec<(usize, &'a Document)>,
}

impl Bulk {
    pub(super) fn new(config: BulkConfig) -> Self {
        Self {
            longest: AtomicUsize::new(config.bytes),
            taken: AtomicUsize::new(0),
            config,
            turns: Mutex::default(),
        }
    }

    /// Hands in documents, each to its index.
    pub(super) async fn write(
        &self,
        wire: &Wire,
        documents: &[Document],
        index_of: impl Fn(&Document) -> Result<Index, String>,
    ) -> Result<Vec<Outcome>, Unavailable> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; documents.len()];
        let mut indices: BTreeMap<String, Vec<(usize, &Document)>> = BTreeMap::new();
        for (at, document) in documents.iter().enumerate() {
            if document.source.contains('\n') {
                outcomes[at] = Some(Outcome::Rejected("its text holds the end of a line".into()));
                continue;
            }
            match index_of(document) {
                Ok(index) => indices.entry(index.name()).or_default().push((at, document)),
                Err(why) => outcomes[at] = Some(Outcome::Rejected(why)),
            }
        }
        let parts: Vec<Part<'_>> =
            indices.iter().flat_map(|(index, documents)| self.cut(index, documents)).collect();
        let places: Vec<Vec<usize>> =
            parts.iter().map(|part| part.documents.iter().map(|(at, _)| *at).collect()).collect();
        let answered = join_all(parts.into_iter().map(|part| self.hand_in(wire, part))).await;

        let mut failed = None;
        let mut is_answered = documents.is_empty() || indices.is_empty();
        for (places, answer) in places.into_iter().zip(answered) {
            match answer {
                Ok(answers) => {
                    is_answered = true;
                    for (at, outcome) in places.into_iter().zip(answers) {
                        outcomes[at] = Some(outcome);
                    }
                }
                Err(unavailable) => {
                    for at in places {
                        outcomes[at] = Some(Outcome::Later(unavailable.why.clone()));
                    }
                    failed = Some(unavailable);
                }
            }
        }
        match failed {
            Some(unavailable) if !is_answered => Err(unavailable),
            _ => Ok(outcomes
                .into_iter()
                .map(|outcome| outcome.unwrap_or_else(|| Outcome::Later("it was not asked for".into())))
                .collect()),
        }
    }

    fn cut<'a>(&self, index: &'a str, documents: &[(usize, &'a Document)]) -> Vec<Part<'a>> {
        let longest = self.longest.load(Ordering::Relaxed);
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut bytes = 0;
        for &(at, document) in documents {
            let more = length(document);
            match parts.last_mut() {
                Some(part) if bytes + more <= longest && part.documents.len() < self.config.documents => {
                    bytes += more;
                    part.documents.push((at, document));
                }
                _ => {
                    bytes = more;
                    parts.push(Part { index, documents: vec![(at, document)] });
                }
            }
        }
        parts
    }

    /// Hands in a part when it is its dataset's turn; puts it off if that does not come.
    async fn hand_in(&self, wire: &Wire, part: Part<'_>) -> Result<Vec<Outcome>, Unavailable> {
        let Some((_, first)) = part.documents.first() else { return Ok(Vec::new()) };
        let turns = self.turns_of(&first.stamp.dataset);
        let bound = TURN.min(Duration::from_secs(self.config.seconds));
        let Ok(turn) = timeout(bound, turns.acquire()).await else {
            let dataset = &first.stamp.dataset;
            let why = format!(
                "{} requests of {dataset} are under way, and none ended for {} s",
                self.config.at_once,
                bound.as_secs()
            );
            return Ok(vec![Outcome::Later(why); part.documents.len()]);
        };
        let _turn = turn.map_err(|_| unavailable("it is being closed".into(), None))?;
        self.request(wire, part.index, &part.documents).await
    }

    fn turns_of(&self, dataset: &Dataset) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= MAX_TURNS {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        let new = || Arc::new(Semaphore::new(self.config.at_once));
        turns.entry(dataset.clone()).or_insert_with(new).clone()
    }

    /// Remembers that a request was taken whole. What the store's limit is may change, and one 413 must not make all requests short for ever.
    fn took(&self) {
        if self.longest.load(Ordering::Relaxed) < self.config.bytes
            && self.taken.fetch_add(1, Ordering::Relaxed) + 1 >= GROWS
        {
            self.taken.store(0, Ordering::Relaxed);
            let longer = |longest: usize| Some((longest * 2).min(self.config.bytes));
            let _ = self.longest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, longer);
        }
    }

    fn request<'a>(
        &'a self,
        wire: &'a Wire,
        index: &'a str,
        documents: &'a [(usize, &'a Document)],
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Unavailable>> {
        Box::pin(async move {
            let ids: Vec<DocumentId> = documents.iter().map(|(_, document)| document.id).collect();
            let ask = Ask {
                method: Method::POST,
                path: format!("/{index}/_bulk?{FILTER}"),
                body: self.body(documents).await?,
                kind: "application/x-ndjson",
                is_gzip: self.config.gzip,
                is_aside: true,
                deadline: Duration::from_secs(self.config.seconds),
                limit: MAX_ANSWER + documents.len() * MAX_ANSWER_EACH,
            };
            let answer = wire.ask(&ask).await.map_err(|trouble| unavailable(trouble.to_string(), None))?;
            match answer.status {
                StatusCode::OK => {
                    self.took();
                    judge(&answer.body, &ids).map_err(|why| unavailable(why, None))
                }
                StatusCode::PAYLOAD_TOO_LARGE if documents.len() > 1 => {
                    let fits: usize = documents.iter().map(|(_, document)| length(document)).sum();
                    self.taken.store(0, Ordering::Relaxed);
                    self.longest.fetch_min((fits / 2).max(SHORTEST), Ordering::Relaxed);
                    let (first, second) = documents.split_at(documents.len() / 2);
                    let mut outcomes = Vec::with_capacity(documents.len());
                    for half in [first, second] {
                        match self.request(wire, index, half).await {
                            Ok(more) => outcomes.extend(more),
                            // What the other half was told stays true.
                            Err(later) => {
                                outcomes.extend(half.iter().map(|_| Outcome::Later(later.why.clone())));
                            }
                        }
                    }
                    Ok(outcomes)
                }
                StatusCode::PAYLOAD_TOO_LARGE => {
                    let bytes = ask.body.len();
                    let why = format!("the log store said 413 to the document alone, in {bytes} bytes");
                    Ok(vec![Outcome::Rejected(why)])
                }
                other => Err(unavailable(said(other, &answer.body), answer.retry_after)),
            }
        })
    }

    async fn body(&self, documents: &[(usize, &Document)]) -> Result<Bytes, Unavailable> {
        let bytes = documents.iter().map(|(_, document)| length(document)).sum();
        let (mut body, mut pieces) = (Vec::with_capacity(bytes), Pieces::begin());
        for (_, document) in documents {
            pieces.turn().await;
            body.extend_from_slice(b"{\"create\":{\"_id\":\"");
            body.extend_from_slice(document.id.to_string().as_bytes());
            body.extend_from_slice(b"\"}}\n");
            body.extend_from_slice(document.source.as_bytes());
            body.push(b'\n');
        }
        if !self.config.gzip {
            return Ok(body.into());
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let failed = |error: std::io::Error| unavailable(error.to_string(), None);
        for piece in body.chunks(PIECE) {
            gzip.write_all(piece).map_err(failed)?;
            pieces.turn().await;
        }
        gzip.finish().map(Bytes::from).map_err(failed)
    }
}

/// A document's part of a request, in bytes.
fn length(document: &Document) -> usize {
    document.source.len() + 48
}

/// Why the store takes nothing, when it is the whole request that it refuses.
pub(super) fn said(status: StatusCode, body: &[u8]) -> String {
    let answer: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let error = answer.as_ref().map(|answer| &answer["error"]);
    let kind = error.and_then(|error| error["type"].as_str()).unwrap_or_default();
    let reason = error.and_then(|error| error["reason"].as_str()).unwrap_or_default();
    let what = match status.as_u16() {
        401 => "it does not accept our credential; look at the credential's file",
        403 => "our credential may not do that; grant it what docs/elasticsearch.md lists",
        429 => "it has too much to do",
        502..=504 => "it is not there, or not ready",
        300..=399 => "it sends us elsewhere, where we do not follow; give its own URL",
        _ => "that is no answer to go on with",
    };
    let text: String = [kind, reason].join(" ").chars().take(300).collect();
    format!("it said {status}: {what} {}", text.trim()).trim_end().to_owned()
}

fn unavailable(why: String, retry_after: Option<Duration>) -> Unavailable {
    Unavailable { why, retry_after }
}
