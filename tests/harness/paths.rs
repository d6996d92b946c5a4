//! A corpus of request targets that try to name one cluster to us and another to somebody else, or to climb out of one.
//!
//! Made from a grammar: a beginning that names a cluster, a way to climb, and what beside the path names a cluster. All
//! of it by number, so that a run is the same every time. Pure; the gateway's own tests use this file too.
//!
//! What a case may lead to is told by [`PathCase::named`]: clusters that are named literally, by the plainest reading there is. A
//! request may reach the one cluster that everything names, or nobody.

/// Where else a cluster is named.
const BESIDE: &[Beside] = &[
    Beside { host: None, header: None, sni: None },
    Beside { host: None, header: Some("{A}"), sni: None },
    Beside { host: None, header: Some("{B}"), sni: None },
    Beside { host: None, header: Some("{A}, {B}"), sni: None },
    Beside { host: None, header: Some("{U}"), sni: None },
    Beside { host: None, header: Some(" {A} "), sni: None },
    Beside { host: None, header: Some("{A}/../{B}"), sni: None },
    Beside { host: Some("{A}.clusters.test"), header: None, sni: None },
    Beside { host: Some("{B}.clusters.test:443"), header: None, sni: None },
    Beside { host: Some("{U}.Clusters.Test."), header: None, sni: None },
    Beside { host: Some("{A}.{B}.clusters.test"), header: None, sni: None },
    Beside { host: Some("{A}.clusters.test"), header: Some("{B}"), sni: None },
    Beside { host: None, header: None, sni: Some("{A}") },
    Beside { host: Some("{B}.clusters.test"), header: None, sni: Some("{A}") },
    Beside { host: Some("localhost"), header: Some("{B}"), sni: Some("{A}") },
];

/// How a target begins.
const BEGINNINGS: &[&str] = &[
    "/clusters/{A}",
    "/clusters/{A}/",
    "/clusters/{U}",
    "/clusters/{E}",
    "/clusters/{D}",
    "/clusters/{I}",
    "/clusters/{O}",
    "/clusters/{A}.",
    "/clusters/{A}%00",
    "/clusters/{A}%20",
    "/clusters/{A}%2f",
    "/clusters/{A}%5c",
    "/clusters/{A};a=b",
    "/clusters/{A};",
    "/clusters/{A}\\",
    "/clusters/{A}:443",
    "/clusters/{A}@{B}",
    "/clusters/{B}@{A}",
    "/clusters/{A},{B}",
    "/clusters/{A}?/clusters/{B}",
    "/clusters/{A}%3f",
    "/clusters/{A}%23",
    "/clusters//{A}",
    "/clusters/./{A}",
    "/clusters/../clusters/{A}",
    "/clusters/{A}/..",
    "/clusters/{A}/../{B}",
    "/clusters/{A}/../../clusters/{B}",
    "/clusters/{A}/%2e%2e/{B}",
    "/clusters/{A}/.%2e/{B}",
    "/clusters/{A}%2f..%2f{B}",
    "/clusters/{A}/..%2f{B}",
    "/clusters/{A}\\..\\{B}",
    "/clusters/-{A}",
    "/clusters/{A}-",
    "/clusters/_{A}",
    "/Clusters/{A}",
    "/CLUSTERS/{A}",
    "/clusters%2f{A}",
    "/%63lusters/{A}",
    "//clusters/{A}",
    "/./clusters/{A}",
    "/x/../clusters/{A}",
    "/clusters",
    "/clusters/",
    "/",
    "/trunkline/v1/../../clusters/{A}",
    "/trunkline/v1/clusters/{B}/..",
    "/api/v1/namespaces/d/services/web/proxy/clusters/{A}",
    "https://localhost/clusters/{A}",
    "https://{A}.clusters.test",
    "https://{B}.clusters.test/clusters/{A}",
    "http://{A}.clusters.test@localhost/clusters/{B}",
    "https://localhost:443/clusters/{A}/../{B}",
    "ftp://{A}.clusters.test/clusters/{B}",
    "clusters/{A}",
    "{A}",
];

