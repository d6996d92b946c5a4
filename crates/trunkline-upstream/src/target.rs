//! Where the API server is: parsed once, pinned for good.

use std::fmt;
use std::str::FromStr;

use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Uri};

/// The URL of an API server. `http://` is for loopback only.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
    tls: bool,
    /// Prefix of every path, without the last slash; empty for an ordinary API server.
    prefix: String,
    authority: HeaderValue,
}

/// Why a URL is not a [`Target`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidTarget {
    /// It does not parse.
    #[error("{0:?} is not the URL of an API server: write https://host:port")]
    Malformed(String),
    /// It is not encrypted.
    #[error("{0:?} is not encrypted: http:// is accepted for a loopback address only, use https://")]
    NotEncrypted(String),
    /// It holds more than scheme, host, port and path.
    #[error(
        "{0:?} holds a user, a query or a fragment: write https://host:port and put credentials elsewhere"
    )]
    TooMuch(String),
}

impl Target {
    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// The value of the `Host` field.
    pub(crate) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// The full URI of a path at this API server. The path travels byte for byte.
    pub(crate) fn uri(&self, path: &PathAndQuery, absolute: bool) -> Option<Uri> {
        let path = if self.prefix.is_empty() {
            path.clone()
        } else {
            format!("{}{path}", self.prefix).parse().ok()?
        };
        let mut parts = http::uri::Parts::default();
        parts.path_and_query = Some(path);
        if absolute {
            parts.scheme = Some(if self.tls { Scheme::HTTPS } else { Scheme::HTTP });
            parts.authority = Some(self.authority.to_str().ok()?.parse().ok()?);
        }
        Uri::from_parts(parts).ok()
    }
}

impl FromStr for Target {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        let shown = || text.chars().take(120).collect::<String>();
        let uri: Uri = text.parse().map_err(|_| InvalidTarget::Malformed(shown()))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidTarget::Malformed(shown())),
        };
        let authority = uri.authority().ok_or_else(|| InvalidTarget::Malformed(shown()))?;
        if authority.as_str().contains('@') || uri.query().is_some() || text.contains('#') {
            // What stands before the @ is a password more often than not: it is not printed.
            let bare = authority.as_str().rsplit('@').next().unwrap_or_default();
            return Err(InvalidTarget::TooMuch(bare.to_owned()));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() || authority.port_u16() == Some(0) {
            return Err(InvalidTarget::Malformed(shown()));
        }
        let loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !tls && !loopback {
            return Err(InvalidTarget::NotEncrypted(shown()));
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let authority =
            HeaderValue::try_from(authority.as_str()).map_err(|_| InvalidTarget::Malformed(shown()))?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host, port, tls, prefix, authority })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let authority = self.authority.to_str().unwrap_or_default();
        write!(f, "{scheme}://{authority}{}", self.prefix)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t36_an_api_servers_url_is_pinned() {
        let target: Target = "https://10.0.0.1:6443".parse().unwrap();
        assert_eq!((target.host(), target.port(), target.tls()), ("10.0.0.1", 6443, true));
        let path = PathAndQuery::from_static("/api/v1/pods?watch=1&x=%2F");
        assert_eq!(target.uri(&path, false).unwrap().to_string(), "/api/v1/pods?watch=1&x=%2F");
        assert_eq!(
            target.uri(&path, true).unwrap().to_string(),
            "https://10.0.0.1:6443/api/v1/pods?watch=1&x=%2F"
        );
    }

    #[test]
    fn a_prefix_stays_in_front() {
        let target: Target = "https://rancher.example/k8s/clusters/c-1/".parse().unwrap();
        let path = PathAndQuery::from_static("/version");
        assert_eq!(target.uri(&path, false).unwrap().path(), "/k8s/clusters/c-1/version");
    }

    #[test]
    fn an_unencrypted_or_odd_url_is_refused_and_no_password_printed() {
        assert!("http://127.0.0.1:8080".parse::<Target>().is_ok());
        assert!(matches!("http://10.0.0.1".parse::<Target>(), Err(InvalidTarget::NotEncrypted(_))));
        for bad in ["", "10.0.0.1", "ftp://x", "https://", "https://:1"] {
            assert!(bad.parse::<Target>().is_err(), "{bad:?}");
        }
        let error = "https://u:secret@host".parse::<Target>().unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }
}
