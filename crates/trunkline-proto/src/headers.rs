//! Which header fields travel, in either direction. Both ends apply the same rules, each for itself.
//!
//! A request's fields are rebuilt from a list of what Kubernetes clients need, so that a field nobody thought of
//! does not travel. Behind a `/proxy/` sub-resource stands an application with fields of its own; there all
//! travel but the forbidden. Names are compared in lower case with `_` folded to `-`, since servers exist that
//! fold likewise.
//!
//! Invariants:
//! - no credential and no identity of a client passes: not in a field, not in a WebSocket protocol;
//! - `Connection` may name no field: naming one makes a later hop strip it (CVE-2021-31999).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Fields that may travel from a client to an API server.
const REQUEST_FIELDS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "baggage",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "range",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-requested-with",
    "x-stream-protocol-version",
];

/// Beginnings of fields that may travel from a client to an API server.
const REQUEST_PREFIXES: &[&str] = &["kubectl-", "sec-websocket-"];

/// Beginnings of fields that never travel, not even to an application behind `/proxy/`.
const FORBIDDEN_PREFIXES: &[&str] =
    &["impersonate-", "x-remote-", "x-forwarded-", "x-trunkline-", "proxy-", "audit-"];

/// Fields that never travel, not even to an application behind `/proxy/`.
const FORBIDDEN_FIELDS: &[&str] = &[
    "authorization",
    // No field may be called so, as `Connection: close` would name it (RFC 9110, 9.6).
    "close",
    "connection",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-cluster-id",
    "x-real-ip",
];

/// Fields of an answer that would speak for the gateway's origin or belong to one hop.
const ANSWER_DROPPED: &[&str] = &[
    "alt-svc",
    "clear-site-data",
    "close",
    "connection",
    "content-security-policy",
    "content-security-policy-report-only",
    "keep-alive",
    "nel",
    "proxy-authenticate",
    "public-key-pins",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-content-type-options",
];

/// WebSocket protocols that carry a credential: a bearer token (kubernetes/kubernetes#47740), and what is said to a
/// gateway alone, such as a ticket.
const SECRET_PROTOCOLS: [&str; 2] = ["base64url.bearer.authorization.k8s.io.", "trunkline."];

/// The most fields of a request.
pub const MAX_FIELDS: usize = 100;
/// The longest field name, in bytes.
pub const MAX_NAME: usize = 256;
/// The longest field value, in bytes.
pub const MAX_VALUE: usize = 16 * 1024;
/// The longest name of a user or group, in bytes.
pub const MAX_WHO: usize = 1024;
/// The most bytes of all names and values together.
pub const MAX_ALL: usize = 64 * 1024;

/// Why a request's head is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HeadFault {
    /// Too many fields, or too long ones.
    #[error("the request head is too large: at most {MAX_FIELDS} fields and {MAX_ALL} bytes in all")]
    TooLarge,
    /// A field that may stand once stands more often.
    #[error("the field {0} stands more than once")]
    Repeated(&'static str),
    /// `Connection` names a field.
    #[error("Connection may only say close, keep-alive, upgrade or te, not {0:?}")]
    ConnectionNames(String),
    /// Where the body ends could be read in two ways.
    #[error("the body's length is told in two ways, or in another transfer coding than chunked alone")]
    Framing,
    /// The client asks to act as somebody else, and not in a way that can be carried.
    #[error("the request asks to act as somebody else, and {0}")]
    Impersonation(&'static str),
}

/// Whether a request's head may be looked at any further.
pub fn inspect(headers: &HeaderMap) -> Result<(), HeadFault> {
    let all: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let too_long = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() > MAX_NAME || value.len() > MAX_VALUE
    };
    if headers.len() > MAX_FIELDS || all > MAX_ALL || headers.iter().any(too_long) {
        return Err(HeadFault::TooLarge);
    }
    for once in ["host", "content-length", "authorization", "x-cluster-id", "upgrade"] {
        if headers.get_all(once).iter().count() > 1 {
            return Err(HeadFault::Repeated(once));
        }
    }
    let codings: Vec<_> = headers.get_all(header::TRANSFER_ENCODING).iter().collect();
    let framed_oddly = match codings.as_slice() {
        [] => false,
        [one] => {
            !one.as_bytes().eq_ignore_ascii_case(b"chunked") || headers.contains_key(header::CONTENT_LENGTH)
        }
        _ => true,
    };
    if framed_oddly {
        return Err(HeadFault::Framing);
    }
    for value in headers.get_all(header::CONNECTION) {
        for token in String::from_utf8_lossy(value.as_bytes()).split(',') {
            let token = token.trim().to_ascii_lowercase();
            if !matches!(token.as_str(), "" | "close" | "keep-alive" | "upgrade" | "te" | "http2-settings") {
                return Err(HeadFault::ConnectionNames(token.chars().take(64).collect()));
            }
        }
    }
    Ok(())
}

