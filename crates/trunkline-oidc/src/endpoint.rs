//! Where a provider may be asked.

use std::net::IpAddr;

use http::Uri;

use crate::OidcError;

/// The longest URL, in bytes.
const MAX: usize = 2048;

/// A URL of a provider: https, or http on loopback; without credentials and without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    uri: Uri,
}

impl Endpoint {
    /// Reads one.
    ///
    /// # Errors
    /// When it is no URL that may be asked.
    pub fn new(text: &str) -> Result<Self, OidcError> {
        let wrong = |why| OidcError::Endpoint { url: text.chars().take(200).collect(), why };
        if text.len() > MAX || text.contains('#') {
            return Err(wrong("it is too long, or has a fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| wrong("it is no URL"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a user name"));
        }
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(authority.host()) => {}
            _ => return Err(wrong("it is not https (http is for loopback only)")),
        }
        Ok(Self { text: text.to_owned(), uri })
    }

    /// The URL as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The URL with more in its query.
    pub(crate) fn with_query(&self, query: &str) -> String {
        let separator = if self.uri.query().is_some() { '&' } else { '?' };
        format!("{}{separator}{query}", self.text)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_asked_over_https_or_on_loopback() {
        for good in [
            "https://id.test",
            "https://id.test/a?b=c",
            "http://127.0.0.1:1/x",
            "http://[::1]/",
            "http://localhost:5556/dex",
        ] {
            assert!(Endpoint::new(good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.test",
            "http://127.0.0.1.evil.test/",
            "http://169.254.169.254/latest",
            "ftp://id.test",
            "https://",
            "id.test",
            "/keys",
            "https://user:pw@id.test",
            "https://id.test/#x",
            "",
            "file:///etc/passwd",
        ] {
            assert!(Endpoint::new(bad).is_err(), "{bad}");
        }
        assert!(Endpoint::new(&format!("https://id.test/{}", "a".repeat(MAX))).is_err());
    }

    #[test]
    fn a_query_is_added_to_one_that_is_there() {
        assert_eq!(Endpoint::new("https://a.test/x").unwrap().with_query("b=c"), "https://a.test/x?b=c");
        assert_eq!(
            Endpoint::new("https://a.test/x?y=z").unwrap().with_query("b=c"),
            "https://a.test/x?y=z&b=c"
        );
    }
}
