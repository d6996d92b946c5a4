//! One request, from its head to its answer.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tracing::warn;
use trunkline_logs::OwnId;
use trunkline_runtime::{Body, full};
use trunkline_spool::Receipt;

use crate::batch::Batch;
use crate::body::{Encoding, Whole, read, throw_away};
use crate::bulk::{self, Bulk, ItemFault, MAX_ID};
use crate::elastic::{self, Said};
use crate::intake::{Shared, Taker};
use crate::keep::keep;
use crate::look::look;
use crate::metrics::{Of, Why};
use crate::otlp::{self, Form};
use crate::refusal::Refusal;
use crate::route::{Asked, route};
use crate::status::add;

/// How long a request waits for its turn when there are as many as may be.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest body that is read where it came, in bytes.
const READ_HERE: usize = 64 * 1024;
/// How long a shipper that takes no no waits for the end of its connection at the most.
const PUSH_BACK: Duration = Duration::from_secs(5);
/// How often a wrong token is told of, in milliseconds.
const WARN_EVERY: u64 = 60_000;

/// A no that is not said: the connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed instead of an answer that its shipper would take for a yes: {0}")]
pub(crate) struct Closed(Refusal);

/// Answers a request that came by a dataset's door.
pub(crate) async fn answer(
    shared: Arc<Shared>,
    of_the_door: usize,
    from: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let (head, mut body) = request.into_parts();
    let names: Vec<&str> = shared.datasets.iter().map(|taker| taker.name.as_str()).collect();
    let path = head.uri.path();
    let otlp = path.ends_with("/v1/logs").then(|| Form::of(&head.headers).unwrap_or(Form::Json));
    let routed = shared.admit(&head.headers).and_then(|()| route(&head.method, path, of_the_door, &names));
    let (taker, done) = match routed {
        Err(refusal) => (of_the_door, Err(refusal)),
        Ok((_, Asked::Other(segments))) => {
            let query = head.uri.query().unwrap_or_default();
            let said = elastic::said(&head.method, &segments, &head.headers, query, &shared.version);
            rest(&head.headers, &mut body).await;
            return Ok(spoken(said.unwrap_or_else(|refusal| elastic::refused(&refusal))));
        }
        Ok((at, asked)) => (at, shared.take(at, from, asked, &head.headers, &mut body).await),
    };
    match done {
        Ok(response) => Ok(response),
        Err(refusal) => {
            shared.count_refusal(taker, &refusal);
            let read = rest(&head.headers, &mut body).await;
            if takes_no_no(&head.headers) && refusal.status() != StatusCode::BAD_REQUEST {
                tokio::time::sleep(refusal.retry_after().map_or(PUSH_BACK, |wait| wait.min(PUSH_BACK))).await;
                return Err(Closed(refusal));
            }
            Ok(no(&refusal, otlp, read))
        }
    }
}

/// rsyslog's omelasticsearch takes every no to a whole request for the end of its records, and is the only shipper that says
/// nothing of itself; see docs/logs.md.
fn takes_no_no(headers: &HeaderMap) -> bool {
    let is = |name, value: &str| headers.get(name).is_some_and(|field| field.as_bytes() == value.as_bytes());
    !headers.contains_key(header::USER_AGENT)
        && is(header::ACCEPT, "*/*")
        && is(header::CONTENT_TYPE, "application/json; charset=utf-8")
}

/// Reads what is left of a body that is not wanted, so that the answer is heard; not of one that waits to be asked for.
async fn rest(headers: &HeaderMap, body: &mut Incoming) -> bool {
    !headers.contains_key(header::EXPECT) && throw_away(body).await
}

