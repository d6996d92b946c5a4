//! From a request's address to a cluster and a Kubernetes path. Pure.
//!
//! Path, host and header lead to the same route. Two that disagree are refused, never ranked: a client that names
//! two clusters is confused, and guessing would send its request to the wrong one.
//!
//! Pages of the Manager have a path of their own, under `/trunkline/v1`, where their session counts. A request that names
//! a cluster by host or header is that cluster's, whatever its path, and so none of theirs.

use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Uri, header};
use trunkline_proto::ClusterId;
use trunkline_proto::path::{MAX_PATH, PathFacts, read_path};

use crate::refusal::Refusal;

/// The header that names a cluster.
pub(crate) const CLUSTER_HEADER: &str = "x-cluster-id";
/// The beginning of paths that name a cluster.
const CLUSTERS: &str = "/clusters/";
/// The beginning of the paths by which pages name a cluster, and what stands behind its id.
const PAGES: &str = "/trunkline/v1/clusters/";
const KUBERNETES: &str = "/k8s";

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) cluster: ClusterId,
    /// The Kubernetes path and query, byte for byte.
    pub(crate) path: PathAndQuery,
    pub(crate) facts: PathFacts,
    pub(crate) kind: Kind,
    pub(crate) addressed: Addressed,
}

/// How a request says which cluster it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// By its path.
    Path,
    /// By the path that pages of the Manager take.
    Pages,
    /// By host or header alone.
    Name,
}

impl Route {
    /// What stood before the Kubernetes path; the cluster's relative redirects need it back.
    pub(crate) fn prefix(&self) -> Option<String> {
        match self.addressed {
            Addressed::Path => Some(format!("{CLUSTERS}{}", self.cluster)),
            Addressed::Pages => Some(format!("{PAGES}{}{KUBERNETES}", self.cluster)),
            Addressed::Name => None,
        }
    }

    /// Whether a page of the Manager asks.
    pub(crate) fn is_for_pages(&self) -> bool {
        self.addressed == Addressed::Pages
    }
}

/// How a request behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ends by itself.
    Ordinary,
    /// Sends events until somebody ends it.
    Watch,
    /// Sends log lines until somebody ends it.
    Follow,
    /// Stops being HTTP.
    Upgrade,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Watch => "watch",
            Self::Follow => "follow",
            Self::Upgrade => "upgrade",
        }
    }
}

/// What of a connection bears on the route.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Names<'a> {
    /// The name the client asked for in TLS.
    pub(crate) sni: Option<&'a str>,
    /// The configured suffix of cluster hosts.
    pub(crate) suffix: Option<&'a str>,
}

/// Draws the route from a request.
pub(crate) fn route(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    names: Names<'_>,
) -> Result<Route, Refusal> {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let around = if whole.starts_with(PAGES) { PAGES.len() + KUBERNETES.len() } else { CLUSTERS.len() };
    if whole.len() > MAX_PATH + around + 63 {
        return Err(Refusal::BadPath { why: trunkline_proto::path::PathFault::TooLong.to_string() });
    }
    let by_host = by_host(uri, headers, names)?;
    let by_header = by_header(headers)?;
    let (by_path, rest) = by_path(whole, by_host.is_some() || by_header.is_some())?;
    let (by_path, addressed) = match by_path {
        Some((id, addressed)) => (Some(id), addressed),
        None => (None, Addressed::Name),
    };
    let named: Vec<&ClusterId> = [&by_path, &by_host, &by_header].into_iter().flatten().collect();
    let cluster = match named.as_slice() {
        [] => return Err(Refusal::NoCluster),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => (*first).clone(),
        [first, rest @ ..] => {
            let other = rest.iter().find(|other| *other != first).unwrap_or(first);
            return Err(Refusal::AmbiguousCluster { one: (*first).clone(), other: (*other).clone() });
        }
    };
    let path: PathAndQuery =
        rest.parse().map_err(|_| Refusal::BadPath { why: "the path does not parse".into() })?;
    let facts = read_path(path.path()).map_err(|fault| Refusal::BadPath { why: fault.to_string() })?;
    let kind = kind(method, &path, headers);
    Ok(Route { cluster, path, facts, kind, addressed })
}

