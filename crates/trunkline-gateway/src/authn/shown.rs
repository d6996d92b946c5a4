//! What a request shows to say who asks. One thing decides, and it never falls back to another.
//!
//! Order: `Authorization`; a token among the WebSocket protocols of an upgrade; under the gateway's own paths the
//! session's cookie; else the connection's certificate.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use zeroize::Zeroizing;

use super::why::Why;
use super::{MAX_TOKEN, Place};

/// A browser's session.
pub(crate) const SESSION_COOKIE: &str = "__Host-trunkline-session";
/// A sign-in by browser that is under way.
pub(crate) const LOGIN_COOKIE: &str = "__Host-trunkline-login";
/// A WebSocket protocol that carries a bearer token (kubernetes/kubernetes#47740).
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// What a request shows.
pub(super) enum Shown {
    Token(Zeroizing<String>),
    Cookie(Zeroizing<String>),
    /// Nothing itself; its connection may.
    Nothing,
}

impl Shown {
    pub(super) fn by(headers: &HeaderMap, place: Place) -> Result<Self, Why> {
        if let Some(value) = headers.get(header::AUTHORIZATION) {
            return bearer(value.as_bytes()).map(Self::Token);
        }
        if headers.contains_key(header::UPGRADE)
            && let Some(token) = protocol_token(headers)?
        {
            return Ok(Self::Token(token));
        }
        if place == Place::Own
            && let Some(cookie) = cookie(headers, SESSION_COOKIE).ok_or(Why::Session)?
        {
            return Ok(Self::Cookie(cookie));
        }
        Ok(Self::Nothing)
    }
}

/// The token after `Bearer`.
fn bearer(value: &[u8]) -> Result<Zeroizing<String>, Why> {
    let text = std::str::from_utf8(value).map_err(|_| Why::NotBearer)?;
    let (kind, token) = text.split_once(' ').ok_or(Why::NotBearer)?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(Why::NotBearer);
    }
    token_of(token.trim_start_matches(' '))
}

/// A token of the characters that RFC 6750 allows.
fn token_of(token: &str) -> Result<Zeroizing<String>, Why> {
    if token.len() > MAX_TOKEN {
        return Err(Why::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(allowed) {
        return Err(Why::Malformed("it is empty, or holds something that no token does"));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

fn protocol_token(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Why> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let protocols = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut tokens = protocols.filter_map(|protocol| protocol.trim().strip_prefix(TOKEN_PROTOCOL));
    match (tokens.next(), tokens.next()) {
        (None, _) => Ok(None),
        (Some(encoded), None) if encoded.len() <= MAX_TOKEN * 4 / 3 + 4 => {
            let decoded = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('='));
            let text = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Zeroizing::new);
            let text = text.ok_or(Why::Malformed("it is not in base64url among the WebSocket protocols"))?;
            token_of(&text).map(Some)
        }
        (Some(_), None) => Err(Why::TooLong),
        (Some(_), Some(_)) => Err(Why::Malformed("it stands twice among the WebSocket protocols")),
    }
}

/// A cookie's value. `None` when it stands twice, or is none that we gave.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<Option<Zeroizing<String>>> {
    let mut found = None;
    for value in headers.get_all(header::COOKIE) {
        for pair in String::from_utf8_lossy(value.as_bytes()).split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else { continue };
            if key != name {
                continue;
            }
            let plain =
                value.len() <= 4096 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
            if found.is_some() || !plain {
                return None;
            }
            found = Some(Zeroizing::new(value.to_owned()));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn shown(fields: &[(&str, &str)], place: Place) -> Result<String, Why> {
        let headers: HeaderMap = fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        Shown::by(&headers, place).map(|shown| match shown {
            Shown::Token(token) => format!("token {}", &*token),
            Shown::Cookie(cookie) => format!("cookie {}", &*cookie),
            Shown::Nothing => "nothing".into(),
        })
    }

    #[test]
    fn one_thing_decides_and_there_is_an_order() {
        let session = ("cookie", "a=b; __Host-trunkline-session=c00k1e");
        let token =
            ("sec-websocket-protocol", "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.dDBrM24");
        let upgrade = ("upgrade", "websocket");
        let bearer = ("authorization", "Bearer abc.def");
        for (fields, place, expected) in [
            (vec![bearer, token, upgrade, session], Place::Own, "token abc.def"),
            (vec![("authorization", "bearer  abc.def")], Place::Kubernetes, "token abc.def"),
            (vec![token, upgrade, session], Place::Own, "token t0k3n"),
            (vec![token, session], Place::Own, "cookie c00k1e"),
            (vec![token, session], Place::Kubernetes, "nothing"),
            (vec![session], Place::Kubernetes, "nothing"),
            (vec![], Place::Own, "nothing"),
        ] {
            assert_eq!(shown(&fields, place).unwrap(), expected, "{fields:?}");
        }
    }

    #[test]
    fn what_is_bad_is_refused_and_nothing_else_is_looked_at() {
        let session = ("cookie", "__Host-trunkline-session=c00k1e");
        for bad in [
            "Basic amFuZTpwdw==",
            "Bearer",
            "Bearer ",
            "abc",
            "Bearer a b",
            "Bearer é",
            "Bearer a,b",
            "Negotiate x",
            "",
        ] {
            assert!(shown(&[("authorization", bad), session], Place::Own).is_err(), "{bad}");
        }
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        assert_eq!(shown(&[("authorization", &long)], Place::Own), Err(Why::TooLong));
        let twice = "base64url.bearer.authorization.k8s.io.YQ, base64url.bearer.authorization.k8s.io.Yg";
        for bad in
            [twice, "base64url.bearer.authorization.k8s.io.!", "base64url.bearer.authorization.k8s.io."]
        {
            let fields = [("upgrade", "websocket"), ("sec-websocket-protocol", bad)];
            assert!(shown(&fields, Place::Kubernetes).is_err(), "{bad}");
        }
        let two = [session, ("cookie", "__Host-trunkline-session=other")];
        assert_eq!(shown(&two, Place::Own), Err(Why::Session));
    }
}
