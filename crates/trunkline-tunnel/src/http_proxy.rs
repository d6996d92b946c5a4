//! Dialling out through an HTTP proxy: CONNECT (RFC 9110 §9.3.6), plain or over TLS, with basic authentication.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, Uri, header};
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use trunkline_runtime::{Body, empty};

use crate::dial::{GatewayAddress, tune};

/// How long the proxy may take in all.
const DEADLINE: Duration = Duration::from_secs(10);
/// The longest head of the proxy's answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024;

/// An HTTP proxy and for which gateways it is used.
#[derive(Clone)]
pub struct HttpProxy {
    matcher: Arc<Matcher>,
    tls: Option<Arc<ClientConfig>>,
}

/// Why a proxy setting is not usable.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidProxy {
    /// The URL does not parse or is not http or https.
    #[error("the proxy URL is not usable: write http://[user:password@]host:port or https://...")]
    Url,
    /// An https proxy without a root to verify it.
    #[error("the proxy is https: give the root that its certificate is verified with (proxy.ca)")]
    NoRoot,
}

/// Why there is no way through the proxy.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// No connection to the proxy itself.
    #[error("cannot connect to the proxy {0}")]
    Connect(String, #[source] io::Error),
    /// The TLS handshake with the proxy failed.
    #[error("the TLS handshake with the proxy {0} failed; is proxy.ca its root?")]
    Tls(String, #[source] io::Error),
    /// It wants other credentials.
    #[error("the proxy {0} asks for credentials (407); put user and password into the proxy URL")]
    Credentials(String),
    /// It said no.
    #[error("the proxy {0} answered {1} to CONNECT; does it allow this destination?")]
    Refused(String, StatusCode),
    /// It does not speak HTTP as it should.
    #[error("the proxy {0} broke off")]
    Broken(String, #[source] hyper::Error),
    /// It took too long.
    #[error("the proxy did not answer within {} s", DEADLINE.as_secs())]
    TimedOut,
}

impl HttpProxy {
    /// A proxy at `url`, not used for what `no_proxy` names (the usual comma-separated list of hosts, domains
    /// and CIDRs). `tls` verifies an https proxy.
    pub fn new(url: &str, no_proxy: &str, tls: Option<Arc<ClientConfig>>) -> Result<Self, InvalidProxy> {
        let parsed: Uri = url.parse().map_err(|_| InvalidProxy::Url)?;
        match parsed.scheme_str() {
            Some("http") => {}
            Some("https") if tls.is_none() => return Err(InvalidProxy::NoRoot),
            Some("https") => {}
            _ => return Err(InvalidProxy::Url),
        }
        if parsed.host().is_none_or(str::is_empty) {
            return Err(InvalidProxy::Url);
        }
        let matcher = Matcher::builder().https(url.to_owned()).no(no_proxy.to_owned()).build();
        Ok(Self { matcher: Arc::new(matcher), tls })
    }

    /// Whether `address` is reached through the proxy.
    pub fn is_for(&self, address: &GatewayAddress) -> bool {
        as_uri(address).is_some_and(|uri| self.matcher.intercept(&uri).is_some())
    }

    /// A connection to `address` through the proxy.
    pub(crate) async fn connect(&self, address: &GatewayAddress) -> Result<Upgraded, ProxyError> {
        tokio::time::timeout(DEADLINE, self.tunnel(address)).await.map_err(|_| ProxyError::TimedOut)?
    }

    async fn tunnel(&self, address: &GatewayAddress) -> Result<Upgraded, ProxyError> {
        let unusable = || io::Error::new(io::ErrorKind::InvalidInput, "no proxy for this destination");
        let intercept = as_uri(address)
            .and_then(|uri| self.matcher.intercept(&uri))
            .ok_or_else(|| ProxyError::Connect(address.to_string(), unusable()))?;
        let proxy = intercept.uri();
        let secure = proxy.scheme_str() == Some("https");
        let host = proxy.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = proxy.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let name = format!("{host}:{port}");
        let tcp = TcpStream::connect((host.clone(), port))
            .await
            .map_err(|source| ProxyError::Connect(name.clone(), source))?;
        tune(&tcp);
        let wire = match (secure, &self.tls) {
            (true, Some(tls)) => {
                let failed = |source| ProxyError::Tls(name.clone(), source);
                let sni = ServerName::try_from(host).map_err(|e| failed(io::Error::other(e)))?;
                Either::Right(TlsConnector::from(tls.clone()).connect(sni, tcp).await.map_err(failed)?)
            }
            _ => Either::Left(tcp),
        };
        let request = connect_request(address, intercept.basic_auth());
        ask(wire, request, name).await
    }
}

fn connect_request(address: &GatewayAddress, credentials: Option<&http::HeaderValue>) -> Request<Body> {
    let mut request = Request::new(empty());
    *request.method_mut() = http::Method::CONNECT;
    if let Ok(uri) = address.to_string().parse() {
        *request.uri_mut() = uri;
    }
    if let Ok(host) = address.to_string().parse() {
        request.headers_mut().insert(header::HOST, host);
    }
    if let Some(credentials) = credentials {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, credentials.clone());
    }
    request
}

async fn ask(
    wire: Either<TcpStream, TlsStream<TcpStream>>,
    request: Request<Body>,
    name: String,
) -> Result<Upgraded, ProxyError> {
    let broken = |source| ProxyError::Broken(name.clone(), source);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_ANSWER)
        .handshake::<_, Body>(TokioIo::new(wire))
        .await
        .map_err(broken)?;
    // The connection is driven here and nowhere else: it ends with this call.
    let mut driving = std::pin::pin!(connection.with_upgrades());
    let mut answering = std::pin::pin!(sender.send_request(request));
    // Driving may be over before the answer is read: it ends when the connection is handed over.
    let mut driven = false;
    let mut response = loop {
        tokio::select! {
            biased;
            answer = &mut answering => break answer.map_err(broken)?,
            ended = &mut driving, if !driven => {
                ended.map_err(broken)?;
                driven = true;
            }
        }
    };
    match response.status() {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => return Err(ProxyError::Credentials(name)),
        status if !status.is_success() => return Err(ProxyError::Refused(name, status)),
        _ => {}
    }
    let upgraded = hyper::upgrade::on(&mut response);
    let driving = async {
        if !driven {
            let _ = driving.await;
        }
    };
    let (upgraded, ()) = tokio::join!(upgraded, driving);
    upgraded.map_err(broken)
}

fn as_uri(address: &GatewayAddress) -> Option<Uri> {
    format!("https://{address}/").parse().ok()
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("HttpProxy").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_names_what_is_dialled_straight() {
        let proxy =
            HttpProxy::new("http://u:p@proxy:3128", "localhost,.corp.example,10.0.0.0/8", None).unwrap();
        for (address, through) in
            [("gw.example.com:9443", true), ("gw.corp.example:9443", false), ("10.1.2.3:9443", false)]
        {
            assert_eq!(proxy.is_for(&address.parse().unwrap()), through, "{address}");
        }
    }

    #[test]
    fn a_proxy_url_is_checked_at_once_and_never_printed() {
        for bad in ["", "proxy", "ftp://proxy:1", "socks5://proxy:1"] {
            assert_eq!(HttpProxy::new(bad, "", None).unwrap_err(), InvalidProxy::Url, "{bad:?}");
        }
        assert_eq!(HttpProxy::new("https://proxy:1", "", None).unwrap_err(), InvalidProxy::NoRoot);
        let proxy = HttpProxy::new("http://u:secret@proxy:1", "", None).unwrap();
        assert!(!format!("{proxy:?}").contains("secret"));
    }
}
