//! The Manager's pages: its files as they are, for everybody; what they show, they ask the REST API for.
//!
//! Invariants:
//! - a page runs our own scripts and styles and nothing else, is in nobody's frame, and makes no markup of text (Content
//!   Security Policy level 3, Trusted Types);
//! - every address under `/ui/` that is no file is the one page, so that links lead where they led;
//! - a file with its content's hash in its name is kept for ever, the page never.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use trunkline_runtime::{Body, full};
use trunkline_ui::File;

use crate::access_log::Entry;

/// Where the Manager's addresses begin.
const BASE: &str = "/ui/";

const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
         require-trusted-types-for 'script'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

/// Whether a request is for the Manager, unless it names a cluster. The root leads a browser there, and nobody else:
/// whoever forgot to name a cluster is told so.
pub(crate) fn serves(head: &Parts) -> bool {
    let path = head.uri.path();
    path == "/ui" || path.starts_with(BASE) || (path == "/" && wants_a_page(&head.headers))
}

fn wants_a_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter();
    accepts.filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/html"))
}

/// Answers with a file, the page, or the way to it.
pub(crate) fn answer(head: &Parts, mut entry: Box<Entry>) -> Response<Body> {
    let mut response = Response::new(full(&b""[..]));
    let headers = response.headers_mut();
    headers.extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if head.method != Method::GET && head.method != Method::HEAD {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    } else if let Some(name) = head.uri.path().strip_prefix(BASE) {
        match trunkline_ui::file(name) {
            Some(file) => put(file, head, &mut response),
            // A script that is gone, after an update, is not answered with a page.
            None if name.starts_with("assets/") => *response.status_mut() = StatusCode::NOT_FOUND,
            None => put(trunkline_ui::page(), head, &mut response),
        }
    } else {
        headers.insert(header::LOCATION, HeaderValue::from_static(BASE));
        *response.status_mut() = StatusCode::FOUND;
    }
    entry.status = response.status().as_u16();
    entry.reason = "Manager";
    entry.sent = http_body::Body::size_hint(response.body()).lower();
    response
}

fn put(file: File, head: &Parts, response: &mut Response<Body>) {
    let encodings = head.headers.get_all(header::ACCEPT_ENCODING).iter();
    let takes_brotli = encodings.filter_map(|value| value.to_str().ok()).any(takes_brotli);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let cache = if file.lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    let bytes = match file.brotli {
        Some(packed) if takes_brotli => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            packed
        }
        _ => file.bytes,
    };
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    if head.method != Method::HEAD {
        *response.body_mut() = full(bytes);
    }
}

/// Whether an `Accept-Encoding` lets Brotli through: RFC 9110 §12.5.3.
fn takes_brotli(accepts: &str) -> bool {
    accepts.split(',').any(|one| {
        let (coding, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = matches!(weight.trim().strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000"));
        coding.trim().eq_ignore_ascii_case("br") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(path: &str, accept: &str) -> Parts {
        let request = http::Request::get(path).header(header::ACCEPT, accept).body(()).unwrap();
        request.into_parts().0
    }

    #[test]
    fn its_own_addresses_are_served_and_the_root_for_browsers_alone() {
        let html = "text/html,application/xhtml+xml,*/*;q=0.8";
        for path in ["/ui", "/ui/", "/ui/c/alpha/core/v1/pods?ns=shop", "/ui/assets/x.js"] {
            assert!(serves(&asks(path, "*/*")), "{path}");
        }
        assert!(serves(&asks("/", html)));
        assert!(!serves(&asks("/", "application/json")));
        for path in ["/uix", "/api", "/trunkline/v1/status", "/clusters/alpha/ui/", "/UI/"] {
            assert!(!serves(&asks(path, html)), "{path}");
        }
    }

    #[test]
    fn brotli_goes_to_who_takes_it() {
        for accepts in ["br", "gzip, deflate, br", "gzip;q=0.5, BR;q=1.0", "br ; q=0.1"] {
            assert!(takes_brotli(accepts), "{accepts}");
        }
        for accepts in ["", "gzip", "br;q=0", "gzip, br;q=0.000", "brotli"] {
            assert!(!takes_brotli(accepts), "{accepts}");
        }
    }
}
