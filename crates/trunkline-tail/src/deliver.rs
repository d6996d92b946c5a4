//! To the intake, until it has answered for every record of a batch.
//!
//! Invariants:
//! - a batch is done when each of its records was taken or refused for good; whatever else happens, it is handed in again;
//! - while the intake makes us wait, this waits, and so does whoever reads files;
//! - the token is in the request and nowhere else.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use tracing::{debug, info, warn};
use trunkline_runtime::{Tasks, chain};
use zeroize::Zeroizing;

use crate::config::{IntakeAddress, TailConfigError};
use crate::metrics::Metrics;
use crate::tracked::Batch;
use crate::verdict::{Verdict, verdicts};

/// How long a connection may take to come about, and a request to be answered.
const CONNECT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(150);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;
/// The longest token.
const MAX_TOKEN: u64 = 4096;
/// Pauses before a batch is handed in again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The way to the intake.
#[derive(Debug)]
pub(crate) struct Delivery {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    bulk: Uri,
    root: Uri,
    token_file: Option<PathBuf>,
    metrics: Metrics,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error("the token in {0} cannot be read")]
    Token(PathBuf, #[source] io::Error),
    #[error("the intake is not reached: {0}")]
    Unreached(String),
    #[error("the intake did not answer within {} s", DEADLINE.as_secs())]
    Slow,
    #[error("the intake answered {0}: {1}")]
    Answered(StatusCode, String),
    #[error("what answered is no intake of Elasticsearch's kind")]
    NoIntake,
}

/// An answer, whole.
struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Bytes,
}

impl Delivery {
    pub(crate) fn new(
        address: &IntakeAddress,
        tasks: &Tasks,
        metrics: Metrics,
    ) -> Result<Self, TailConfigError> {
        let (bulk, root) = address.targets()?;
        if let Some(file) = &address.token_file {
            authorization(file).map_err(|error| TailConfigError::Token(file.clone(), error))?;
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trunkline_pki::web_tls(address.ca.as_deref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(tasks.clone())
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self { client, bulk, root, token_file: address.token_file.clone(), metrics })
    }

    /// Waits until the intake is there and lets us in; says why it is not.
    pub(crate) async fn until_there(&self, explain: impl Fn(String)) {
        let mut pause = Pause::default();
        loop {
            let why = match self.ask(Method::GET, &self.root, Bytes::new()).await {
                Ok(answer) if answer.status.is_success() => return,
                Ok(answer) => answered(&answer).to_string(),
                Err(error) => chain(&error),
            };
            if pause.is_first() {
                warn!(why, "the intake does not let us in; trying again");
            }
            explain(why);
            tokio::time::sleep(pause.next(None)).await;
        }
    }

    /// Hands a batch in; done when there is an answer for each of its records.
    pub(crate) async fn hand_in(&self, batch: &Batch) {
        let mut left: Vec<Range<usize>> = batch.items.clone();
        // Fewer at a time once a request was too large.
        let mut most = left.len();
        let mut pause = Pause::default();
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(most));
            let body: Vec<u8> =
                left.iter().filter_map(|lines| batch.body.get(lines.clone())).flatten().copied().collect();
            self.metrics.requests.inc();
            let (again, why) = match self.ask(Method::POST, &self.bulk, body.into()).await {
                Ok(answer) if answer.status.is_success() => match verdicts(&answer.body, left.len()) {
                    Some(verdicts) => self.judge(left, verdicts, answer.retry_after),
                    None => (left, Some((None, NotTaken::NoIntake.to_string()))),
                },
                Ok(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE && left.len() > 1 => {
                    most = left.len() / 2;
                    (left, None)
                }
                Ok(answer) if answer.status == StatusCode::PAYLOAD_TOO_LARGE => {
                    self.refused(1, &answered(&answer).to_string());
                    (Vec::new(), None)
                }
                Ok(answer) => (left, Some((answer.retry_after, answered(&answer).to_string()))),
                Err(error) => (left, Some((None, chain(&error)))),
            };
            left = again;
            left.extend(rest);
            match why {
                None => {
                    if !pause.is_first() {
                        info!("records are taken again");
                    }
                    pause = Pause::default();
                }
                Some((asked, why)) => {
                    self.metrics.requests_not_taken.inc();
                    if pause.is_first() {
                        warn!(why, "records are not taken; trying again");
                    } else {
                        debug!(why, "records are not taken; trying again");
                    }
                    tokio::time::sleep(pause.next(asked)).await;
                }
            }
        }
    }

    /// What is to be handed in again, and why.
    #[expect(clippy::type_complexity, reason = "the pair is taken apart where it is made")]
    fn judge(
        &self,
        items: Vec<Range<usize>>,
        verdicts: Vec<Verdict>,
        retry_after: Option<Duration>,
    ) -> (Vec<Range<usize>>, Option<(Option<Duration>, String)>) {
        let (mut again, mut refused, mut reason) = (Vec::new(), 0, String::new());
        let count = items.len();
        for (item, verdict) in items.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Taken => {}
                Verdict::Again => again.push(item),
                Verdict::Refused(why) => {
                    refused += 1;
                    reason = why;
                }
            }
        }
        self.metrics.records.inc_by((count - again.len() - refused) as u64);
        if refused > 0 {
            self.refused(refused as u64, &reason);
        }
        let why =
            (!again.is_empty()).then(|| (retry_after, "some records are to be handed in again".to_owned()));
        (again, why)
    }

    fn refused(&self, records: u64, reason: &str) {
        self.metrics.records_refused.inc_by(records);
        warn!(records, reason, "the intake will never take these records; they are passed over");
    }

    async fn ask(&self, method: Method, uri: &Uri, body: Bytes) -> Result<Answer, NotTaken> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        uri.clone_into(request.uri_mut());
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("trunkline/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(file) = &self.token_file {
            let shown = authorization(file).map_err(|error| NotTaken::Token(file.clone(), error))?;
            headers.insert(header::AUTHORIZATION, shown);
        }
        let exchange = async {
            let unreached =
                |error: Box<dyn std::error::Error + Send + Sync>| NotTaken::Unreached(chain(error.as_ref()));
            let answer = self.client.request(request).await.map_err(|error| unreached(error.into()))?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(unreached)?;
            let seconds =
                parts.headers.get(header::RETRY_AFTER).and_then(|field| field.to_str().ok()?.parse().ok());
            Ok(Answer {
                status: parts.status,
                retry_after: seconds.map(Duration::from_secs),
                body: body.to_bytes(),
            })
        };
        tokio::time::timeout(DEADLINE, exchange).await.unwrap_or(Err(NotTaken::Slow))
    }
}

fn answered(answer: &Answer) -> NotTaken {
    let said = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
    NotTaken::Answered(answer.status, said)
}

/// Pauses that double.
#[derive(Debug, Default)]
struct Pause(u32);

impl Pause {
    fn is_first(&self) -> bool {
        self.0 == 0
    }

    fn next(&mut self, asked: Option<Duration>) -> Duration {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.0.min(7)).min(LONGEST_PAUSE);
        self.0 = self.0.saturating_add(1);
        asked.map_or(pause, |asked| asked.min(LONGEST_PAUSE))
    }
}

fn authorization(file: &Path) -> io::Result<HeaderValue> {
    let mut text = Zeroizing::new(String::new());
    File::open(file)?.take(MAX_TOKEN).read_to_string(&mut text)?;
    let token = text.trim();
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "no token");
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong());
    }
    let value = Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}
