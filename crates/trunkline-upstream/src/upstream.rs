//! Sending a request to the API server, and again where that is safe.

mod own;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Version, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use trunkline_proto::headers::request_fields;
use trunkline_proto::path::read_path;
use trunkline_proto::{IdentityMode, RequestId};
use trunkline_runtime::{Body, BodyError, Tasks};

use crate::allow::AllowList;
use crate::config::{UpstreamConfig, UpstreamConfigError};
use crate::connect::{Connector, Http1};
use crate::error::{SendError, surely_unprocessed};
use crate::impersonate::{Whose, impersonate, pass_through};
use crate::metrics::Metrics;
use crate::pool::{Place, Pool, StreamGuard};
use crate::replay::{Attempt, Replay};

/// How often a request is sent at the most.
const ATTEMPTS: usize = 5;

/// One Kubernetes API server. Clones share its connections.
#[derive(Clone)]
pub struct Upstream {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    pool: Pool,
    mode: IdentityMode,
    allow: AllowList,
}

impl Upstream {
    /// Reads all that `config` names. Opens no connection.
    pub fn new(
        config: &UpstreamConfig,
        tasks: &Tasks,
        metrics: Metrics,
    ) -> Result<Self, UpstreamConfigError> {
        let connector =
            Connector { reach: config.read()?, protocol: config.protocol, tasks: tasks.clone(), metrics };
        let (mode, allow) = (config.identity, config.allow.clone());
        let inner = Inner { connector, pool: Pool::default(), mode, allow };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The API server's URL.
    pub fn target(&self) -> String {
        self.inner.connector.target()
    }

    /// How the API server is told whose a request is.
    pub fn mode(&self) -> IdentityMode {
        self.inner.mode
    }

    /// The only groups that may be impersonated; any plain one may when it is empty.
    pub fn groups(&self) -> &[String] {
        &self.inner.allow.groups
    }

    /// Sends a request on somebody's behalf and returns the answer's head, its body streaming. An upgrade has a
    /// connection of its own; take its bytes with `hyper::upgrade::on`.
    ///
    /// Of the request's fields only those travel that [`request_fields`] lets through.
    pub async fn send(
        &self,
        request: Request<Body>,
        whose: Whose<'_>,
        id: RequestId,
    ) -> Result<Response<Body>, SendError> {
        let inner = &self.inner;
        inner.connector.metrics.requests.inc();
        let sent = self.send_counted(request, whose, id).await;
        if matches!(&sent, Err(error) if !matches!(error, SendError::Forbidden(_) | SendError::OtherMode { .. }))
        {
            inner.connector.metrics.failures.inc();
        }
        sent
    }

    async fn send_counted(
        &self,
        request: Request<Body>,
        whose: Whose<'_>,
        id: RequestId,
    ) -> Result<Response<Body>, SendError> {
        let (asked, configured) = (whose.mode(), self.inner.mode);
        if asked != configured {
            return Err(SendError::OtherMode { asked, configured });
        }
        if let Whose::Identity(identity) = whose {
            self.inner.allow.check(identity)?;
        }
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned().ok_or(SendError::NoPath)?;
        let facts = read_path(path.path())?;
        let mut headers = request_fields(&parts.headers, facts.application);
        let credential = &self.inner.connector.reach.credential;
        let upgrade = parts.headers.get(header::UPGRADE).cloned();
        if let Some(upgrade) = &upgrade {
            headers.insert(header::CONNECTION, http::HeaderValue::from_static("Upgrade"));
            headers.insert(header::UPGRADE, upgrade.clone());
        }
        match whose {
            Whose::Identity(identity) => {
                impersonate(&mut headers, identity, credential.authorization(), id)?;
            }
            Whose::Token(token) => pass_through(&mut headers, token, id)?,
        }
        let outline = Outline { method: parts.method, path, headers };
        let response = match upgrade {
            Some(_) => self.exchange_upgrade(&outline, body).await?,
            None => self.exchange(&outline, body).await?,
        };
        if response.status() == StatusCode::UNAUTHORIZED && configured == IdentityMode::Impersonate {
            credential.refused();
        }
        Ok(response)
    }

    async fn exchange(&self, outline: &Outline, body: Body) -> Result<Response<Body>, SendError> {
        let inner = &self.inner;
        let replay = Replay::new(body);
        let mut last = None;
        for round in 0..ATTEMPTS {
            let Some(attempt) = replay.attempt() else { break };
            if round > 0 {
                inner.connector.metrics.retries.inc();
            }
            let failure = match inner.pool.place(&inner.connector).await? {
                Place::Http1(sender) => match self.try_http1(sender, outline, attempt).await {
                    Ok(response) => return Ok(response),
                    Err(failure) => failure,
                },
                Place::Http2(sender, guard) => match self.try_http2(sender, guard, outline, attempt).await {
                    Ok(response) => return Ok(response),
                    Err(failure) => failure,
                },
            };
            let again = failure.unsent
                || surely_unprocessed(&failure.error)
                || (outline.method.is_safe() && round == 0);
            last = Some(failure.error);
            if !again {
                break;
            }
        }
        match last {
            Some(source) => Err(SendError::Broken { target: self.target(), source }),
            None => Err(SendError::NoPath),
        }
    }

    async fn try_http2(
        &self,
        mut sender: crate::connect::Http2,
        guard: StreamGuard,
        outline: &Outline,
        attempt: Attempt,
    ) -> Result<Response<Body>, Failure> {
        let request = self.build(outline, attempt, Version::HTTP_2);
        match sender.try_send_request(request).await {
            Ok(response) => {
                Ok(response.map(|body| Upbound { body, guard: Some(guard), kept: None }.boxed_unsync()))
            }
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                Err(Failure { error: failed.into_error(), unsent })
            }
        }
    }

