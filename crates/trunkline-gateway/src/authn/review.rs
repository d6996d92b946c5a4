//! Service accounts of the management cluster: their tokens are judged by its API server (`TokenReview`).
//!
//! Invariants:
//! - one token is asked about once at a time, 64 are at once, and each question has 5 s;
//! - a yes is believed for 10 s and a no for 5 s, of at most 4,096 tokens each, kept by hash;
//! - only service accounts come in this way, and under names of ours: no `system:` name;
//! - an API server that is away is no "no": the client is told to come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tracing::debug;
use trunkline_runtime::chain;
use trunkline_upstream::Upstream;

use super::jwt::{Jwt, moment};
use super::principal::{How, Principal, UserSessionId};
use super::remembered::{Hash, Remembered};
use super::why::{Denied, Why};
use crate::metrics::{Metrics, Reason};

const PATH: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
/// How long the API server may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// How many questions may be under way.
const AT_ONCE: usize = 64;
/// How many answers are remembered, and for how long.
const MOST: usize = 4096;
const YES_LASTS: Duration = Duration::from_secs(10);
const NO_LASTS: Duration = Duration::from_secs(5);
/// What the API server calls a service account.
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

type Judged = Result<Principal, Why>;

/// Asks the management cluster. Clones share what is known.
#[derive(Clone)]
pub(super) struct Reviews {
    upstream: Upstream,
    audiences: Arc<[String]>,
    places: Arc<Semaphore>,
    judged: Arc<Remembered<Judged>>,
    /// Tokens that are being asked about: whoever comes second waits for the first.
    asking: Arc<Mutex<HashMap<Hash, Weak<tokio::sync::Mutex<()>>>>>,
    metrics: Metrics,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Review {
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    authenticated: bool,
    user: User,
    audiences: Vec<String>,
    error: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
}

impl Reviews {
    pub(super) fn new(upstream: Upstream, audiences: &[String], metrics: Metrics) -> Self {
        Self {
            upstream,
            audiences: audiences.into(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
            judged: Arc::new(Remembered::new(MOST)),
            asking: Arc::default(),
            metrics,
        }
    }

    /// Whose a token is.
    pub(super) async fn principal(&self, token: &str, jwt: &Jwt<'_>) -> Result<Principal, Denied> {
        let hash = Hash::of(token);
        if let Some(judged) = self.judged.get(&hash) {
            return Ok(judged?);
        }
        let turn = self.turn(hash);
        let _asking = turn.lock().await;
        if let Some(judged) = self.judged.get(&hash) {
            return Ok(judged?);
        }
        let Ok(_place) = self.places.try_acquire() else {
            return Err(self.unavailable("Full", "too many tokens are being asked about".into()));
        };
        let judged = self.ask(token, jwt).await?;
        let lasts = if judged.is_ok() { YES_LASTS } else { NO_LASTS };
        self.judged.keep(hash, judged.clone(), lasts);
        Ok(judged?)
    }

    /// What whoever asks about a token holds meanwhile.
    fn turn(&self, hash: Hash) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = asking.get(&hash).and_then(Weak::upgrade) {
            return turn;
        }
        // Nobody holds these any more.
        if asking.len() >= 2 * AT_ONCE {
            asking.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        asking.insert(hash, Arc::downgrade(&turn));
        turn
    }

    async fn ask(&self, token: &str, jwt: &Jwt<'_>) -> Result<Judged, Denied> {
        let question = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": &*self.audiences},
        });
        let mut request = Request::new(Bytes::from(question.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(PATH);
        for name in [header::CONTENT_TYPE, header::ACCEPT] {
            request.headers_mut().insert(name, HeaderValue::from_static("application/json"));
        }
        let answered = tokio::time::timeout(DEADLINE, self.upstream.ask(request, MAX_ANSWER)).await;
        let answer = match answered {
            Err(_) => return Err(self.unavailable("Slow", "it did not answer within 5 s".into())),
            Ok(Err(error)) => return Err(self.unavailable("Unreached", chain(&error))),
            Ok(Ok(answer)) => answer,
        };
        if !matches!(answer.status(), StatusCode::OK | StatusCode::CREATED) {
            let why = format!("it answered {}; may the gateway create tokenreviews there?", answer.status());
            return Err(self.unavailable("Refused", why));
        }
        let Ok(Review { status }) = serde_json::from_slice(answer.body()) else {
            return Err(self.unavailable("Malformed", "its answer is no TokenReview".into()));
        };
        let judged = self.judge(&status, token, jwt);
        self.count(if judged.is_ok() { "Yes" } else { "No" });
        Ok(judged)
    }

    fn judge(&self, status: &Status, token: &str, jwt: &Jwt<'_>) -> Judged {
        if !status.authenticated {
            debug!(why = status.error.chars().take(200).collect::<String>(), "a token is not known");
            return Err(Why::NotAuthenticated);
        }
        // An API server that knows nothing of audiences says none (KEP-1205).
        let ours =
            self.audiences.is_empty() || status.audiences.iter().any(|one| self.audiences.contains(one));
        if !ours {
            return Err(Why::Audience);
        }
        let (namespace, name) = status
            .user
            .username
            .strip_prefix(SERVICE_ACCOUNT)
            .and_then(|rest| rest.split_once(':'))
            .filter(|(namespace, name)| is_label(namespace, 63) && is_label(name, 253))
            .ok_or(Why::NotServiceAccount)?;
        let ends = moment(&jwt.claims, "exp")?;
        Ok(Principal {
            user: format!("trunkline:sa:{namespace}:{name}"),
            groups: vec![
                "trunkline:serviceaccounts".into(),
                format!("trunkline:serviceaccounts:{namespace}"),
            ],
            how: How::ServiceAccount,
            session: UserSessionId::of_service_account(token),
            expires: ends.map(|ends| UNIX_EPOCH + Duration::from_secs(ends)),
        })
    }

    fn unavailable(&self, word: &'static str, why: String) -> Denied {
        self.count(word);
        Denied::Unavailable(format!("the management cluster did not judge the token: {why}"))
    }

    fn count(&self, word: &'static str) {
        self.metrics.token_reviews.get_or_create(&Reason { reason: word }).inc();
    }
}

/// Whether a name is one that Kubernetes gives.
fn is_label(name: &str, most: usize) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    (1..=most).contains(&name.len()) && name.bytes().all(plain)
}