/// The cluster that the path names, in which way, and the path that is left.
fn by_path(whole: &str, named_elsewhere: bool) -> Result<(Option<(ClusterId, Addressed)>, String), Refusal> {
    let split = |after: &'_ str| after.find(['/', '?']).unwrap_or(after.len());
    let found = if let Some(after) = whole.strip_prefix(CLUSTERS) {
        let (id, rest) = after.split_at(split(after));
        Some((id, rest, Addressed::Path))
    } else {
        whole.strip_prefix(PAGES).filter(|_| !named_elsewhere).and_then(|after| {
            let (id, rest) = after.split_at(split(after));
            let rest = rest.strip_prefix(KUBERNETES)?;
            (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((id, rest, Addressed::Pages))
        })
    };
    let Some((id, rest, addressed)) = found else { return Ok((None, rooted(whole))) };
    // Matched on the raw bytes: never decoded, never folded.
    let id: ClusterId = match id.parse() {
        Ok(id) => id,
        Err(_) if named_elsewhere => return Ok((None, whole.to_owned())),
        Err(error) => return Err(Refusal::BadCluster { why: error.to_string() }),
    };
    Ok((Some((id, addressed)), rooted(rest)))
}

/// A path that is empty is `/` (RFC 9112 §3.2.1), whether or not a query stands behind it.
fn rooted(path: &str) -> String {
    if path.is_empty() || path.starts_with('?') { format!("/{path}") } else { path.to_owned() }
}

fn by_header(headers: &HeaderMap) -> Result<Option<ClusterId>, Refusal> {
    let Some(value) = headers.get(CLUSTER_HEADER) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    text.parse()
        .map(Some)
        .map_err(|error: trunkline_proto::InvalidClusterId| Refusal::BadCluster { why: error.to_string() })
}

/// The cluster that host or SNI name. The host decides; an SNI that names another is a coalesced or confused
/// connection (421).
fn by_host(uri: &Uri, headers: &HeaderMap, names: Names<'_>) -> Result<Option<ClusterId>, Refusal> {
    let authority = uri.authority().map(|authority| authority.as_str());
    let field = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    if let (Some(authority), Some(field)) = (authority, field)
        && !authority.eq_ignore_ascii_case(field)
    {
        return Err(Refusal::BadHead { why: ":authority and Host name different hosts".into() });
    }
    let Some(suffix) = names.suffix else { return Ok(None) };
    let host = authority.or(field).map(without_port).and_then(|host| label(host, suffix));
    let sni = names.sni.and_then(|name| label(name, suffix));
    match (host, sni) {
        (Some(host), Some(sni)) if !host.eq_ignore_ascii_case(sni) => Err(Refusal::Misdirected),
        (Some(name), _) | (None, Some(name)) => {
            name.to_ascii_lowercase().parse().map(Some).map_err(|error: trunkline_proto::InvalidClusterId| {
                Refusal::BadCluster { why: error.to_string() }
            })
        }
        (None, None) => Ok(None),
    }
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// What stands before `.suffix`; DNS names know no case.
fn label<'a>(host: &'a str, suffix: &str) -> Option<&'a str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let at = host.len().checked_sub(suffix.len() + 1)?;
    let (label, rest) = host.split_at_checked(at)?;
    rest.strip_prefix('.').is_some_and(|rest| rest.eq_ignore_ascii_case(suffix)).then_some(label)
}

fn kind(method: &Method, path: &PathAndQuery, headers: &HeaderMap) -> Kind {
    if headers.contains_key(header::UPGRADE) {
        return Kind::Upgrade;
    }
    let asks = |name: &str| {
        path.query().unwrap_or_default().split('&').any(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            key == name && !matches!(value, "false" | "0" | "False" | "FALSE" | "f" | "F")
        })
    };
    if method != Method::GET {
        Kind::Ordinary
    } else if asks("watch") {
        Kind::Watch
    } else if path.path().ends_with("/log") && asks("follow") {
        Kind::Follow
    } else {
        Kind::Ordinary
    }
}

