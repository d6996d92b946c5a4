//! The requests: each with its status, its reason and the words of its message.

/// A name, the request's lines, the status, the reason, words of the message.
pub(super) type Case = (&'static str, Vec<String>, u16, &'static str, &'static [&'static str]);

fn get(path: &str) -> Vec<String> {
    vec![format!("GET {path} HTTP/1.1"), "Host: localhost".into()]
}

fn with(path: &str, fields: &[&str]) -> Vec<String> {
    let mut lines = get(path);
    lines.extend(fields.iter().map(|field| (*field).to_owned()));
    lines
}

pub(super) fn ids() -> Vec<Case> {
    let long = "a".repeat(64);
    let mut cases: Vec<Case> = Vec::new();
    for (name, id) in [
        ("id in upper case", "ALPHA"),
        ("id with a dot", "al.pha"),
        ("id with an underscore", "al_pha"),
        ("id with a hyphen in front", "-alpha"),
        ("id with a hyphen behind", "alpha-"),
        ("encoded id", "%61lpha"),
        ("id with an encoded slash", "alpha%2fbeta"),
        ("id with an encoded dot", "alpha%2ebeta"),
        ("id with an encoded NUL", "alpha%00"),
        ("id with a semicolon", "alpha;v=1"),
        ("id with a colon", "alpha:443"),
        ("id with an at sign", "me@alpha"),
        ("id of dots", ".."),
        ("id of an encoded dot", "%2e%2e"),
        ("empty id", ""),
        ("id with a star", "*"),
        ("id with a tilde", "~alpha"),
        ("id of 64 bytes", &long),
    ] {
        cases.push((
            name,
            get(&format!("/clusters/{id}/api")),
            404,
            "BadCluster",
            &["is not a cluster id", "use 1 to 63"],
        ));
    }
    for (name, id) in [
        ("field with upper case", "Alpha"),
        ("field with a path", "alpha/api"),
        ("field with two ids", "alpha, beta"),
        ("empty field", ""),
        ("field with a quote", "\"alpha\""),
    ] {
        cases.push((
            name,
            with("/api", &[&format!("X-Cluster-Id: {id}")]),
            404,
            "BadCluster",
            &["is not a cluster id"],
        ));
    }
    cases.extend([
        (
            "a cluster that is not there",
            get("/clusters/nowhere/api"),
            404,
            "ClusterNotFound",
            &["no cluster nowhere", "is it registered?"][..],
        ),
        (
            "the management cluster, which is not served",
            get("/clusters/management/api"),
            404,
            "ClusterNotFound",
            &["management"],
        ),
        ("no cluster", get("/api/v1/pods"), 404, "NoCluster", &["names no cluster", "/clusters/<id>/"]),
        ("the root", get("/"), 404, "NoCluster", &["x-cluster-id"]),
        ("clusters without an id", get("/clusters"), 404, "NoCluster", &[]),
        ("clusters in upper case", get("/Clusters/alpha/api"), 404, "NoCluster", &[]),
        (
            "path and field disagree",
            with("/clusters/alpha/api", &["X-Cluster-Id: beta"]),
            400,
            "AmbiguousCluster",
            &["alpha", "beta", "name one"],
        ),
        (
            "host and field disagree",
            vec!["GET /api HTTP/1.1".into(), "Host: alpha.clusters.test".into(), "X-Cluster-Id: beta".into()],
            400,
            "AmbiguousCluster",
            &["name one"],
        ),
        (
            "path and host disagree",
            vec!["GET /clusters/beta/api HTTP/1.1".into(), "Host: alpha.clusters.test".into()],
            400,
            "AmbiguousCluster",
            &["name one"],
        ),
        (
            "a host of two labels",
            vec!["GET /api HTTP/1.1".into(), "Host: a.alpha.clusters.test".into()],
            404,
            "BadCluster",
            &["is not a cluster id"],
        ),
        (
            "two cluster fields",
            with("/api", &["X-Cluster-Id: alpha", "X-Cluster-Id: alpha"]),
            400,
            "BadHead",
            &["x-cluster-id stands more than once"],
        ),
    ]);
    cases
}