impl Shared {
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.tokens.let_in(headers) {
            return Ok(());
        }
        let (now, last) = (now().unsigned_abs(), self.warned.load(Ordering::Relaxed));
        if now.saturating_sub(last) >= WARN_EVERY && self.warned.swap(now, Ordering::Relaxed) == last {
            warn!("a shipper shows no token that is good; what it has is not taken");
        }
        Err(Refusal::Unauthorized)
    }

    fn taker(&self, at: usize) -> Result<&Taker, Refusal> {
        self.datasets.get(at).ok_or(Refusal::Busy)
    }

    async fn take(
        &self,
        at: usize,
        from: IpAddr,
        asked: Asked,
        headers: &HeaderMap,
        body: &mut Incoming,
    ) -> Result<Response<Body>, Refusal> {
        let (taker, begun) = (self.taker(at)?, Instant::now());
        add(&taker.counts.requests, 1);
        self.metrics.requests.get_or_create(&of(taker)).inc();
        let Some(_turn) = self.requests.take(from, 1, PATIENCE).await else { return Err(Refusal::Busy) };
        let encoding = Encoding::of(headers)?;
        let mut batch = Batch::new(self.budget.begin(from).await?, now());
        batch.take(encoding.memory())?;
        match asked {
            Asked::Bulk => {
                let bulk::Read { batch, items } = read(body, encoding, Bulk::new(batch)).await?.finish()?;
                let receipt = self.keep(taker, batch).await?;
                for fault in items.iter().filter_map(|item| item.fault) {
                    self.count_records_refused(taker, fault.reason(), 1);
                }
                let text = bulk::answer(&items, receipt, &taker.name, begun.elapsed());
                Ok(spoken(Said { status: StatusCode::OK, media: elastic::JSON, text }))
            }
            Asked::Document(id) => self.take_document(taker, id, body, encoding, batch).await,
            _ => {
                let form = Form::of(headers)?;
                let whole = read(body, encoding, Whole::new(batch)).await?;
                let records = self.read_whole(form, whole).await?;
                self.keep(taker, records.batch).await?;
                for (fault, times) in &records.rejected {
                    self.count_records_refused(taker, fault.reason(), *times);
                }
                Ok(with(StatusCode::OK, form.media(), otlp::accepted(form, &records.rejected)))
            }
        }
    }

    /// Reads a request of OTLP; a long one away from the runtime's workers, which have others to serve.
    async fn read_whole(&self, form: Form, whole: Whole) -> Result<otlp::Records, Refusal> {
        if whole.bytes.len() <= READ_HERE {
            return otlp::read(form, &whole.bytes, whole.batch);
        }
        let turn = self.readers.clone().acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let read = tokio::task::spawn_blocking(move || {
            let read = otlp::read(form, &whole.bytes, whole.batch);
            drop(turn);
            read
        });
        read.await.unwrap_or(Err(Refusal::Busy))
    }

    async fn take_document(
        &self,
        taker: &Taker,
        id: Option<String>,
        body: &mut Incoming,
        encoding: Encoding,
        batch: Batch,
    ) -> Result<Response<Body>, Refusal> {
        let whole = read(body, encoding, Whole::new(batch)).await?;
        let (mut batch, length) = (whole.batch, id.as_deref().map_or(1, str::len));
        let looked = if (1..=MAX_ID).contains(&length) {
            look(&whole.bytes).map_err(ItemFault::from)
        } else {
            Err(ItemFault::Id(length))
        };
        looked.map_err(|fault| {
            self.count_records_refused(taker, fault.reason(), 1);
            Refusal::Malformed(fault.to_string())
        })?;
        batch.push(id.as_deref().map(OwnId::of), &[&whole.bytes])?;
        let receipt = self.keep(taker, batch).await?;
        let sequence = receipt.map_or(0, |receipt| receipt.last);
        let text = json!({
            "_index": taker.name.as_str(), "_id": id.unwrap_or_else(|| sequence.to_string()), "_version": 1,
            "result": "created", "_shards": {"total": 1, "successful": 1, "failed": 0},
            "_seq_no": sequence, "_primary_term": 1,
        });
        Ok(spoken(Said { status: StatusCode::CREATED, media: elastic::JSON, text: text.to_string() }))
    }

    async fn keep(&self, taker: &Taker, batch: Batch) -> Result<Option<Receipt>, Refusal> {
        let (records, bytes) = (batch.len() as u64, batch.bytes() as u64);
        let receipt = keep(batch, &taker.writer).await?;
        add(&taker.counts.records, records);
        add(&taker.counts.bytes, bytes);
        self.metrics.records.get_or_create(&of(taker)).inc_by(records);
        self.metrics.bytes.get_or_create(&of(taker)).inc_by(bytes);
        Ok(receipt)
    }

    fn count_records_refused(&self, taker: &Taker, reason: &'static str, times: u64) {
        add(&taker.counts.records_refused, times);
        self.metrics.records_refused.get_or_create(&why(taker, reason)).inc_by(times);
    }

    fn count_refusal(&self, at: usize, refusal: &Refusal) {
        let Ok(taker) = self.taker(at) else { return };
        add(&taker.counts.requests_refused, 1);
        self.metrics.requests_refused.get_or_create(&why(taker, refusal.reason())).inc();
        let mut last = taker.last_refusal.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(refusal.to_string());
    }
}

fn of(taker: &Taker) -> Of {
    Of { dataset: taker.name.to_string() }
}

fn why(taker: &Taker, reason: &'static str) -> Why {
    Why { dataset: taker.name.to_string(), reason }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A no in the form of what was asked. A body that was not read to its end ends its connection.
fn no(refusal: &Refusal, otlp: Option<Form>, read: bool) -> Response<Body> {
    let mut response = match otlp {
        Some(form) => with(refusal.status(), form.media(), otlp::refused(form, refusal)),
        None => spoken(elastic::refused(refusal)),
    };
    let headers = response.headers_mut();
    if let Some(wait) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    if *refusal == Refusal::Unauthorized {
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer, ApiKey, Basic realm=\"logs\""),
        );
    }
    if !read {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn spoken(said: Said) -> Response<Body> {
    let mut response = with(said.status, said.media, said.text);
    response.headers_mut().insert("x-elastic-product", HeaderValue::from_static("Elasticsearch"));
    response
}

fn with(status: StatusCode, media: &'static str, body: impl Into<bytes::Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