/// As whom a client asks to act: kubectl's `--as` and `--as-group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActAs {
    /// The user.
    pub user: String,
    /// The groups; with none, the user is in none.
    pub groups: Vec<String>,
}

/// As whom a request asks to act; none if it does not ask. The fields themselves never travel: whoever may act so does so
/// by the identity that is written anew from this.
///
/// What is not understood is refused and never dropped: dropped in silence, a request with `--as` would run with more
/// rights than were asked for. A uid and extra attributes are not carried.
pub fn asked_to_act_as(headers: &HeaderMap) -> Result<Option<ActAs>, HeadFault> {
    let fault = |why| Err(HeadFault::Impersonation(why));
    let (mut user, mut groups) = (None, Vec::new());
    for (name, value) in headers {
        if !folded(name).starts_with("impersonate-") {
            continue;
        }
        let Some(value) = value.to_str().ok().filter(|value| is_plain_name(value)) else {
            return fault("a name in it is empty, too long, not printable or not ASCII");
        };
        match name.as_str() {
            "impersonate-user" if user.is_none() => user = Some(value.to_owned()),
            "impersonate-user" => return fault("names two users"),
            "impersonate-group" => groups.push(value.to_owned()),
            _ => {
                return fault(
                    "says more than user and groups, which are all that is carried (--as, --as-group)",
                );
            }
        }
    }
    match user {
        Some(user) => Ok(Some(ActAs { user, groups })),
        None if groups.is_empty() => Ok(None),
        None => fault("names groups without a user (--as-group goes with --as)"),
    }
}

/// Whether the name of a user or group can travel as it is: cleaning one up would make it somebody else's.
pub fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_WHO
        && name.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && name.trim() == name
}

/// Whether a name is one of Kubernetes' own (`system:`), however it is written and whatever space stands before it: such
/// a name is nobody's to bring along.
pub fn is_system_name(name: &str) -> bool {
    const SYSTEM: &str = "system:";
    let begin = name.trim_start().get(..SYSTEM.len());
    begin.is_some_and(|begin| begin.eq_ignore_ascii_case(SYSTEM))
}

/// The fields of a client's request that travel on. `application` is true behind a `/proxy/` sub-resource.
pub fn request_fields(headers: &HeaderMap, application: bool) -> HeaderMap {
    let mut travelling = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        if !request_field_travels(name, application) {
            continue;
        }
        if folded(name) == header::SEC_WEBSOCKET_PROTOCOL.as_str() {
            if let Some(value) = without_secrets(value) {
                travelling.append(name, value);
            }
            continue;
        }
        travelling.append(name, value.clone());
    }
    travelling
}

/// The fields of an API server's answer that travel on.
pub fn answer_fields(headers: &HeaderMap) -> HeaderMap {
    let mut travelling = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let text = folded(name);
        let dropped = ANSWER_DROPPED.contains(&text.as_str())
            || text.starts_with("access-control-")
            || text.starts_with("x-trunkline-");
        if !dropped {
            travelling.append(name, value.clone());
        }
    }
    travelling
}

fn request_field_travels(name: &HeaderName, application: bool) -> bool {
    let text = folded(name);
    let text = text.as_str();
    if FORBIDDEN_FIELDS.contains(&text) || FORBIDDEN_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
        return false;
    }
    application
        || REQUEST_FIELDS.contains(&text)
        || REQUEST_PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

fn folded(name: &HeaderName) -> String {
    name.as_str().replace('_', "-")
}