    async fn try_http1(
        &self,
        mut sender: Http1,
        outline: &Outline,
        attempt: Attempt,
    ) -> Result<Response<Body>, Failure> {
        let request = self.build(outline, attempt, Version::HTTP_11);
        match sender.try_send_request(request).await {
            Ok(response) => {
                let kept = Some((sender, self.clone()));
                Ok(response.map(|body| Upbound { body, guard: None, kept }.boxed_unsync()))
            }
            Err(mut failed) => {
                let unsent = failed.take_message().is_some();
                Err(Failure { error: failed.into_error(), unsent })
            }
        }
    }

    /// An upgrade has a connection of its own, which is used for nothing else, whatever the answer.
    async fn exchange_upgrade(&self, outline: &Outline, body: Body) -> Result<Response<Body>, SendError> {
        let mut sender = self.inner.connector.open_for_upgrade().await?;
        let replay = Replay::new(body);
        let attempt = replay.attempt().ok_or(SendError::NoPath)?;
        let request = self.build(outline, attempt, Version::HTTP_11);
        let response = sender
            .send_request(request)
            .await
            .map_err(|source| SendError::Broken { target: self.target(), source })?;
        Ok(response.map(|body| Upbound { body, guard: None, kept: None }.boxed_unsync()))
    }

    fn build(&self, outline: &Outline, body: Attempt, version: Version) -> Request<Attempt> {
        let target = &self.inner.connector.reach.target;
        let mut request = Request::new(body);
        *request.method_mut() = outline.method.clone();
        *request.version_mut() = version;
        *request.headers_mut() = outline.headers.clone();
        let http2 = version == Version::HTTP_2;
        if let Some(uri) = target.uri(&outline.path, http2) {
            *request.uri_mut() = uri;
        }
        if !http2 {
            request.headers_mut().insert(header::HOST, target.authority().clone());
        }
        request
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("target", &self.target()).finish_non_exhaustive()
    }
}

/// A request but for its body.
struct Outline {
    method: Method,
    path: PathAndQuery,
    headers: http::HeaderMap,
}

/// Why an attempt brought no answer.
struct Failure {
    error: hyper::Error,
    /// Nothing of the request left.
    unsent: bool,
}

/// An answer's body, with what must live or be given back at its end.
struct Upbound {
    body: Incoming,
    guard: Option<StreamGuard>,
    kept: Option<(Http1, Upstream)>,
}

impl http_body::Body for Upbound {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if frame.is_none() || (matches!(frame, Some(Ok(_))) && self.body.is_end_stream()) {
            self.guard = None;
            if let Some((sender, upstream)) = self.kept.take() {
                upstream.inner.pool.keep(sender);
            }
        }
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::new)))
    }

    fn is_end_stream(&self) -> bool {
        self.kept.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use trunkline_proto::{ClusterToken, Identity};
    use trunkline_runtime::empty;

    use super::*;

    #[tokio::test]
    async fn a_request_that_says_whose_it_is_in_another_way_than_is_configured_goes_nowhere() {
        let tasks = Tasks::new();
        let folder = tempfile::tempdir().unwrap();
        let token_file = folder.path().join("token");
        std::fs::write(&token_file, "own").unwrap();
        let upstream = |identity| {
            let config = UpstreamConfig {
                server: Some("http://127.0.0.1:1".into()),
                token_file: Some(token_file.clone()),
                identity,
                ..UpstreamConfig::default()
            };
            Upstream::new(&config, &tasks, Metrics::default()).unwrap()
        };
        let token = ClusterToken::parse("aa.bb.cc").unwrap();
        let jane = Identity { user: "jane".into(), ..Identity::default() };
        let (impersonates, passes) = (IdentityMode::Impersonate, IdentityMode::PassThrough);
        for (configured, whose, goes) in [
            (impersonates, Whose::Identity(&jane), true),
            (impersonates, Whose::Token(&token), false),
            (passes, Whose::Token(&token), true),
            (passes, Whose::Identity(&jane), false),
        ] {
            let request = Request::get("/api").body(empty()).unwrap();
            let sent = upstream(configured).send(request, whose, RequestId::random()).await.unwrap_err();
            // Nobody listens there: what goes gets as far as that.
            assert_eq!(matches!(sent, SendError::Connect { .. }), goes, "{configured}: {sent}");
            assert_eq!(matches!(sent, SendError::OtherMode { .. }), !goes, "{configured}: {sent}");
        }
    }
}
