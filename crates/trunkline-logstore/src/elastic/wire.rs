//! One exchange with the log store: bounded in time and length, never led elsewhere, at whichever of its URLs answers.
//!
//! Everything that is asked may be asked twice: documents carry their ids. So what could not reach one URL, or found a proxy without
//! its store behind, goes to the next within the same deadline. A URL that hangs uses the deadline up, and is left out afterwards.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use trunkline_runtime::{Tasks, chain};

use super::config::{ElasticConfig, ElasticConfigError};
use super::credential::Credential;

/// How long a TCP connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a URL is left out that could not be reached.
const REST: Duration = Duration::from_secs(10);
/// The longest `Retry-After` that is believed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The store, at all of its URLs.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// For work on records.
    aside: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoints: Vec<Endpoint>,
    turn: AtomicUsize,
    credential: Option<Credential>,
}

#[derive(Debug)]
struct Endpoint {
    /// Scheme, host and path without a slash at its end.
    url: String,
    rests_until: Mutex<Option<Instant>>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// With its leading slash.
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) kind: &'static str,
    pub(super) is_gzip: bool,
    /// It is work on records, and gives way to what people wait for.
    pub(super) is_aside: bool,
    pub(super) deadline: Duration,
    /// The longest answer, in bytes.
    pub(super) limit: usize,
}

/// What was answered, whole.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0} cannot be reached: {1}")]
    Unreached(String, String),
    #[error("{0} ended the connection before its answer was whole: {1}")]
    Broken(String, String),
    #[error("{0} did not answer within {1} s")]
    Slow(String, u64),
    #[error("the answer of {0} is longer than {1} bytes")]
    TooLong(String, usize),
}

impl Wire {
    pub(super) fn new(config: &ElasticConfig, tasks: &Tasks) -> Result<Self, ElasticConfigError> {
        let credential = Credential::of(config)?;
        let endpoints: Result<Vec<_>, _> = config.urls.iter().map(|url| Endpoint::named(url)).collect();
        let endpoints = endpoints?;
        if credential.is_some()
            && !config.credential_in_the_clear
            && let Some(clear) = endpoints.iter().find(|endpoint| endpoint.shows_all())
        {
            return Err(ElasticConfigError::InTheClear(clear.url.clone()));
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CONNECT));
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(trunkline_pki::web_tls(config.ca.as_deref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = |tasks: Tasks| {
            Client::builder(tasks)
                .pool_max_idle_per_host(8)
                .pool_idle_timeout(Duration::from_secs(30))
                .build(connector.clone())
        };
        Ok(Self {
            client: client(tasks.clone()),
            aside: client(tasks.aside()),
            endpoints,
            turn: AtomicUsize::new(0),
            credential,
        })
    }

    /// Asks, at the next URL that does not rest, and at further ones if that one is not there.
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Trouble> {
        let ends = tokio::time::Instant::now() + ask.deadline;
        let mut last = None;
        for endpoint in self.in_turn() {
            let exchanged = tokio::time::timeout_at(ends, self.exchange(endpoint, ask)).await;
            let answered = exchanged
                .unwrap_or_else(|_| Err(Trouble::Slow(endpoint.url.clone(), ask.deadline.as_secs())));
            let is_elsewhere = match &answered {
                Ok(answer) => {
                    matches!(answer.status.as_u16(), 502..=504)
                }
                Err(Trouble::Unreached(..) | Trouble::Broken(..)) => true,
                Err(Trouble::Slow(..)) => {
                    endpoint.rest();
                    return answered;
                }
                Err(Trouble::TooLong(..)) => return answered,
            };
            if !is_elsewhere {
                endpoint.serve();
                return answered;
            }
            endpoint.rest();
            last = Some(answered);
        }
        last.unwrap_or_else(|| Err(Trouble::Unreached("the log store".into(), "it has no URL".into())))
    }

    /// All URLs: the next first, those that rest last.
    fn in_turn(&self) -> Vec<&Endpoint> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.endpoints.len().max(1);
        let (before, after) = self.endpoints.split_at(first);
        let mut all: Vec<_> = after.iter().chain(before).collect();
        all.sort_by_key(|endpoint| endpoint.rests());
        all
    }

    async fn exchange(&self, endpoint: &Endpoint, ask: &Ask) -> Result<Answer, Trouble> {
        let url = || endpoint.url.clone();
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = format!("{}{}", endpoint.url, ask.path)
            .parse()
            .map_err(|error: http::uri::InvalidUri| Trouble::Unreached(url(), error.to_string()))?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("trunkline/", env!("CARGO_PKG_VERSION"))),
        );
        if !ask.body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(ask.kind));
        }
        if ask.is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(credential) = &self.credential {
            headers.insert(header::AUTHORIZATION, credential.authorization());
        }
        let client = if ask.is_aside { &self.aside } else { &self.client };
        let answer = client.request(request).await.map_err(|error| {
            let why = chain(&error);
            if error.is_connect() { Trouble::Unreached(url(), why) } else { Trouble::Broken(url(), why) }
        })?;
        let (parts, body) = answer.into_parts();
        if parts.status == StatusCode::UNAUTHORIZED
            && let Some(credential) = &self.credential
        {
            credential.refused();
        }
        let body = Limited::new(body, ask.limit).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Trouble::TooLong(url(), ask.limit)
            } else {
                Trouble::Broken(url(), chain(error.as_ref()))
            }
        })?;
        let retry_after = parts.headers.get(header::RETRY_AFTER).and_then(seconds);
        Ok(Answer { status: parts.status, retry_after, body: body.to_bytes() })
    }
}

impl Endpoint {
    fn named(url: &str) -> Result<Self, ElasticConfigError> {
        let wrong = || ElasticConfigError::Url(without_user(url));
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        if !is_http || has_user || uri.query().is_some() || url.contains('#') {
            return Err(wrong());
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), rests_until: Mutex::new(None) })
    }

    /// Whether what is sent there can be read on the way.
    fn shows_all(&self) -> bool {
        let uri: Option<Uri> = self.url.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default().trim_matches(['[', ']']);
        let is_here =
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        self.url.starts_with("http:") && !is_here
    }

    fn rests(&self) -> bool {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }

    fn serve(&self) {
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A URL as it may be printed: somebody may have written a password into it.
fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://...@{host}"),
        (None, Some((_, host))) => format!("...@{host}"),
        _ => url.to_owned(),
    }
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place_without_a_secret() {
        for good in ["http://127.0.0.1:9200", "https://search.example:9200/", "https://[::1]:1/es"] {
            let endpoint = Endpoint::named(good).unwrap();
            assert_eq!(endpoint.url, good.trim_end_matches('/'));
        }
        for bad in
            ["", "search", "ftp://a", "https://a?b", "https://a#b", "https://u:hidden@a/", "u:hidden@a", "/a"]
        {
            let error = Endpoint::named(bad).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
        let clear = |url| Endpoint::named(url).unwrap().shows_all();
        assert!(clear("http://search:9200") && clear("http://10.0.0.1"));
        assert!(!clear("http://[::1]:9200") && !clear("http://localhost") && !clear("https://search"));
    }
}
