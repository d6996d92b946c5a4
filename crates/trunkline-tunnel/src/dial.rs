//! From the agent to a gateway: TCP (straight or through an HTTP proxy), TLS, each step under its deadline.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::http_proxy::{HttpProxy, ProxyError};

/// How long the TCP connection may take, name resolution included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// How long the TLS handshake may take.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// Unsent bytes above which the kernel takes no more: what waits in our queues can still be overtaken by an
/// interactive frame, what waits in the kernel cannot.
const NOT_SENT_LIMIT: u32 = 128 * 1024;

/// Where a gateway's tunnel door is: `host:port`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GatewayAddress {
    host: String,
    port: u16,
}

/// Why a text is not a [`GatewayAddress`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is not a gateway address: write host:port, for instance gateway.example.com:9443 or [::1]:9443"
)]
pub struct InvalidAddress(String);

impl GatewayAddress {
    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for GatewayAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = || InvalidAddress(text.chars().take(80).collect());
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port: u16 = port.parse().map_err(|_| invalid())?;
        let bare = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) if inner.parse::<std::net::Ipv6Addr>().is_ok() => inner,
            Some(_) => return Err(invalid()),
            None => host,
        };
        let named = ServerName::try_from(bare).is_ok() && (host != bare || !host.contains(':'));
        if port == 0 || !named {
            return Err(invalid());
        }
        Ok(Self { host: bare.to_owned(), port })
    }
}

impl fmt::Display for GatewayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for GatewayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a link did not come up.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No TCP connection.
    #[error("cannot connect to {address}: is the name right, the gateway up and the port open on the way?")]
    Connect {
        /// What was dialled.
        address: GatewayAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The way through the HTTP proxy failed.
    #[error("cannot reach {address} through the HTTP proxy")]
    Proxy {
        /// What was dialled.
        address: GatewayAddress,
        /// Why.
        #[source]
        source: ProxyError,
    },
    /// The TLS handshake failed.
    #[error("the TLS handshake with {address} failed: {}", tls_advice(source))]
    Tls {
        /// What was dialled.
        address: GatewayAddress,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A step took too long.
    #[error("{address} did not finish {step} in time")]
    TimedOut {
        /// What was dialled.
        address: GatewayAddress,
        /// What was under way.
        step: &'static str,
    },
}

/// What a TLS error of a link means and what to look at.
pub(crate) fn tls_advice(error: &io::Error) -> String {
    use rustls::{AlertDescription as Alert, CertificateError as Cert, Error as Tls};
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>()) else {
        return error.to_string();
    };
    match tls {
        Tls::AlertReceived(Alert::CertificateRevoked) => {
            "the gateway says that this agent's certificate is revoked; enrol the cluster again".into()
        }
        Tls::AlertReceived(Alert::CertificateExpired) => {
            "the gateway says that this agent's certificate has expired; renew it, and compare both clocks".into()
        }
        Tls::AlertReceived(Alert::UnknownCA | Alert::DecryptError) => {
            "the gateway does not know the root of this agent's certificate; was it issued by another gateway?".into()
        }
        Tls::AlertReceived(Alert::BadCertificate | Alert::UnsupportedCertificate | Alert::AccessDenied) => {
            format!("the gateway does not accept this agent's certificate ({tls})")
        }
        Tls::InvalidCertificate(Cert::UnknownIssuer) => {
            "the gateway's certificate is not of the root given to this agent; is the address right, the root current?"
                .into()
        }
        Tls::InvalidCertificate(Cert::NotValidForName | Cert::NotValidForNameContext { .. }) => {
            "the gateway's certificate is for another name; set gateway.server_name or dial the name it holds".into()
        }
        other => other.to_string(),
    }
}

/// How an agent reaches its gateways.
#[derive(Clone, Debug)]
pub struct Dialler {
    /// The HTTP proxy on the way, if any.
    pub proxy: Option<HttpProxy>,
    /// The name expected in the gateway's certificate instead of the address's host.
    pub server_name: Option<ServerName<'static>>,
}

/// Bytes of a connection: straight, or through a proxy.
pub(crate) type Wire = Either<TcpStream, TokioIo<Upgraded>>;

/// A link whose TLS handshake is done.
pub type Link = TlsStream<Either<TcpStream, TokioIo<Upgraded>>>;

impl Dialler {
    /// Brings a link to `address` up, TLS handshake included.
    pub async fn dial(&self, address: &GatewayAddress, tls: Arc<ClientConfig>) -> Result<Link, DialError> {
        let wire = self.connect(address).await?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(address.host.clone()).map_err(|source| DialError::Connect {
                address: address.clone(),
                source: io::Error::new(io::ErrorKind::InvalidInput, source),
            })?,
        };
        let handshake = TlsConnector::from(tls).connect(name, wire);
        let link = tokio::time::timeout(TLS_DEADLINE, handshake)
            .await
            .map_err(|_| DialError::TimedOut { address: address.clone(), step: "the TLS handshake" })?
            .map_err(|source| DialError::Tls { address: address.clone(), source })?;
        Ok(link)
    }

    async fn connect(&self, address: &GatewayAddress) -> Result<Wire, DialError> {
        if let Some(proxy) = self.proxy.as_ref().filter(|proxy| proxy.is_for(address)) {
            return proxy
                .connect(address)
                .await
                .map(|through| Either::Right(TokioIo::new(through)))
                .map_err(|source| DialError::Proxy { address: address.clone(), source });
        }
        let connecting = TcpStream::connect((address.host.clone(), address.port));
        let tcp = tokio::time::timeout(CONNECT_DEADLINE, connecting)
            .await
            .map_err(|_| DialError::TimedOut { address: address.clone(), step: "connecting" })?
            .map_err(|source| DialError::Connect { address: address.clone(), source })?;
        tune(&tcp);
        Ok(Either::Left(tcp))
    }
}

/// Sets what a link's socket needs; a kernel that cannot is no reason to fail.
pub(crate) fn tune(tcp: &TcpStream) {
    trunkline_runtime::tune(tcp);
    let _ = SockRef::from(tcp).set_tcp_notsent_lowat(NOT_SENT_LIMIT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_address_is_host_and_port() {
        for good in ["gw.example.com:9443", "127.0.0.1:1", "[::1]:9443"] {
            assert_eq!(good.parse::<GatewayAddress>().unwrap().to_string(), good);
        }
        for bad in ["", "gw", "gw:", "gw:0", "gw:70000", ":1", "::1:9443", "[gw]:1", "https://gw:1", "a b:1"]
        {
            assert!(bad.parse::<GatewayAddress>().is_err(), "{bad:?}");
        }
    }
}