pub(super) fn paths() -> Vec<Case> {
    let long = format!("/api/{}", "a".repeat(17_000));
    [
        ("an empty segment", "/api//v1", "empty segment"),
        ("an empty first segment", "//api", "empty segment"),
        ("a dot segment", "/api/./v1", ". or .. segment"),
        ("two dots", "/api/../v1", ". or .. segment"),
        ("two dots to the next cluster", "/../beta/api", ". or .. segment"),
        ("encoded dots", "/api/%2e%2e/v1", ". or .. segment"),
        ("encoded dots in upper case", "/api/%2E%2E/v1", ". or .. segment"),
        ("half encoded dots", "/api/.%2e/v1", ". or .. segment"),
        ("dots at the end", "/api/..", ". or .. segment"),
        ("dots before a semicolon", "/api/..;/v1", ". or .. segment"),
        ("an encoded slash", "/api/v1%2fsecrets", "encoded slash"),
        ("an encoded slash in upper case", "/api/v1%2Fsecrets", "encoded slash"),
        ("an encoded backslash", "/api/v1%5csecrets", "encoded slash, backslash"),
        ("an encoded NUL", "/api/v1%00", "NUL"),
        ("dots behind an encoded slash", "/api/%2f..%2f..", ". or .. segment"),
        ("a semicolon", "/api;v=1/v1", "semicolon"),
        ("a percent sign alone", "/api/%", "percent escape"),
        ("half an escape", "/api/%4", "percent escape"),
        ("an escape that is none", "/api/%zz", "percent escape"),
        ("dots behind a proxy", "/api/v1/namespaces/d/services/w/proxy/../../secrets", ". or .. segment"),
        ("encoded dots behind a proxy", "/api/v1/namespaces/d/services/w/proxy/%2e%2e/x", ". or .. segment"),
        (
            "dots behind an encoded slash behind a proxy",
            "/api/v1/namespaces/d/services/w/proxy/a%2f..%2f..%2fx",
            ". or .. segment",
        ),
        ("a path without end", &long, "longer than"),
    ]
    .into_iter()
    .map(|(name, path, word)| {
        let words: &'static [&'static str] = Box::leak(Box::new([word]));
        (name, get(&format!("/clusters/alpha{path}")), 400, "BadPath", words)
    })
    .collect()
}

pub(super) fn heads() -> Vec<Case> {
    let alpha = "/clusters/alpha/api";
    let mut cases: Vec<Case> = Vec::new();
    for (name, field) in [
        ("as another user", "Impersonate-User: root"),
        ("as another group", "Impersonate-Group: system:masters"),
        ("as another uid", "Impersonate-Uid: 1"),
        ("with an extra", "Impersonate-Extra-Scopes: all"),
        ("as another user, folded", "Impersonate_User: root"),
        ("as another user, in lower case", "impersonate-user: root"),
        ("as nobody", "Impersonate-User:"),
    ] {
        cases.push((name, with(alpha, &[field]), 403, "AccessDenied", &["access denied", " as "]));
    }
    for (name, field) in [
        ("Connection names a user", "Connection: Impersonate-User"),
        ("Connection names a credential", "Connection: close, Authorization"),
        ("Connection names a remote user", "Connection: keep-alive,X-Remote-User"),
        ("Connection names nonsense", "Connection: nonsense"),
        ("Connection names a host", "Connection: host"),
        ("Connection names itself", "Connection: connection"),
    ] {
        cases.push((
            name,
            with(alpha, &[field]),
            400,
            "BadHead",
            &["Connection may only say close, keep-alive, upgrade or te"],
        ));
    }
    let long = format!("X-Long: {}", "v".repeat(17_000));
    let many: Vec<String> = (0..120).map(|n| format!("X-{n}: 1")).collect();
    let heavy: Vec<String> = (0..50).map(|n| format!("X-{n}: {}", "v".repeat(1500))).collect();
    let owned = |fields: &[String]| with(alpha, &fields.iter().map(String::as_str).collect::<Vec<_>>());
    cases.extend([
        ("a value too long", with(alpha, &[&long]), 400, "BadHead", &["too large", "65536 bytes"][..]),
        ("too many fields", owned(&many), 400, "BadHead", &["too large", "100 fields"]),
        ("too many bytes", owned(&heavy), 400, "BadHead", &["too large"]),
        ("two hosts", with(alpha, &["Host: other"]), 400, "BadHead", &["host stands more than once"]),
        (
            "two credentials",
            with(alpha, &["Authorization: a", "Authorization: b"]),
            400,
            "BadHead",
            &["authorization stands more than once"],
        ),
        (
            "two upgrades",
            with(alpha, &["Connection: upgrade", "Upgrade: websocket", "Upgrade: SPDY/3.1"]),
            400,
            "BadHead",
            &["upgrade stands more than once"],
        ),
        (
            "another coding than chunked",
            with(alpha, &["Transfer-Encoding: gzip, chunked"]),
            400,
            "BadHead",
            &["length"],
        ),
        (
            "absolute form with another host",
            vec!["GET https://elsewhere/clusters/alpha/api HTTP/1.1".into(), "Host: localhost".into()],
            400,
            "BadHead",
            &["different hosts"],
        ),
        (
            "TRACE",
            vec![format!("TRACE {alpha} HTTP/1.1"), "Host: localhost".into()],
            400,
            "BadHead",
            &["TRACE is not served"],
        ),
        (
            "CONNECT",
            vec![
                "CONNECT localhost:443 HTTP/1.1".into(),
                "Host: localhost:443".into(),
                "X-Cluster-Id: alpha".into(),
            ],
            400,
            "BadHead",
            &["CONNECT is not served"],
        ),
        (
            "a node's proxy",
            get("/clusters/alpha/api/v1/nodes/n/proxy/run"),
            403,
            "AccessDenied",
            &["nodes/proxy is not served", "front.allow_node_proxy"],
        ),
        (
            "a node's proxy itself",
            get("/clusters/alpha/api/v1/nodes/n/proxy"),
            403,
            "AccessDenied",
            &["nodes/proxy"],
        ),
    ]);
    cases
}

