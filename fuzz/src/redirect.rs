//! `STATUS URI`, then an answer's fields.
//!
//! Whatever a cluster answers, no `Location` leaves the gateway that a browser or a client follows out of the cluster.

use http::{StatusCode, Uri};
use trunkline_gateway::bare;

use crate::lines::{fields, first_line};
use crate::path::decode;

/// Looks a redirect over.
pub fn redirect(input: &[u8]) {
    let (line, rest) = first_line(input);
    let Some((status, target)) = line.split_once(' ') else { return };
    let (Ok(status), Ok(uri)) = (StatusCode::from_bytes(status.as_bytes()), target.parse::<Uri>()) else {
        return;
    };
    let mut headers = fields(rest);
    let before = headers.clone();
    if let Err(no) = bare::redirect(&uri, "clusters.test", status, &mut headers) {
        assert!(no.status.is_client_error() || no.reason == "AnswerRefused", "{}", no.reason);
        return;
    }
    let locations: Vec<_> = headers.get_all("location").iter().collect();
    let [location] = locations.as_slice() else {
        assert!(locations.is_empty());
        return;
    };
    assert!(status.is_redirection());
    let text = std::str::from_utf8(location.as_bytes()).expect("text");
    let sent = before["location"].to_str().unwrap();
    let prefixes = ["/clusters/", "/trunkline/v1/clusters/"];
    match prefixes.into_iter().find(|prefix| uri.path().starts_with(prefix)) {
        Some(prefix) => {
            assert!(text.starts_with(prefix) && uri.path().starts_with(&text[..text.len() - sent.len()]))
        }
        None => assert_eq!(text, sent),
    }
    assert!(text.ends_with(sent));
    // RFC 3986 §5.2, and what browsers do beyond it (URL standard): backslashes, tabs and line breaks.
    assert!(text.starts_with('/') && !text.starts_with("//"), "{text:?} names a host");
    assert!(!text.contains(['\\', '\t', '\n', '\r', ' ']), "{text:?}");
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let decoded = decode(path.as_bytes());
    let climbs = decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| part == b".." || part == b".");
    assert!(!climbs, "{text:?} climbs");
}