/// The WebSocket protocols without those that carry a credential; `None` when no other is left.
fn without_secrets(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let secret = |protocol: &&str| SECRET_PROTOCOLS.iter().any(|secret| protocol.starts_with(secret));
    let kept: Vec<&str> = text.split(',').map(str::trim).filter(|protocol| !secret(protocol)).collect();
    if kept.is_empty() {
        return None;
    }
    HeaderValue::try_from(kept.join(", ")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&str, &str)]) -> HeaderMap {
        fields
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn kubernetes_own_names_are_known_in_any_spelling() {
        for own in ["system:masters", "System:x", "SYSTEM:", "  system:admin", "\tsystem:x"] {
            assert!(is_system_name(own), "{own:?}");
        }
        for other in ["", "system", "systemé:x", "jane", "corp:system:x", "x system:y"] {
            assert!(!is_system_name(other), "{other:?}");
        }
    }

    #[test]
    fn t02_identity_and_credentials_never_travel_in_any_spelling() {
        for name in [
            "Authorization",
            "Cookie",
            "Impersonate-User",
            "impersonate_user",
            "Impersonate-Extra-scopes",
            "X-Remote-User",
            "x_remote_group",
            "X-Forwarded-For",
            "Forwarded",
            "X-Trunkline-Head",
            "x_trunkline_head",
            "X-Cluster-Id",
            "Proxy-Authorization",
            "Close",
            "Connection",
            "TE",
            "Audit-ID",
        ] {
            for application in [false, true] {
                assert!(request_fields(&map(&[(name, "x")]), application).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn unknown_fields_travel_to_applications_only() {
        let fields = map(&[("x-grafana-org-id", "1"), ("accept", "*/*")]);
        assert_eq!(request_fields(&fields, false).len(), 1);
        assert_eq!(request_fields(&fields, true).len(), 2);
    }

    #[test]
    fn what_is_said_to_a_gateway_in_a_websocket_protocol_is_taken_out() {
        for (all, left) in [
            ("v5.channel.k8s.io, trunkline.ticket.c2VjcmV0", Some("v5.channel.k8s.io")),
            ("trunkline.csrf.c2VjcmV0,v5.channel.k8s.io,trunkline.live.v1", Some("v5.channel.k8s.io")),
            ("trunkline.ticket.c2VjcmV0", None),
        ] {
            let travelling = request_fields(&map(&[("Sec-WebSocket-Protocol", all)]), false);
            let kept = travelling.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
            assert_eq!(kept, left, "{all}");
        }
    }

    #[test]
    fn a_token_in_the_websocket_protocol_is_taken_out() {
        let fields = map(&[(
            "sec-websocket-protocol",
            "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0",
        )]);
        let travelling = request_fields(&fields, false);
        assert_eq!(travelling["sec-websocket-protocol"], "v5.channel.k8s.io");
        let token = "base64url.bearer.authorization.k8s.io.c2VjcmV0";
        assert!(request_fields(&map(&[("Sec_WebSocket_Protocol", token)]), false).is_empty());
    }

    #[test]
    fn t01_connection_may_not_name_a_field() {
        assert_eq!(inspect(&map(&[("connection", "keep-alive, Upgrade")])), Ok(()));
        for bad in ["Impersonate-User", "close, x-remote-user", "authorization"] {
            assert!(
                matches!(inspect(&map(&[("connection", bad)])), Err(HeadFault::ConnectionNames(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn t05_a_body_has_one_length() {
        assert_eq!(inspect(&map(&[("transfer-encoding", "Chunked")])), Ok(()));
        for bad in [
            &[("transfer-encoding", "chunked"), ("content-length", "1")][..],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert_eq!(inspect(&map(bad)), Err(HeadFault::Framing), "{bad:?}");
        }
    }

    #[test]
    fn t02_who_asks_to_act_as_somebody_is_understood_or_refused_and_never_dropped() {
        let asked = |fields: &[(&str, &str)]| asked_to_act_as(&map(fields));
        assert_eq!(asked(&[("accept", "*/*")]), Ok(None));
        let bob =
            asked(&[("Impersonate-User", "bob"), ("Impersonate-Group", "a"), ("impersonate-group", "b c")]);
        assert_eq!(bob, Ok(Some(ActAs { user: "bob".into(), groups: vec!["a".into(), "b c".into()] })));
        for fields in [
            &[("impersonate-user", "a"), ("impersonate-user", "a")][..],
            &[("impersonate-group", "a")],
            &[("impersonate-user", "")],
            &[("impersonate-user", "a"), ("impersonate-group", "\t")],
            &[("impersonate_user", "a")],
            &[("impersonate-user", "a"), ("Impersonate_Group", "b")],
            &[("impersonate-user", "a"), ("impersonate-uid", "1")],
            &[("impersonate-user", "a"), ("IMPERSONATE-EXTRA-scopes", "x")],
            &[("impersonate-user", "a"), ("impersonate-future", "x")],
        ] {
            assert!(matches!(asked(fields), Err(HeadFault::Impersonation(_))), "{fields:?}");
            let travelling = request_fields(&map(fields), true);
            assert!(travelling.is_empty(), "{fields:?}");
        }
        let mut beyond = HeaderMap::new();
        beyond.insert("impersonate-user", HeaderValue::from_bytes("j\u{e9}".as_bytes()).unwrap());
        assert!(asked_to_act_as(&beyond).is_err());
    }

    #[test]
    fn t27_a_head_over_its_limits_is_refused() {
        let many: HeaderMap = (0..101)
            .map(|n| (format!("x-{n}").parse::<HeaderName>().unwrap(), HeaderValue::from_static("1")))
            .collect();
        assert_eq!(inspect(&many), Err(HeadFault::TooLarge));
        assert_eq!(inspect(&map(&[("x-a", &"v".repeat(MAX_VALUE + 1))])), Err(HeadFault::TooLarge));
    }

    #[test]
    fn a_head_may_be_as_large_as_its_limits_to_the_byte() {
        assert_eq!((MAX_FIELDS, MAX_NAME, MAX_VALUE, MAX_ALL), (100, 256, 16_384, 65_536));
        let many: HeaderMap = (0..100)
            .map(|n| (format!("x-{n}").parse::<HeaderName>().unwrap(), HeaderValue::from_static("1")))
            .collect();
        assert_eq!(inspect(&many), Ok(()));
        assert_eq!(inspect(&map(&[(&"n".repeat(MAX_NAME), "v")])), Ok(()));
        assert_eq!(inspect(&map(&[(&"n".repeat(MAX_NAME + 1), "v")])), Err(HeadFault::TooLarge));
        assert_eq!(inspect(&map(&[("x-a", &"v".repeat(MAX_VALUE))])), Ok(()));
        let quarter = "v".repeat(MAX_ALL / 4 - 1);
        let whole = [("a", quarter.as_str()), ("b", &quarter), ("c", &quarter), ("d", &quarter)];
        assert_eq!(inspect(&map(&whole)), Ok(()));
        assert_eq!(inspect(&map(&[&whole[..], &[("e", "")]].concat())), Err(HeadFault::TooLarge));
    }

    #[test]
    fn what_may_stand_once_stands_once() {
        for name in ["host", "content-length", "authorization", "x-cluster-id", "upgrade"] {
            assert_eq!(inspect(&map(&[(name, "1")])), Ok(()), "{name}");
            assert_eq!(inspect(&map(&[(name, "1"), (name, "1")])), Err(HeadFault::Repeated(name)), "{name}");
        }
        assert_eq!(inspect(&map(&[("accept", "a"), ("accept", "b")])), Ok(()));
    }

    #[test]
    fn what_kubectl_says_of_itself_travels() {
        let fields = map(&[("kubectl-command", "get"), ("sec-websocket-key", "a"), ("accept", "b")]);
        assert_eq!(request_fields(&fields, false), fields);
    }

    #[test]
    fn an_answer_cannot_speak_for_the_gateways_origin() {
        let fields = map(&[
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "*"),
            ("strict-transport-security", "max-age=0"),
            ("audit-id", "x"),
            ("content-type", "application/json"),
            ("x-trunkline-head", "e30"),
            ("Set_Cookie", "a=b"),
        ]);
        let travelling = answer_fields(&fields);
        assert_eq!(travelling.len(), 2);
        assert!(travelling.contains_key("audit-id"));
    }
}