pub(super) fn upgrades() -> Vec<Case> {
    let alpha = "/clusters/alpha/exec";
    let upgrade = |token: &str| with(alpha, &["Connection: upgrade", &format!("Upgrade: {token}")]);
    let mut put = upgrade("websocket");
    put[0] = format!("PUT {alpha} HTTP/1.1");
    let mut http10 = upgrade("websocket");
    http10[0] = format!("GET {alpha} HTTP/1.0");
    vec![
        ("to h2c", upgrade("h2c"), 400, "BadUpgrade", &["only websocket and SPDY/3.1"]),
        ("to TLS", upgrade("TLS/1.2"), 400, "BadUpgrade", &["only websocket and SPDY/3.1"]),
        ("to nothing", upgrade(""), 400, "BadUpgrade", &["only websocket and SPDY/3.1"]),
        (
            "to two things",
            upgrade("websocket, SPDY/3.1"),
            400,
            "BadUpgrade",
            &["only websocket and SPDY/3.1"],
        ),
        ("to an older SPDY", upgrade("SPDY/3"), 400, "BadUpgrade", &["only websocket and SPDY/3.1"]),
        (
            "without Connection",
            with(alpha, &["Upgrade: websocket"]),
            400,
            "BadUpgrade",
            &["without Connection: upgrade"],
        ),
        (
            "with another Connection",
            with(alpha, &["Connection: keep-alive", "Upgrade: websocket"]),
            400,
            "BadUpgrade",
            &["without Connection: upgrade"],
        ),
        ("by PUT", put, 400, "BadUpgrade", &["only GET and POST"]),
        ("by HTTP/1.0", http10, 400, "BadUpgrade", &["only HTTP/1.1"]),
    ]
}

/// What no HTTP parser takes: answered without a `Status`, since there is no request yet.
pub(super) const NO_REQUEST: &[(&str, &str)] = &[
    ("nonsense", "nonsense\r\n\r\n"),
    ("no version", "GET /clusters/alpha/api\r\n\r\n"),
    ("an unknown version", "GET /clusters/alpha/api HTTP/3.7\r\n\r\n"),
    ("a space in the path", "GET /clusters/alpha/a b HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a control byte in the path", "GET /clusters/alpha/a\x01 HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a backslash as the path", "GET \\clusters\\alpha HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("a space before the colon", "GET /clusters/alpha/api HTTP/1.1\r\nHost : x\r\n\r\n"),
    ("a space in a name", "GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nIm personate: y\r\n\r\n"),
    ("a NUL in a value", "GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n"),
    (
        "a carriage return in a value",
        "GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nX: a\rImpersonate-User: root\r\n\r\n",
    ),
    (
        "a folded line",
        "GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nX: a\r\n Impersonate-User: root\r\n\r\n",
    ),
    (
        "two lengths",
        "POST /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ),
    ("a negative length", "POST /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
    (
        "a length in hexadecimal",
        "POST /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na",
    ),
    (
        "a coding in HTTP/1.0",
        "POST /clusters/alpha/api HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "an unknown coding",
        "POST /clusters/alpha/api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
    ),
    ("an empty name", "GET /clusters/alpha/api HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"),
    ("two hundred and fifty fields", ""),
];
