//! The gateway's REST API as a command uses it: calls with a deadline and a bound, errors with an exit code.

mod failure;
mod nearest;
mod events;
mod watch;
mod agent;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trunkline_api::{ClusterList, NewCluster};
use trunkline_runtime::Tasks;

use crate::exit::{self, Exit, Failure};
use crate::profile::Proof;
use crate::sign_in::{self, Bearer, SignIn, nobody};

pub(crate) use agent::agent_status;
pub(crate) use events::Events;
pub(crate) use failure::of_answer;
pub(crate) use nearest::nearest;
pub(crate) use watch::{Change, Watch};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long the gateway may take to walk the way to a cluster.
const WALK: Duration = Duration::from_secs(20);
/// How long the gateway may take to verify its audit log.
const VERIFY: Duration = Duration::from_secs(1800);
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// A gateway's REST API.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    gateway: String,
    bearer: Option<Bearer>,
}

impl Rest {
    /// For the gateway and with the papers that flags, variables and `login` name.
    pub(crate) fn new(sign_in: &SignIn) -> anyhow::Result<Self> {
        sign_in.not_after()?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(CALL));
        http.set_keepalive(Some(Duration::from_secs(15)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(sign_in)?)
            .https_only()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            client: Client::builder(Tasks::new()).build(connector),
            gateway: sign_in.gateway.clone(),
            bearer: Bearer::of(sign_in),
        })
    }

    /// Where the gateway is.
    pub(crate) fn gateway(&self) -> &str {
        &self.gateway
    }

    /// Reads `path`, which begins after the API's base.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::GET, path, Bytes::new(), CALL).await
    }

    /// Reads a report that the gateway has to make first.
    pub(crate) async fn walk<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::GET, path, Bytes::new(), WALK).await
    }

    /// Sends a body.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body).context("the request cannot be written as JSON")?;
        self.call(method, path, body.into(), CALL).await
    }

    /// Sends a body, for an answer that takes reading all that is kept.
    pub(crate) async fn send_patiently<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body).context("the request cannot be written as JSON")?;
        self.call(Method::POST, path, body.into(), VERIFY).await
    }

    /// Opens what may be longer than any answer.
    pub(crate) async fn open(&self, path: &str) -> anyhow::Result<Incoming> {
        let shown = self.shown().await?;
        let answer = self.within(CALL, self.exchange(Method::GET, path, Bytes::new(), shown)).await?;
        Ok(answer.into_body())
    }

    /// Asks for something that has no body.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str) -> anyhow::Result<T> {
        self.call(method, path, Bytes::new(), CALL).await
    }

    /// Opens a stream of events. It has no end of its own.
    pub(crate) async fn events(&self, path: &str) -> anyhow::Result<Events> {
        Ok(Events::new(self.open(path).await?))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        deadline: Duration,
    ) -> anyhow::Result<T> {
        let bytes = self.bytes(method, path, body, deadline).await;
        let bytes = match bytes {
            Err(error) if exit::of(&error).0 == Exit::NotFound => {
                return Err(self.or_meant(path, error).await);
            }
            bytes => bytes?,
        };
        serde_json::from_slice(&bytes).with_context(|| {
            format!("{} answered {path} with something else than was asked; is it a Trunkline gateway of this version?", self.gateway)
        })
    }

    async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        deadline: Duration,
    ) -> anyhow::Result<Bytes> {
        let shown = self.shown().await?;
        self.within(deadline, async {
            let answer = self.exchange(method, path, body, shown).await?;
            read(answer.into_body()).await
        })
        .await
    }

    /// There is no such cluster; if one has nearly that name, it is named.
    async fn or_meant(&self, path: &str, error: anyhow::Error) -> anyhow::Error {
        let Some(name) = cluster_in(path) else { return error };
        let listed = self.bytes(Method::GET, "/clusters", Bytes::new(), CALL).await;
        let Some(list) = listed.ok().and_then(|bytes| serde_json::from_slice::<ClusterList>(&bytes).ok())
        else {
            return error;
        };
        let names = list.items.iter().map(|cluster| cluster.metadata.name.as_str());
        match (nearest(name, names), error.downcast::<Failure>()) {
            (Some(meant), Ok(failure)) => {
                let what = format!("{}; did you mean {meant}?", failure.what.trim_end_matches('?'));
                Failure { what, ..failure }.into()
            }
            (None, Ok(failure)) => failure.into(),
            (_, Err(error)) => error,
        }
    }

    /// What is shown to say who asks. It may be renewed for that, which is between us and its issuer: within the gateway's
    /// deadline it would be broken off when the issuer has given a new token and before that is kept.
    async fn shown(&self) -> anyhow::Result<Option<HeaderValue>> {
        match &self.bearer {
            Some(bearer) => bearer.authorization().await.map(Some),
            None => Ok(None),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        shown: Option<HeaderValue>,
    ) -> anyhow::Result<http::Response<Incoming>> {
        // The name of a cluster that is to be made stands in the body.
        let new = (path == "/clusters").then(|| body.clone());
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{}{path}", self.gateway, trunkline_api::BASE))
            .header(header::USER_AGENT, concat!("trunkline/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/json, text/event-stream");
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(shown) = shown {
            request = request.header(header::AUTHORIZATION, shown);
        }
        let request = request.body(Full::new(body)).context("the request cannot be made")?;
        let answer = self
            .client
            .request(request)
            .await
            .map_err(|error| failure::of_link("gateway", &self.gateway, &error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let body = read(answer.into_body()).await.unwrap_or_default();
        let new = new.and_then(|new| serde_json::from_slice::<NewCluster>(&new).ok());
        let about = new.as_ref().map(|new| new.name.as_str()).or_else(|| cluster_in(path));
        Err(of_answer(&self.gateway, about, status, &body).into())
    }

    async fn within<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::time::timeout(deadline, call).await.unwrap_or_else(|_| {
            let what = format!("{} did not answer within {} s", self.gateway, deadline.as_secs());
            Err(Failure::new(Exit::TimedOut, what).next("trunkline status").into())
        })
    }
}

/// The cluster that a path is of.
fn cluster_in(path: &str) -> Option<&str> {
    path.strip_prefix("/clusters/")?.split(['/', '?']).next()
}

async fn read(body: Incoming) -> anyhow::Result<Bytes> {
    let collected = Limited::new(body, MAX_ANSWER).collect().await;
    Ok(collected.map_err(|error| anyhow::anyhow!("the answer broke off or is too long: {error}"))?.to_bytes())
}

/// TLS with the papers of a sign-in.
fn tls(sign_in: &SignIn) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let ca = sign_in.ca.display();
    for root in CertificateDer::pem_slice_iter(sign_in::read(&sign_in.ca)?.as_bytes()) {
        let added = root.ok().and_then(|root| roots.add(root).ok());
        added.ok_or_else(|| nobody(&format!("{ca} holds something else than certificates")))?;
    }
    if roots.is_empty() {
        return Err(nobody(&format!("{ca} holds no certificate")).into());
    }
    let builder = ClientConfig::builder_with_provider(trunkline_pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .context("this build has no TLS")?
        .with_root_certificates(Arc::new(roots));
    let Some(Proof::Certificate { certificate, key }) = &sign_in.proof else {
        return Ok(builder.with_no_client_auth());
    };
    let shown = certificate.display();
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(sign_in::read(certificate)?.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| nobody(&format!("{shown} is not PEM")))?;
    let key = PrivateKeyDer::from_pem_slice(sign_in::read(key)?.as_bytes())
        .map_err(|_| nobody(&format!("{} holds no private key", key.display())))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| nobody(&format!("{shown} and its key cannot be used: {error}")).into())
}
