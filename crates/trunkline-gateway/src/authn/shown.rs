//! What a request shows to say who asks. One thing decides, and it never falls back to another.
//!
//! Order: `Authorization`; a token among the WebSocket protocols of an upgrade; under the gateway's own paths the
//! session's cookie; else the connection's certificate.
//!
//! Beside it a request may bring a token that was made for the cluster it goes to, behind a `~` in the same bearer token or in a field
//! of its own. That one says nothing of who asks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, header};
use trunkline_proto::{ClusterToken, InvalidClusterToken, split_bearer};
use zeroize::Zeroizing;

use super::why::Why;
use super::{MAX_TOKEN, Place};

/// A browser's session.
pub(crate) const SESSION_COOKIE: &str = "__Host-trunkline-session";
/// A sign-in by browser that is under way.
pub(crate) const LOGIN_COOKIE: &str = "__Host-trunkline-login";
/// A WebSocket protocol that carries a bearer token (kubernetes/kubernetes#47740).
const TOKEN_PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// The field that brings a token for a cluster, where it is not in the bearer token.
pub(crate) const CLUSTER_TOKEN: &str = "x-trunkline-cluster-token";

/// What a request shows.
pub(super) enum Shown {
    Token(Zeroizing<String>),
    Cookie(Zeroizing<String>),
    /// Nothing itself; its connection may.
    Nothing,
}

impl Shown {
    /// What says who asks, and what was brought for the cluster.
    pub(super) fn by(headers: &HeaderMap, place: Place) -> Result<(Self, Option<ClusterToken>), Why> {
        let (bearer, beside) = match bearer_of(headers)?.as_deref() {
            Some(both) => {
                let (first, beside) = split_bearer(both).map_err(Why::ClusterToken)?;
                // An empty token is none, and leaves it to the certificate only where another stands beside it.
                let first = if first.is_empty() && beside.is_some() { None } else { Some(token_of(first)?) };
                (first, beside)
            }
            None => (None, None),
        };
        let cluster_token = match (beside, field_token(headers)?) {
            (Some(_), Some(_)) => return Err(Why::ClusterToken(InvalidClusterToken::Twice)),
            (beside, field) => beside.or(field),
        };
        let same = |token: &ClusterToken| bearer.as_deref().is_some_and(|first| first == token.reveal());
        if cluster_token.as_ref().is_some_and(same) {
            return Err(Why::SameToken);
        }
        if place == Place::Own && cluster_token.is_some() {
            return Err(Why::NotHere);
        }
        let who =
            bearer.map_or_else(|| Self::without_token(headers, place), |token| Ok(Self::Token(token)))?;
        Ok((who, cluster_token))
    }

    fn without_token(headers: &HeaderMap, place: Place) -> Result<Self, Why> {
        if place != Place::Kubernetes
            && let Some(cookie) = cookie(headers, SESSION_COOKIE).ok_or(Why::Session)?
        {
            return Ok(Self::Cookie(cookie));
        }
        Ok(Self::Nothing)
    }
}

/// The two tokens of a request to a cluster, as plain texts: for `bare`.
pub(crate) fn bearers(headers: &HeaderMap) -> Result<(Option<String>, Option<String>), Why> {
    let (shown, cluster_token) = Shown::by(headers, Place::Kubernetes)?;
    let first = match shown {
        Shown::Token(token) => Some(token.to_string()),
        Shown::Cookie(_) | Shown::Nothing => None,
    };
    Ok((first, cluster_token.map(|token| token.reveal().to_owned())))
}

/// The bearer token of a request, as it stands there.
fn bearer_of(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Why> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return bearer(value.as_bytes()).map(Some);
    }
    if headers.contains_key(header::UPGRADE) { protocol_token(headers) } else { Ok(None) }
}

/// The token after `Bearer`.
fn bearer(value: &[u8]) -> Result<Zeroizing<String>, Why> {
    let text = std::str::from_utf8(value).map_err(|_| Why::NotBearer)?;
    let (kind, token) = text.split_once(' ').ok_or(Why::NotBearer)?;
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(Why::NotBearer);
    }
    Ok(Zeroizing::new(token.trim_start_matches(' ').to_owned()))
}

/// The token for a cluster in the field of its own. Servers exist that take `_` for `-`: whoever writes it so is told.
fn field_token(headers: &HeaderMap) -> Result<Option<ClusterToken>, Why> {
    let ours = |name: &HeaderName| name.as_str().replace('_', "-") == CLUSTER_TOKEN;
    let mut found = headers.iter().filter(|(name, _)| ours(name));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some((name, value)), None) if name.as_str() == CLUSTER_TOKEN => {
            let text = value.to_str().map_err(|_| Why::ClusterToken(InvalidClusterToken::Shape))?;
            ClusterToken::parse(text).map(Some).map_err(Why::ClusterToken)
        }
        (Some(_), None) => {
            Err(Why::Malformed("the field for a cluster's token is written with - and not with _"))
        }
        (Some(_), Some(_)) => Err(Why::ClusterToken(InvalidClusterToken::Twice)),
    }
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

