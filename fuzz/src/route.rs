//! `METHOD URI`, then fields; `:sni` and `:suffix` stand for the connection's name and the configured suffix.
//!
//! A request that is routed names one cluster, in all its names, and the path behind it travels byte for byte. One that
//! names none, two, or what is no name is refused. Worked out here from the raw text, by splitting only.

use http::{HeaderMap, Method, Uri};
use trunkline_gateway::bare;
use trunkline_proto::headers::inspect;
use trunkline_proto::path::read_path;

use crate::lines::{fields, first_line};
use crate::path;

/// Routes a request.
pub fn route(input: &[u8]) {
    let (line, rest) = first_line(input);
    let (method, target) = line.split_once(' ').unwrap_or(("GET", line));
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method.as_bytes()), target.parse::<Uri>()) else {
        return;
    };
    let (sni, rest) = special(rest, ":sni ");
    let (suffix, rest) = special(rest, ":suffix ");
    let headers = fields(rest);
    if inspect(&headers).is_err() {
        return;
    }
    let expected = expect(&uri, &headers, sni, suffix);
    match bare::route(&method, &uri, &headers, sni, suffix) {
        Ok(routed) => {
            let (cluster, by_path, rest) = expected.unwrap_or_else(|| panic!("{uri} went to {routed:?}"));
            assert_eq!(routed.cluster.as_str(), cluster, "{uri}");
            assert_eq!(routed.path, rest, "{uri}");
            assert_eq!(routed.by_path, by_path, "{uri}");
            let path = routed.path.split('?').next().unwrap_or_default();
            path::check(path, routed.facts);
            assert_eq!(Ok(routed.facts), read_path(path));
            assert_eq!(routed.kind == "upgrade", headers.contains_key("upgrade"));
            let ordinary = method != Method::GET && !headers.contains_key("upgrade");
            assert!(!ordinary || routed.kind == "ordinary", "{method} {uri} is a {}", routed.kind);
        }
        Err(no) => {
            if let Some((cluster, _, rest)) = expected {
                let path = rest.split('?').next().unwrap_or_default();
                let fine = rest.parse::<http::uri::PathAndQuery>().is_ok() && read_path(path).is_ok();
                let long = uri.path_and_query().is_some_and(|whole| whole.as_str().len() > 16 * 1024);
                assert!(!fine || long, "{uri} to {cluster} was refused: {}", no.reason);
            }
            let body: serde_json::Value = serde_json::from_str(&no.body).unwrap();
            assert_eq!(body["kind"], "Status");
            assert_eq!(body["code"], no.status.as_u16());
            assert_eq!(body["reason"], no.reason);
            assert!(
                no.status.is_client_error() && body["message"].as_str().is_some_and(|text| !text.is_empty())
            );
        }
    }
}

/// The one cluster that a request names, whether its path does, and the path that is left; nothing if it is to be
/// refused for its names.
fn expect(
    uri: &Uri,
    headers: &HeaderMap,
    sni: Option<&str>,
    suffix: Option<&str>,
) -> Option<(String, bool, String)> {
    let field = headers.get("host").and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(|authority| authority.as_str());
    if let (Some(one), Some(two)) = (authority, field)
        && !one.eq_ignore_ascii_case(two)
    {
        return None;
    }
    let host = authority.or(field).map(|host| {
        let digits = host.trim_end_matches(|c: char| c.is_ascii_digit());
        digits.strip_suffix(':').unwrap_or(host)
    });
    let named = |host: Option<&str>| {
        let (host, suffix) = (host?.to_ascii_lowercase(), suffix?.to_ascii_lowercase());
        let host = host.strip_suffix('.').unwrap_or(&host);
        Some(host.strip_suffix(&suffix)?.strip_suffix('.')?.to_owned())
    };
    let (by_host, by_sni) = (named(host), named(sni));
    let by_header =
        headers.get("x-cluster-id").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let elsewhere = by_host.is_some() || by_sni.is_some() || by_header.is_some();
    let whole = uri.path_and_query().map_or("/", |whole| whole.as_str());
    let name = |after: &str| after.chars().take_while(|c| !matches!(c, '/' | '?')).collect::<String>();
    // Pages have a path of their own, unless the request names a cluster elsewhere.
    let pages = whole.strip_prefix("/trunkline/v1/clusters/").filter(|_| !elsewhere).and_then(|after| {
        let name = name(after);
        let rest = after[name.len()..].strip_prefix("/k8s")?;
        (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((name, rest))
    });
    let by_clusters =
        whole.strip_prefix("/clusters/").map(|after| (name(after), &after[name(after).len()..]));
    let (by_path, rest) = match by_clusters.or(pages) {
        None if whole.starts_with('?') => (None, format!("/{whole}")),
        None => (None, whole.to_owned()),
        Some((name, rest)) => match (is_label(&name), elsewhere) {
            (false, false) => return None,
            (false, true) => (None, whole.to_owned()),
            (true, _) if rest.starts_with('/') => (Some(name), rest.to_owned()),
            (true, _) => (Some(name), format!("/{rest}")),
        },
    };
    let names: Vec<&String> = [&by_path, &by_host, &by_sni, &by_header].into_iter().flatten().collect();
    let one = (*names.first()?).clone();
    (is_label(&one) && names.iter().all(|name| **name == one)).then_some((one, by_path.is_some(), rest))
}

fn is_label(name: &str) -> bool {
    let allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    let edges = [name.chars().next(), name.chars().last()];
    !name.is_empty()
        && name.len() < 64
        && name.chars().all(|c| allowed.contains(c))
        && edges.iter().all(|c| *c != Some('-'))
}

/// What stands on the next line, if that begins so.
fn special<'a>(input: &'a [u8], name: &str) -> (Option<&'a str>, &'a [u8]) {
    let (line, rest) = first_line(input);
    match line.strip_prefix(name) {
        Some(value) => (Some(value), rest),
        None => (None, input),
    }
}
