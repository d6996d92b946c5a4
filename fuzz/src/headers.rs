//! `kubernetes` or `application`, then a request's fields.
//!
//! Whatever comes, no field that tells or claims an identity travels, in no spelling; what the gateway lets through the
//! agent lets through unchanged; and an answer cannot speak for the gateway's origin.

use http::{HeaderMap, HeaderName};
use trunkline_proto::headers::{
    ActAs, MAX_ALL, MAX_FIELDS, MAX_NAME, MAX_VALUE, answer_fields, asked_to_act_as, inspect, request_fields,
};

use crate::lines::{fields, first_line, folded};

/// Fields that no request may have when it goes on; what ends with `-` is a beginning.
const CLAIMS: &[&str] = &[
    "authorization",
    "cookie",
    "impersonate-",
    "x-remote-",
    "x-forwarded-",
    "forwarded",
    "x-real-ip",
    "x-trunkline-",
    "x-cluster-id",
    "audit-",
    "proxy-",
];
/// Fields of one hop.
const HOP: &[&str] = &[
    "close",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "expect",
    "host",
];
/// The same of an answer.
const ORIGIN: &[&str] = &[
    "set-cookie",
    "access-control-",
    "content-security-policy",
    "strict-transport-security",
    "clear-site-data",
    "x-trunkline-",
    "service-worker-allowed",
    "alt-svc",
    "refresh",
];

/// Passes fields through the gateway and the agent.
pub fn headers(input: &[u8]) {
    let (word, rest) = first_line(input);
    let application = word == "application";
    let headers = fields(rest);
    answer(&headers);
    if inspect(&headers).is_err() {
        return;
    }
    inspected(&headers);
    let gateway = request_fields(&headers, application);
    for (name, value) in &gateway {
        let text = folded(name);
        assert!(!is_among(CLAIMS, &text), "{name} travels");
        assert!(!HOP.contains(&text.as_str()), "{name} travels");
        let protocols = value.as_bytes().split(|byte| *byte == b',');
        let tells = protocols.map(<[u8]>::trim_ascii).any(|protocol| protocol.starts_with(TOKEN));
        assert!(!tells || text != "sec-websocket-protocol", "{name} carries a token");
        let kept = headers.get_all(name).iter().any(|sent| sent == value);
        assert!(kept || text == "sec-websocket-protocol", "{name} has another value than was sent");
    }
    assert!(gateway.len() <= headers.len());
    let open = request_fields(&headers, true);
    assert!(
        gateway.keys().all(|name| open.contains_key(name)),
        "an application is shown less than an API server"
    );
    assert_eq!(
        request_fields(&gateway, application),
        gateway,
        "the agent changes what the gateway let through"
    );
}

fn is_among(fields: &[&str], name: &str) -> bool {
    fields.iter().any(|field| name == *field || (field.ends_with('-') && name.starts_with(field)))
}

/// What a WebSocket protocol begins with that is a bearer token (kubernetes/kubernetes#47740).
const TOKEN: &[u8] = b"base64url.bearer.authorization.k8s.io.";

/// What holds of a head that was looked over.
fn inspected(headers: &HeaderMap) {
    let lengths: Vec<_> = headers.iter().map(|(name, value)| (name.as_str().len(), value.len())).collect();
    assert!(lengths.len() <= MAX_FIELDS);
    assert!(lengths.iter().all(|(name, value)| *name <= MAX_NAME && *value <= MAX_VALUE));
    assert!(lengths.iter().map(|(name, value)| name + value).sum::<usize>() <= MAX_ALL);
    let count = |name: &str| headers.get_all(name).iter().count();
    assert!(
        ["host", "content-length", "authorization", "x-cluster-id", "upgrade"].iter().all(|n| count(n) <= 1)
    );
    let chunked = count("transfer-encoding");
    assert!(chunked + count("content-length") <= 1, "two lengths");
    acting(headers);
    for value in headers.get_all("connection") {
        let names = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for name in names.filter(|name| !name.is_empty()) {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            let named = headers.keys().any(|field| field.as_str() == name);
            assert!(!named || HOP.contains(&name.as_str()), "Connection names {name}");
        }
    }
}

/// Who asks to act as somebody is understood to the letter, or refused; never dropped.
fn acting(headers: &HeaderMap) {
    let asks = |name: &HeaderName| folded(name).starts_with("impersonate-");
    let all: Vec<_> = headers.iter().filter(|(name, _)| asks(name)).collect();
    match asked_to_act_as(headers) {
        Ok(None) => assert!(all.is_empty(), "{all:?} is dropped"),
        Ok(Some(ActAs { user, groups })) => {
            let told =
                |name: &str| -> Vec<&[u8]> { headers.get_all(name).iter().map(|v| v.as_bytes()).collect() };
            assert_eq!(told("impersonate-user"), [user.as_bytes()]);
            assert!(told("impersonate-group").into_iter().eq(groups.iter().map(String::as_bytes)));
            assert_eq!(all.len(), 1 + groups.len(), "{all:?} says more than is understood");
            assert!(!user.is_empty() && user.trim() == user);
        }
        Err(_) => assert!(!all.is_empty(), "nothing is refused"),
    }
}

fn answer(headers: &HeaderMap) {
    let once = answer_fields(headers);
    for name in once.keys() {
        let text = folded(name);
        assert!(!is_among(ORIGIN, &text), "{name} is passed on");
        assert!(!["connection", "te", "trailer", "transfer-encoding", "upgrade"].contains(&text.as_str()));
        assert!(once.get_all(name).iter().eq(headers.get_all(name).iter()));
    }
    assert_eq!(answer_fields(&once), once);
}