/// What stands behind `prefix` among the protocols of a WebSocket; the first, where there are several.
pub(crate) fn websocket_protocol<'a>(headers: &'a HeaderMap, prefix: &str) -> Option<&'a str> {
    websocket_protocols(headers).find_map(|protocol| protocol.strip_prefix(prefix))
}

/// The protocols that a WebSocket offers.
pub(crate) fn websocket_protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

fn protocol_token(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Why> {
    let mut tokens =
        websocket_protocols(headers).filter_map(|protocol| protocol.strip_prefix(TOKEN_PROTOCOL));
    match (tokens.next(), tokens.next()) {
        (None, _) => Ok(None),
        (Some(encoded), None) if encoded.len() <= MAX_TOKEN * 4 / 3 + 4 => {
            let decoded = URL_SAFE_NO_PAD.decode(encoded.trim_end_matches('='));
            let text = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok()).map(Zeroizing::new);
            text.map(Some).ok_or(Why::Malformed("it is not in base64url among the WebSocket protocols"))
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
        Shown::by(&headers, place).map(|(shown, _)| match shown {
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
            (vec![session], Place::Pages, "cookie c00k1e"),
            (vec![bearer, session], Place::Pages, "token abc.def"),
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

    const SECOND: &str = "aa.bb.cc";

    /// What says who asks, and what was brought for the cluster.
    fn both(fields: &[(&str, &str)], place: Place) -> Result<(String, Option<String>), Why> {
        let second = fields.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let headers: HeaderMap = second.collect();
        let (_, second) = Shown::by(&headers, place)?;
        Ok((shown(fields, place)?, second.map(|token| token.reveal().to_owned())))
    }

    #[test]
    fn a_token_for_the_cluster_comes_beside_the_other_or_in_a_field_of_its_own() {
        let protocol = format!(
            "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{}",
            URL_SAFE_NO_PAD.encode(format!("first~{SECOND}"))
        );
        let field = (CLUSTER_TOKEN, SECOND);
        for (fields, first) in [
            (vec![("authorization", "Bearer first~aa.bb.cc")], "token first"),
            (vec![("authorization", "Bearer first"), field], "token first"),
            (vec![("authorization", "Bearer ~aa.bb.cc")], "nothing"),
            (vec![field], "nothing"),
            (vec![("upgrade", "websocket"), ("sec-websocket-protocol", &protocol)], "token first"),
        ] {
            let found = both(&fields, Place::Kubernetes);
            assert_eq!(found, Ok((first.to_owned(), Some(SECOND.to_owned()))), "{fields:?}");
            assert_eq!(both(&fields, Place::Own), Err(Why::NotHere), "the gateway itself takes none");
        }
        let none = both(&[("authorization", "Bearer first")], Place::Kubernetes);
        assert_eq!(none, Ok(("token first".to_owned(), None)));
    }

    #[test]
    fn a_token_for_the_cluster_is_understood_or_refused_and_never_left_out() {
        let (once, field) = (("authorization", "Bearer first~aa.bb.cc"), (CLUSTER_TOKEN, SECOND));
        let twice = Why::ClusterToken(InvalidClusterToken::Twice);
        let shape = Why::ClusterToken(InvalidClusterToken::Shape);
        for (fields, why) in [
            (vec![once, field], twice.clone()),
            (vec![field, field], twice.clone()),
            (vec![field, ("x_trunkline_cluster_token", SECOND)], twice.clone()),
            (vec![("authorization", "Bearer first~aa.bb.cc~aa.bb.cc")], twice),
            (vec![("authorization", "Bearer first~")], shape.clone()),
            (vec![("authorization", "Bearer ~")], shape.clone()),
            (vec![("authorization", "Bearer first~nonsense")], shape.clone()),
            (vec![(CLUSTER_TOKEN, "")], shape.clone()),
            (vec![(CLUSTER_TOKEN, "Bearer aa.bb.cc")], shape.clone()),
            (vec![(CLUSTER_TOKEN, "first~aa.bb.cc")], shape),
            (vec![("authorization", "Bearer aa.bb.cc~aa.bb.cc")], Why::SameToken),
            (vec![("authorization", "Bearer aa.bb.cc"), field], Why::SameToken),
        ] {
            assert_eq!(both(&fields, Place::Kubernetes), Err(why), "{fields:?}");
        }
        for spelling in ["x_trunkline_cluster_token", "X-Trunkline_Cluster-Token"] {
            let found = both(&[(spelling, SECOND)], Place::Kubernetes);
            assert!(matches!(found, Err(Why::Malformed(_))), "{spelling}");
        }
    }
}
