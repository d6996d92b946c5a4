//! The audiences of a cluster, ` | `, those of the gateway; then the claims of a token as JSON; then a request's fields, in which
//! `$T` stands for that token and `$P` for `first~$T` as a WebSocket protocol.
//!
//! Whatever comes, two tokens are told apart in one way or not at all: one that was brought for a cluster is never lost, never taken
//! for the one that says who asks, and goes through only to the cluster that all its audiences are of.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::Value;
use trunkline_gateway::bare;

use crate::lines::{fields, first_line, folded};

const FIELD: &str = "x-trunkline-cluster-token";
const PROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

/// Reads what a request shows, and looks where what it brings may go.
pub fn bearer(input: &[u8]) {
    let (audiences, rest) = first_line(input);
    let (claims, rest) = first_line(rest);
    let token =
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#), URL_SAFE_NO_PAD.encode(claims));
    let protocol = format!("{PROTOCOL}{}", URL_SAFE_NO_PAD.encode(format!("first~{token}")));
    let rest = String::from_utf8_lossy(rest).replace("$T", &token).replace("$P", &protocol);
    let headers = fields(rest.as_bytes());
    let brought = brought(&headers);
    let Ok((first, second)) = bare::shown(&headers) else { return };
    if let Some(first) = &first {
        assert!(!first.contains('~') && !first.is_empty(), "{first:?} holds two");
    }
    let Some(second) = second else {
        assert!(brought.is_empty(), "{brought:?} is left out");
        return;
    };
    assert_eq!(brought.as_slice(), std::slice::from_ref(&second), "of what was brought, that is not all");
    assert_ne!(first.as_ref(), Some(&second), "what signs in goes on");
    let parts: Vec<&str> = second.split('.').collect();
    let plain = |part: &&str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    assert!(parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && plain(part)), "{second:?}");
    let (cluster, gateway) = audiences.split_once(" | ").unwrap_or((audiences, ""));
    let names = |text: &str| -> Vec<String> { text.split_whitespace().map(str::to_owned).collect() };
    let (cluster, gateway) = (names(cluster), names(gateway));
    if bare::goes_through(&second, &cluster, &gateway) {
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url");
        let claims: Value = serde_json::from_slice(&claims).expect("JSON");
        let audiences = match &claims["aud"] {
            Value::Array(many) => many.clone(),
            one => vec![one.clone()],
        };
        assert!(!audiences.is_empty());
        for audience in audiences {
            let audience = audience.as_str().expect("a text");
            assert!(cluster.iter().any(|one| one == audience), "{audience} is not the cluster's");
            assert!(!gateway.iter().any(|one| one == audience), "{audience} is the gateway's");
        }
        assert!(claims["exp"].is_number());
    }
}

/// All that a request may have been meant to bring for a cluster, worked out field by field.
fn brought(headers: &HeaderMap) -> Vec<String> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let own = headers.iter().filter(|(name, _)| folded(name) == FIELD);
    let mut brought: Vec<String> = own.map(|(_, value)| text(value)).collect();
    let bearer = match headers.get("authorization") {
        Some(value) => text(value).split_once(' ').map(|(_, token)| token.trim_start_matches(' ').to_owned()),
        None if headers.contains_key("upgrade") => {
            let protocols =
                headers.get_all("sec-websocket-protocol").iter().map(text).collect::<Vec<_>>().join(",");
            let encoded =
                protocols.split(',').find_map(|one| one.trim().strip_prefix(PROTOCOL).map(str::to_owned));
            let bytes = encoded.and_then(|text| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok());
            bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        }
        None => None,
    };
    if let Some((_, second)) = bearer.as_deref().and_then(|bearer| bearer.split_once('~')) {
        brought.push(second.to_owned());
    }
    brought
}
