//! The corpus of paths against the router: nobody's request is led to a cluster that was not named, byte for byte.

use http::{HeaderMap, HeaderValue, Method, Uri, header};

use super::{CLUSTER_HEADER, Names, Route, route};
use crate::refusal::Refusal;

#[expect(unreachable_pub, reason = "it is the tests' too")]
#[path = "../../../../tests/harness/paths.rs"]
mod paths;

/// Paths for each cluster, and clusters.
const PATHS: usize = 5_000;
const CLUSTERS: usize = 50;

/// What the router makes of a case; [`None`] when it is no request at all.
fn routed(case: &paths::PathCase) -> Option<Result<Route, Refusal>> {
    let uri: Uri = case.target.parse().ok()?;
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("localhost"));
    if let Some(host) = &case.host {
        headers.insert(header::HOST, host.parse().ok()?);
    }
    if let Some(value) = &case.header {
        // As the parser of heads does.
        headers.insert(CLUSTER_HEADER, value.trim().parse().ok()?);
    }
    let sni = case.sni.as_ref().map(|cluster| format!("{cluster}.clusters.test"));
    let names = Names { sni: sni.as_deref(), suffix: Some("clusters.test") };
    Some(route(&Method::GET, &uri, &headers, names))
}

/// Whether a reading of a path, decoded up to so often, climbs out of it.
fn climbs(path: &str, decodings: usize) -> bool {
    let mut path = path.to_owned();
    for _ in 0..=decodings {
        let segments: Vec<&str> =
            path.split(['/', '\\']).map(|segment| segment.split(';').next().unwrap()).collect();
        let mut depth = 0;
        for segment in &segments {
            depth += match *segment {
                ".." => -1,
                "" | "." => 0,
                _ => 1,
            };
            if depth < 0 {
                return true;
            }
        }
        path = decoded(&path);
    }
    false
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn t06_no_path_of_the_corpus_leads_to_a_cluster_that_was_not_named() {
    let name = |n: usize| format!("{}luster-{n}", char::from(b'a' + u8::try_from(n % 26).unwrap()));
    let (mut reached, mut refused, mut no_request) = (0, 0, 0);
    for n in 0..CLUSTERS {
        let (a, b) = (name(n), name((n + 1) % CLUSTERS));
        for case in paths::cases(&a, &b, PATHS) {
            let Some(outcome) = routed(&case) else {
                no_request += 1;
                continue;
            };
            let Ok(route) = outcome else {
                refused += 1;
                continue;
            };
            reached += 1;
            let named = case.named();
            let cluster = route.cluster.as_str();
            assert!(
                named.iter().all(|name| name == cluster),
                "{case:?} led to {cluster}, it names {named:?}"
            );
            assert!(!named.is_empty(), "{case:?} led to {cluster}");
            // A fragment is nobody's but the client's.
            let sent = case.target.split('#').next().unwrap_or_default();
            assert!(sent.ends_with(route.path.as_str()) || route.path.path() == "/", "{case:?}: {route:?}");
            // An application behind /proxy/ reads its paths as it likes; whoever is before it decodes once.
            let decodings = if route.facts.application { 1 } else { 4 };
            assert!(!climbs(route.path.path(), decodings), "{case:?}: {route:?}");
        }
    }
    println!(
        "{} paths: {reached} reach their cluster, {refused} refused, {no_request} are none",
        PATHS * CLUSTERS
    );
    assert!(PATHS <= paths::all(), "the grammar has {}", paths::all());
    assert_eq!(reached + refused + no_request, PATHS * CLUSTERS);
    assert!(reached > 10_000 && refused > 100_000, "the corpus is about something");
}