/// How a target goes on.
const WAYS: &[&str] = &[
    "",
    "/",
    "/api/v1/pods",
    "/api/v1/namespaces/d/pods/p?limit=1",
    "/..",
    "/../",
    "/../{B}",
    "/../{B}/api/v1/secrets",
    "/../../clusters/{B}/api",
    "/api/../../{B}/api",
    "/api/v1/../../../{B}/api",
    "/%2e%2e/{B}/api",
    "/%2E%2E/{B}/api",
    "/.%2e/{B}/api",
    "/%2e./{B}/api",
    "/..%2f{B}%2fapi",
    "/..%2F..%2Fclusters%2F{B}",
    "/%2e%2e%2f{B}/api",
    "/%252e%252e/{B}/api",
    "/%252e%252e%252f{B}",
    "/%25252e%25252e/{B}",
    "/..%5c{B}/api",
    "/..\\{B}\\api",
    "/\\..\\..\\clusters\\{B}",
    "/..;/{B}/api",
    "/..;a=b/{B}/api",
    "/;/../{B}/api",
    "/.;/api",
    "/%c0%ae%c0%ae/{B}/api",
    "/%c0%af..%c0%af{B}",
    "/%e0%80%ae%e0%80%ae/{B}",
    "/%f0%80%80%ae/{B}",
    "/\u{ff0e}\u{ff0e}/{B}",
    "/%ef%bc%8e%ef%bc%8e/{B}",
    "/%u002e%u002e/{B}",
    "/\u{2024}\u{2024}/{B}",
    "//{B}/api",
    "///clusters/{B}/api",
    "/.//../{B}",
    "/./api",
    "/api/.",
    "/api//v1/pods",
    "/%00/../{B}",
    "/api%00/{B}",
    "/api%0d%0aX-Cluster-Id:%20{B}",
    "/api%20HTTP/1.1%0d%0aHost:%20{B}.clusters.test",
    "/clusters/{B}/api",
    "/clusters/{A}/clusters/{B}",
    "/%",
    "/%2",
    "/%zz/{B}",
    "/api/v1/%6eamespaces",
    "/api?x=/../../clusters/{B}",
    "/api?cluster={B}&x-cluster-id={B}",
    "/api#/../{B}",
    "/api/v1/namespaces/d/services/web/proxy/x%2fy;z//w",
    "/api/v1/namespaces/d/services/web/proxy/../../../../../../../../{B}/api",
    "/api/v1/namespaces/d/services/web/proxy/%2e%2e/%2e%2e/%2e%2e/{B}",
    "/api/v1/namespaces/d/services/web/proxy/..%2f..%2f..%2f{B}",
    "/api/v1/namespaces/d/services/web/proxy/..\\..\\{B}",
    "/api/v1/namespaces/d/services/web/proxy/..;/..;/{B}",
    "/api/v1/namespaces/d/pods/p/proxy/clusters/{B}/api",
    "/api/v1/namespaces/../../../{B}/services/web/proxy/",
    "/api/v1/nodes/n/proxy/../../../../{B}",
    "/apis/{B}.clusters.test/v1/things",
    "/~{B}/api",
    "/@{B}/api",
    "/api/v1/pods\t{B}",
    "/api/v1/pods\u{7f}",
    "/\u{430}pi/{B}",
];

#[derive(Clone, Copy)]
struct Beside {
    host: Option<&'static str>,
    header: Option<&'static str>,
    sni: Option<&'static str>,
}

/// One request of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathCase {
    /// The request target, as bytes on the line.
    pub target: String,
    /// The field `Host`, where it is not `localhost`.
    pub host: Option<String>,
    /// The field that names a cluster.
    pub header: Option<String>,
    /// The cluster whose host the connection asked for in TLS; none when it asked for no cluster's.
    pub sni: Option<String>,
}

impl PathCase {
    /// The clusters that are named, each literally: in the path's second segment if that is an id at all, in front of the
    /// suffix, or in the field.
    pub fn named(&self) -> Vec<String> {
        let authority = self.target.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or(""));
        let path = match self.target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => &self.target,
        };
        let mut named = Vec::new();
        let second = path.strip_prefix("/clusters/").and_then(|rest| rest.split(['/', '?', '#']).next());
        let plain = |id: &&str| id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let is_id = |id: &&str| plain(id) && !id.is_empty() && !id.starts_with('-') && !id.ends_with('-');
        named.extend(second.filter(is_id).map(str::to_owned));
        let host = authority.or(self.host.as_deref()).unwrap_or("localhost").to_ascii_lowercase();
        let host = host.rsplit('@').next().unwrap_or("");
        let host = host.split(':').next().unwrap_or("").trim_end_matches('.');
        named.extend(host.strip_suffix(".clusters.test").map(str::to_owned));
        named.extend(self.header.as_deref().map(|value| value.trim().to_owned()));
        named.extend(self.sni.clone());
        named
    }
}

/// How many different cases the grammar has for each pair of clusters.
pub fn all() -> usize {
    BEGINNINGS.len() * WAYS.len() * BESIDE.len()
}

/// The first `count` cases that try to bring a request to `a`, or from `a` to `b`, in an order that mixes the grammar's
/// parts.
pub fn cases(a: &str, b: &str, count: usize) -> Vec<PathCase> {
    // A step without a common divisor visits every case once before any twice.
    let step = (all() * 5 / 13..).find(|step| divisor(*step, all()) == 1).unwrap_or(1);
    (0..count.min(all())).map(|n| case(a, b, n * step % all())).collect()
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

fn case(a: &str, b: &str, n: usize) -> PathCase {
    let beside = BESIDE[n % BESIDE.len()];
    let n = n / BESIDE.len();
    let (beginning, way) = (BEGINNINGS[n % BEGINNINGS.len()], WAYS[n / BEGINNINGS.len() % WAYS.len()]);
    let fill = |text: &str| filled(text, a, b);
    PathCase {
        target: fill(&format!("{beginning}{way}")),
        host: beside.host.map(fill),
        header: beside.header.map(fill),
        sni: beside.sni.map(fill),
    }
}

fn filled(text: &str, a: &str, b: &str) -> String {
    let (first, rest) = a.split_at(1);
    let code = first.as_bytes()[0];
    text.replace("{A}", a)
        .replace("{B}", b)
        .replace("{U}", &a.to_uppercase())
        .replace("{E}", &format!("%{code:02x}{rest}"))
        .replace("{D}", &format!("%25{code:02x}{rest}"))
        // Looks the same: a Cyrillic letter in front.
        .replace("{I}", &format!("\u{430}{rest}"))
        // The first letter in two bytes of UTF-8 where one is right.
        .replace("{O}", &format!("%c1%{:02x}{rest}", code & 0x3f | 0x80))
}