#[cfg(test)]
mod corpus;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const NAMES: Names<'_> = Names { sni: None, suffix: Some("clusters.example") };

    pub(crate) fn route_to(path: &str) -> Route {
        draw(path, &[], NAMES).expect("a route")
    }

    #[expect(clippy::unwrap_in_result, reason = "a test may fail by panic anywhere")]
    fn draw(path: &str, fields: &[(&str, &str)], names: Names<'_>) -> Result<Route, Refusal> {
        let headers = fields
            .iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        route(&Method::GET, &path.parse().unwrap(), &headers, names)
    }

    #[test]
    fn path_host_and_header_lead_to_the_same_route() {
        let by_path = route_to("/clusters/alpha/api/v1/pods?limit=5");
        let by_host =
            draw("/api/v1/pods?limit=5", &[("host", "alpha.clusters.example:8443")], NAMES).unwrap();
        let by_header = draw("/api/v1/pods?limit=5", &[("x-cluster-id", "alpha")], NAMES).unwrap();
        for route in [&by_path, &by_host, &by_header] {
            assert_eq!(route.cluster.as_str(), "alpha");
            assert_eq!(route.path.as_str(), "/api/v1/pods?limit=5");
        }
        assert_eq!((by_path.addressed, by_host.addressed), (Addressed::Path, Addressed::Name));
    }

    #[test]
    fn pages_have_a_path_of_their_own() {
        for (path, rest) in [
            ("/trunkline/v1/clusters/alpha/k8s/api/v1/pods?limit=5", "/api/v1/pods?limit=5"),
            ("/trunkline/v1/clusters/alpha/k8s", "/"),
            ("/trunkline/v1/clusters/alpha/k8s/", "/"),
            ("/trunkline/v1/clusters/alpha/k8s?x", "/?x"),
            ("/trunkline/v1/clusters/alpha/k8s/k8s", "/k8s"),
        ] {
            let route = route_to(path);
            assert_eq!((route.cluster.as_str(), route.path.as_str()), ("alpha", rest), "{path}");
            assert_eq!(route.addressed, Addressed::Pages);
            assert_eq!(route.prefix().as_deref(), Some("/trunkline/v1/clusters/alpha/k8s"));
        }
        for path in
            ["", "/", "/alpha", "/alpha/", "/alpha/k8sx", "/alpha/status", "/alpha/lock/k8s", "//k8s/api"]
        {
            let drawn = draw(&format!("/trunkline/v1/clusters{path}"), &[], NAMES);
            let whose = matches!(drawn, Err(Refusal::NoCluster | Refusal::BadCluster { .. }));
            assert!(whose, "{path}: {drawn:?}");
        }
        for bad in ["ALPHA/k8s/api", "al%70ha/k8s/api", "a.b/k8s"] {
            let drawn = draw(&format!("/trunkline/v1/clusters/{bad}"), &[], NAMES);
            assert!(matches!(drawn, Err(Refusal::BadCluster { .. })), "{bad}");
        }
        let climbing = draw("/trunkline/v1/clusters/alpha/k8s/../lock", &[], NAMES);
        assert!(matches!(climbing, Err(Refusal::BadPath { .. })));
        for named in [("x-cluster-id", "alpha"), ("host", "alpha.clusters.example")] {
            let route = draw("/trunkline/v1/clusters/alpha/k8s/api", &[named], NAMES).unwrap();
            assert_eq!(route.path.as_str(), "/trunkline/v1/clusters/alpha/k8s/api");
            assert_eq!(route.addressed, Addressed::Name, "the session counts for nothing there");
        }
    }

    #[test]
    fn the_rest_of_the_path_travels_byte_for_byte() {
        for rest in ["/", "/api/v1/x%3Ay?a=%2F&b=//", "/version?"] {
            assert_eq!(route_to(&format!("/clusters/alpha{rest}")).path.as_str(), rest);
        }
        assert_eq!(route_to("/clusters/alpha").path.as_str(), "/");
        assert_eq!(route_to("/clusters/alpha?x=1").path.as_str(), "/?x=1");
    }

    #[test]
    fn a_query_alone_stands_behind_the_root() {
        let route = draw("https://alpha.clusters.example?x=1", &[], NAMES).unwrap();
        assert_eq!(route.path.as_str(), "/?x=1");
    }

    #[test]
    fn two_clusters_are_one_too_many() {
        let refusal = draw("/clusters/alpha/api", &[("x-cluster-id", "beta")], NAMES).unwrap_err();
        let Refusal::AmbiguousCluster { one, other } = refusal else { panic!("{refusal}") };
        assert_eq!((one.as_str(), other.as_str()), ("alpha", "beta"));
        assert!(draw("/clusters/alpha/api", &[("x-cluster-id", "alpha")], NAMES).is_ok());
        let refusal =
            draw("/api", &[("host", "alpha.clusters.example"), ("x-cluster-id", "beta")], NAMES).unwrap_err();
        assert!(matches!(refusal, Refusal::AmbiguousCluster { .. }));
    }

    #[test]
    fn host_and_sni_that_name_different_clusters_are_misdirected() {
        let names = Names { sni: Some("beta.clusters.example"), ..NAMES };
        let refusal = draw("/api", &[("host", "alpha.clusters.example")], names).unwrap_err();
        assert!(matches!(refusal, Refusal::Misdirected));
        assert_eq!(draw("/api", &[("host", "127.0.0.1")], names).unwrap().cluster.as_str(), "beta");
    }

    #[test]
    fn t06_a_cluster_is_never_decoded_folded_or_guessed() {
        for path in ["/clusters/ALPHA/api", "/clusters/al%70ha/api", "/clusters//api", "/clusters/a.b/api"] {
            assert!(matches!(draw(path, &[], NAMES), Err(Refusal::BadCluster { .. })), "{path}");
        }
        assert!(matches!(draw("/api", &[], NAMES), Err(Refusal::NoCluster)));
        assert!(matches!(
            draw("/api", &[("host", "a.b.clusters.example")], NAMES),
            Err(Refusal::BadCluster { .. })
        ));
        assert!(matches!(draw("/api", &[("host", "clusters.example")], NAMES), Err(Refusal::NoCluster)));
        assert!(matches!(draw("/api", &[("host", "alphaclusters.example")], NAMES), Err(Refusal::NoCluster)));
        assert!(matches!(draw("/clusters/alpha/a/../b", &[], NAMES), Err(Refusal::BadPath { .. })));
    }

    #[test]
    fn kinds_are_told_apart() {
        let kind = |path| route_to(path).kind;
        assert_eq!(kind("/clusters/a/api/v1/pods?watch=true"), Kind::Watch);
        assert_eq!(kind("/clusters/a/api/v1/pods?watch=false"), Kind::Ordinary);
        assert_eq!(kind("/clusters/a/api/v1/namespaces/n/pods/p/log?follow=true"), Kind::Follow);
        assert_eq!(kind("/clusters/a/api/v1/pods"), Kind::Ordinary);
        assert_eq!(kind("/clusters/a/api/v1/pods?follow=true"), Kind::Ordinary);
        assert_eq!(kind("/clusters/a/api/v1/namespaces/n/pods/p/log?tailLines=1"), Kind::Ordinary);
        assert_eq!(kind("/clusters/a/api/v1/pods?limit=1&watch"), Kind::Watch);
        let uri = "/clusters/a/api/v1/pods?watch=true".parse().unwrap();
        assert_eq!(route(&Method::POST, &uri, &HeaderMap::new(), NAMES).unwrap().kind, Kind::Ordinary);
        let upgrade = draw("/clusters/a/api/v1/pods?watch=true", &[("upgrade", "websocket")], NAMES);
        assert_eq!(upgrade.unwrap().kind, Kind::Upgrade);
        let kinds = [Kind::Ordinary, Kind::Watch, Kind::Follow, Kind::Upgrade];
        assert_eq!(kinds.map(Kind::as_str), ["ordinary", "watch", "follow", "upgrade"]);
    }

    #[test]
    fn a_path_and_query_may_be_as_long_as_the_limit_to_the_byte() {
        let begin = "/clusters/alpha/?q=";
        let of_length = |length: usize| format!("{begin}{}", "x".repeat(length - begin.len()));
        assert!(draw(&of_length(MAX_PATH + 10 + 63), &[], NAMES).is_ok());
        assert!(matches!(draw(&of_length(MAX_PATH + 10 + 63 + 1), &[], NAMES), Err(Refusal::BadPath { .. })));
    }

    #[test]
    fn a_path_that_names_no_cluster_belongs_to_the_one_that_is_named_elsewhere() {
        for fields in [("x-cluster-id", "alpha"), ("host", "alpha.clusters.example")] {
            let route = draw("/clusters/a.b/api", &[fields], NAMES).unwrap();
            assert_eq!((route.cluster.as_str(), route.path.as_str()), ("alpha", "/clusters/a.b/api"));
        }
    }

    #[test]
    fn authority_and_host_name_the_same() {
        let uri = "https://alpha.clusters.example/api";
        assert!(draw(uri, &[("host", "ALPHA.clusters.example")], NAMES).is_ok());
        for host in ["beta.clusters.example", "127.0.0.1"] {
            assert!(matches!(draw(uri, &[("host", host)], NAMES), Err(Refusal::BadHead { .. })), "{host}");
        }
    }

    #[test]
    fn a_host_is_read_as_dns_reads_it() {
        let sni = Names { sni: Some("alpha.clusters.example"), ..NAMES };
        for host in ["alpha.clusters.example", "Alpha.Clusters.Example", "alpha.clusters.example.:443"] {
            assert_eq!(draw("/api", &[("host", host)], sni).unwrap().cluster.as_str(), "alpha", "{host}");
        }
        let odd = draw("/api", &[("host", "alpha.clusters.example:http")], NAMES);
        assert!(matches!(odd, Err(Refusal::NoCluster)));
    }
}
