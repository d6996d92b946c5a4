//! One exchange with a provider: bounded in time and length, and never led elsewhere.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use trunkline_runtime::Tasks;

use crate::{Endpoint, OidcError};

/// The longest answer, in bytes.
pub const MAX_ANSWER: usize = 256 * 1024;
/// How long an exchange may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Asks providers. Clones share it.
#[derive(Clone, Debug)]
pub struct Fetch {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What a provider answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// For how long it may be kept, if it says so.
    pub max_age: Option<Duration>,
    /// The whole body.
    pub body: Bytes,
}

impl Fetch {
    /// One that believes in the roots of this PEM text, or in the public ones.
    ///
    /// # Errors
    /// When the text holds no certificate, or something else.
    pub fn new(roots: Option<&[u8]>, tasks: &Tasks) -> Result<Self, OidcError> {
        let mut store = RootCertStore::empty();
        match roots {
            None => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem) {
                    let added = certificate.ok().and_then(|certificate| store.add(certificate).ok());
                    added.ok_or(OidcError::Roots("there is something else than certificates in them"))?;
                }
                if store.is_empty() {
                    return Err(OidcError::Roots("there is no certificate in them"));
                }
            }
        }
        let tls = ClientConfig::builder_with_provider(trunkline_pki::crypto_provider())
            .with_safe_default_protocol_versions()
            .map_err(OidcError::Tls)?
            .with_root_certificates(Arc::new(store))
            .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(DEADLINE));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(tasks.clone())
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self { client })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When there is no answer, a longer one, or one that is no success.
    pub async fn get(&self, from: &Endpoint) -> Result<Answer, OidcError> {
        let answer = self.exchange(Method::GET, from, None, Bytes::new()).await?;
        if answer.status == StatusCode::OK {
            return Ok(answer);
        }
        Err(OidcError::Status { url: from.as_str().to_owned(), status: answer.status })
    }

    /// Sends a form; any answer is one.
    pub(crate) async fn post(
        &self,
        to: &Endpoint,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, OidcError> {
        self.exchange(Method::POST, to, authorization, form.into()).await
    }

    async fn exchange(
        &self,
        method: Method,
        endpoint: &Endpoint,
        authorization: Option<HeaderValue>,
        body: Bytes,
    ) -> Result<Answer, OidcError> {
        let url = || endpoint.as_str().to_owned();
        let mut request = Request::new(Full::new(body));
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("trunkline/", env!("CARGO_PKG_VERSION"))),
        );
        if method == Method::POST {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(header::CONTENT_TYPE, form);
        }
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        *request.method_mut() = method;
        *request.uri_mut() = endpoint.uri().clone();
        let exchanged = tokio::time::timeout(DEADLINE, async {
            let answer = self.client.request(request).await;
            let (parts, body) =
                answer.map_err(|source| OidcError::Unreached { url: url(), source })?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|_| OidcError::Body { url: url(), limit: MAX_ANSWER })?.to_bytes();
            let max_age = parts.headers.get(header::CACHE_CONTROL).and_then(max_age);
            Ok(Answer { status: parts.status, max_age, body })
        });
        exchanged.await.unwrap_or_else(|_| Err(OidcError::Slow { url: url(), seconds: DEADLINE.as_secs() }))
    }
}

/// `max-age` of a `Cache-Control`.
fn max_age(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let seconds = text.split(',').find_map(|part| part.trim().strip_prefix("max-age="))?;
    seconds.parse().ok().map(Duration::from_secs)
}
