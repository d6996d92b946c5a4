//! Wrong gateway configurations.

use crate::binary::{Edit, Workshop, run};

const GOOD: &str = "\
front:
  listen: 127.0.0.1:0
  certificate: {certificate: FOLDER/front.pem, key: FOLDER/front.key}
  client_roots: FOLDER/front-ca.pem
  host_suffix: clusters.test
  max_requests: 10
tunnel:
  listen: 127.0.0.1:0
  certificate: {certificate: FOLDER/tunnel.pem, key: FOLDER/tunnel.key}
  roots: FOLDER/tunnel-ca.pem
  revoked: ['0A:0B']
clusters:
  - id: alpha
    uid: a0000000-0000-4000-8000-000000000001
admin: 127.0.0.1:0
drain_seconds: 3
";

const EDITS: &[Edit] = &[
    // Missing.
    (
        "no front",
        "front:\n  listen: 127.0.0.1:0\n  certificate: {certificate: FOLDER/front.pem, key: FOLDER/front.key}\n  client_roots: FOLDER/front-ca.pem\n  host_suffix: clusters.test\n  max_requests: 10\n",
        "",
        &["missing field `front`", "bad.yaml"],
    ),
    (
        "no tunnel",
        "tunnel:\n  listen: 127.0.0.1:0\n  certificate: {certificate: FOLDER/tunnel.pem, key: FOLDER/tunnel.key}\n  roots: FOLDER/tunnel-ca.pem\n  revoked: ['0A:0B']\n",
        "",
        &["missing field `tunnel`"],
    ),
    ("no front address", "  listen: 127.0.0.1:0\n", "", &["missing field `listen`", "line"]),
    (
        "no front certificate",
        "  certificate: {certificate: FOLDER/front.pem, key: FOLDER/front.key}\n",
        "",
        &["front.certificate is missing", "data folder"],
    ),
    ("no front key", ", key: FOLDER/front.key", "", &["missing field `key`"]),
    ("no front certificate file", "certificate: FOLDER/front.pem, ", "", &["missing field `certificate`"]),
    ("no client roots", "  client_roots: FOLDER/front-ca.pem\n", "", &["front.client_roots is missing"]),
    ("no tunnel roots", "  roots: FOLDER/tunnel-ca.pem\n", "", &["tunnel.roots is missing"]),
    (
        "no tunnel certificate",
        "  certificate: {certificate: FOLDER/tunnel.pem, key: FOLDER/tunnel.key}\n",
        "",
        &["tunnel.certificate is missing", "data folder"],
    ),
    ("no cluster id", "  - id: alpha\n    uid", "  - uid", &["missing field `id`"]),
    // Unknown.
    ("unknown at the top", "admin:", "adm1n:", &["unknown field `adm1n`", "expected one of", "admin"]),
    ("unknown in front", "  max_requests", "  max_request", &["unknown field `max_request`", "max_requests"]),
    ("unknown in tunnel", "  roots:", "  root:", &["unknown field `root`", "roots"]),
    ("unknown in a cluster", "    uid:", "    uuid:", &["unknown field `uuid`", "uid"]),
    (
        "unknown in a certificate",
        "key: FOLDER/front.key",
        "private_key: FOLDER/front.key",
        &["unknown field `private_key`", "key"],
    ),
    (
        "unknown in limits",
        "admin:",
        "limits: {users: {}}\nadmin:",
        &["unknown field `users`", "user", "cluster"],
    ),
    ("a limit of nothing", "admin:", "limits: {user: {requests: 0}}\nadmin:", &["limits.user.requests is 0"]),
    (
        "a rate of nothing",
        "admin:",
        "limits: {cluster: {opens_per_second: 0}}\nadmin:",
        &["limits.cluster.opens_per_second is 0"],
    ),
    (
        "a burst of nothing",
        "admin:",
        "limits: {user: {opens_burst: 0}}\nadmin:",
        &["limits.user.opens_burst is 0"],
    ),
    ("a negative limit", "admin:", "limits: {user: {requests: -1}}\nadmin:", &["bad.yaml", "line"]),
    (
        "fewer bytes than a frame",
        "admin:",
        "limits: {bytes: {user_per_second: 1000}}\nadmin:",
        &["limits.bytes.user_per_second is 1000", "65536"],
    ),
    (
        "a balancer that is no network",
        "  max_requests: 10",
        "  proxy_from: [lb.example.com]\n  max_requests: 10",
        &["bad.yaml", "line"],
    ),
    ("insecure is no field", "admin:", "insecure: true\nadmin:", &["unknown field `insecure`"]),
    // Addresses.
    (
        "address without port",
        "front:\n  listen: 127.0.0.1:0",
        "front:\n  listen: 127.0.0.1",
        &["line 2", "socket address"],
    ),
    (
        "address with a port too large",
        "front:\n  listen: 127.0.0.1:0",
        "front:\n  listen: 127.0.0.1:65536",
        &["line 2", "socket address"],
    ),
    (
        "address with a name",
        "front:\n  listen: 127.0.0.1:0",
        "front:\n  listen: localhost:8443",
        &["line 2", "socket address"],
    ),
    ("port alone", "front:\n  listen: 127.0.0.1:0", "front:\n  listen: 8443", &["line 2"]),
    (
        "IPv6 without brackets",
        "front:\n  listen: 127.0.0.1:0",
        "front:\n  listen: '::1:8443'",
        &["line 2", "socket address"],
    ),
    (
        "a URL for an address",
        "front:\n  listen: 127.0.0.1:0",
        "front:\n  listen: https://127.0.0.1:8443",
        &["line 2", "socket address"],
    ),
    ("admin without port", "admin: 127.0.0.1:0", "admin: 127.0.0.1", &["line 15", "socket address"]),
    ("admin true", "admin: 127.0.0.1:0", "admin: true", &["line 15"]),
    // Types.
    (
        "front is a text",
        "front:\n  listen: 127.0.0.1:0\n",
        "front: here\nfront2:\n  listen: x\n",
        &["line 1"],
    ),
    (
        "clusters is a text",
        "clusters:\n  - id: alpha\n    uid: a0000000-0000-4000-8000-000000000001\n",
        "clusters: alpha\n",
        &["line 12"],
    ),
    ("clusters is a map", "  - id: alpha\n    uid", "  alpha:\n    uid", &["line 13"]),
    (
        "a cluster is a text",
        "  - id: alpha\n    uid: a0000000-0000-4000-8000-000000000001\n",
        "  - alpha\n",
        &["line 13"],
    ),
    (
        "certificate is a path",
        "{certificate: FOLDER/front.pem, key: FOLDER/front.key}",
        "FOLDER/front.pem",
        &["line 3"],
    ),
    ("drain is negative", "drain_seconds: 3", "drain_seconds: -3", &["line 16"]),
    ("drain is a text", "drain_seconds: 3", "drain_seconds: soon", &["line 16"]),
    ("drain is a fraction", "drain_seconds: 3", "drain_seconds: 3.5", &["line 16"]),
    ("drain has a unit", "drain_seconds: 3", "drain_seconds: 3s", &["line 16"]),
    (
        "drain is beyond all numbers",
        "drain_seconds: 3",
        "drain_seconds: 99999999999999999999999",
        &["line 16"],
    ),
    ("a limit is negative", "max_requests: 10", "max_requests: -1", &["line 6"]),
    ("revoked is a text", "revoked: ['0A:0B']", "revoked: 0A", &["line 11"]),
    // Values.
    ("a limit of no requests", "max_requests: 10", "max_requests: 0", &["front.max_requests is 0"]),
    ("a limit of no connections", "max_requests: 10", "max_connections: 0", &["front.max_connections is 0"]),
    ("a limit of no links", "  revoked: ['0A:0B']", "  max_links: 0", &["tunnel.max_links is 0"]),
    ("a serial that is none", "'0A:0B'", "'not hexadecimal'", &["line 11", "serial"]),
    ("an empty serial", "'0A:0B'", "''", &["line 11", "serial"]),
    (
        "a suffix with a dot in front",
        "clusters.test",
        ".clusters.test",
        &["front.host_suffix", "without a dot in front"],
    ),
    ("a suffix with a star", "clusters.test", "'*.clusters.test'", &["front.host_suffix", "domain name"]),
    ("a suffix with a port", "clusters.test", "'clusters.test:443'", &["front.host_suffix"]),
    ("an empty suffix", "clusters.test", "''", &["front.host_suffix"]),
    ("a suffix in upper case", "clusters.test", "Clusters.Test", &["front.host_suffix"]),
    // Addresses as others reach the doors, and enrolment.
    (
        "a tunnel address without a port",
        "  revoked: ['0A:0B']",
        "  addresses: [gw.example]",
        &["tunnel.addresses", "gw.example", ":port"],
    ),
    (
        "a tunnel address that is a URL",
        "  revoked: ['0A:0B']",
        "  addresses: ['https://gw.example:443']",
        &["tunnel.addresses"],
    ),
    (
        "a tunnel address with a port of nothing",
        "  revoked: ['0A:0B']",
        "  addresses: ['gw.example:0']",
        &["tunnel.addresses"],
    ),
    ("a front address that is none", "  max_requests: 10", "  address: 'gw example'", &["front.address"]),
    ("a front address with a user", "  max_requests: 10", "  address: 'me@gw.example'", &["front.address"]),
    (
        "certificates of no time",
        "drain_seconds: 3",
        "enrolment: {certificate_seconds: 0}",
        &["enrolment.certificate_seconds is 0", "give 4 to"],
    ),
    (
        "tokens of two days",
        "drain_seconds: 3",
        "enrolment: {token_minutes: 2880}",
        &["enrolment.token_minutes is 2880", "1440"],
    ),
    ("away for ever", "drain_seconds: 3", "enrolment: {away_days: 100000}", &["enrolment.away_days"]),
    (
        "unknown in enrolment",
        "drain_seconds: 3",
        "enrolment: {tokens: 3}",
        &["unknown field `tokens`", "token_minutes"],
    ),
    // Ids.
    ("the reserved id", "id: alpha", "id: management", &["id management belongs to the management cluster"]),
    ("a cluster twice", "clusters:\n", "clusters:\n  - id: alpha\n", &["alpha stands there twice"]),
    (
        "an audience that is every cluster's",
        "clusters:\n",
        "clusters:\n  - {id: beta, pass_through: [kubernetes]}\n",
        &["pass_through of beta", "every cluster's"],
    ),
    (
        "an audience of two clusters",
        "clusters:\n",
        "clusters:\n  - {id: beta, pass_through: ['urn:x']}\n  - {id: gamma, pass_through: ['urn:y', 'urn:x']}\n",
        &["pass_through of gamma", "beta's as well"],
    ),
    (
        "an audience of the gateway's own",
        "clusters:\n",
        "authn: {service_accounts: {audiences: [gw]}}\nclusters:\n  - {id: beta, pass_through: [gw]}\n",
        &["pass_through of beta", "sign in at this gateway"],
    ),
    (
        "an empty audience",
        "clusters:\n",
        "clusters:\n  - {id: beta, pass_through: ['']}\n",
        &["pass_through of beta", "empty"],
    ),
    (
        "tokens that go through to the management cluster",
        "clusters:\n",
        "management: {in_cluster: true, identity: pass-through}\nclusters:\n",
        &["management.identity", "impersonation only"],
    ),
    (
        "id in upper case",
        "id: alpha",
        "id: Alpha",
        &["line 13", "\"Alpha\" is not a cluster id", "use 1 to 63"],
    ),
    ("id with a dot", "id: alpha", "id: al.pha", &["is not a cluster id"]),
    ("id with an underscore", "id: alpha", "id: al_pha", &["is not a cluster id"]),
    ("id with a slash", "id: alpha", "id: al/pha", &["is not a cluster id"]),
    ("id with a hyphen in front", "id: alpha", "id: '-alpha'", &["is not a cluster id"]),
    ("id with a hyphen behind", "id: alpha", "id: alpha-", &["is not a cluster id"]),
    ("id with a space", "id: alpha", "id: 'alpha '", &["is not a cluster id"]),
    ("id with a percent", "id: alpha", "id: 'al%70ha'", &["is not a cluster id"]),
    ("id beyond ASCII", "id: alpha", "id: älpha", &["is not a cluster id"]),
    ("id of dots", "id: alpha", "id: '..'", &["is not a cluster id"]),
    ("empty id", "id: alpha", "id: ''", &["is not a cluster id"]),
    (
        "id of 64 bytes",
        "id: alpha",
        "id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        &["is not a cluster id"],
    ),
    (
        "uid that is none",
        "a0000000-0000-4000-8000-000000000001",
        "alpha",
        &["line 14", "is not a cluster uid", "use a UUID"],
    ),
    (
        "uid too short",
        "a0000000-0000-4000-8000-000000000001",
        "a0000000-0000-4000-8000",
        &["is not a cluster uid"],
    ),
    // The management cluster's upstream.
    (
        "management with nothing",
        "admin:",
        "management: {}\nadmin:",
        &["management", "exactly one of upstream.server"],
    ),
    (
        "management without a credential",
        "admin:",
        "management: {server: 'https://127.0.0.1:1'}\nadmin:",
        &["management", "no credential"],
    ),
    (
        "management without a root",
        "admin:",
        "management: {server: 'https://127.0.0.1:1', token_file: FOLDER/token}\nadmin:",
        &["management", "upstream.ca"],
    ),
    // YAML.
    ("a tab", "front:\n  listen", "front:\n\tlisten", &["bad.yaml", "line"]),
    ("an open bracket", "front:", "front: {{", &["bad.yaml", "line"]),
    (
        "a key twice",
        "admin: 127.0.0.1:0",
        "admin: 127.0.0.1:0\nadmin: 127.0.0.1:0",
        &["duplicate", "admin", "line 16"],
    ),
    ("two documents", "admin: 127.0.0.1:0", "---\nadmin: 127.0.0.1:0", &["bad.yaml"]),
    ("an anchor that is not there", "drain_seconds: 3", "drain_seconds: *grace", &["bad.yaml", "grace"]),
];

/// Whole files that are no configuration.
fn whole() -> Vec<(&'static str, Vec<u8>, &'static [&'static str])> {
    let bomb: String = (0..12).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, n| {
        let again = vec![format!("*a{n}"); 9].join(", ");
        text + &format!("a{}: &a{} [{again}]\n", n + 1, n + 1)
    });
    vec![
        ("an empty file", Vec::new(), &["bad.yaml"]),
        ("comments alone", b"# nothing\n".to_vec(), &["bad.yaml"]),
        ("null", b"null\n".to_vec(), &["bad.yaml"]),
        ("a list", b"- front\n- tunnel\n".to_vec(), &["bad.yaml"]),
        ("a text", b"front\n".to_vec(), &["bad.yaml"]),
        ("binary", vec![0x7f, b'E', b'L', b'F', 0, 1, 2, 0xff, 0xfe], &["bad.yaml", "as text"]),
        ("UTF-16", "front:\n".encode_utf16().flat_map(u16::to_le_bytes).collect(), &["bad.yaml"]),
        ("JSON that breaks off", b"{\"front\": {".to_vec(), &["bad.yaml"]),
        ("TOML", b"[front]\nlisten = \"127.0.0.1:0\"\n".to_vec(), &["bad.yaml"]),
        ("depth without end", vec![b'['; 100_000], &["bad.yaml"]),
        ("aliases that multiply", bomb.into_bytes(), &["bad.yaml"]),
        ("seventeen megabytes", vec![b'#'; 17 * 1024 * 1024], &["bad.yaml", "more than 16777216"]),
    ]
}

pub(crate) fn count() -> usize {
    EDITS.len() + whole().len() + 4
}

#[test]
fn a_wrong_gateway_configuration_is_refused_in_words_that_help() {
    Workshop::new().refuses_edits("gateway", GOOD, EDITS);
}

#[test]
fn a_file_that_is_no_gateway_configuration_is_refused_in_words_that_help() {
    let workshop = Workshop::new();
    for (name, content, words) in whole() {
        workshop.refuses("gateway", name, &content, words);
    }
    let absent = workshop.aside.path().join("absent.yaml");
    let absent = absent.to_str().unwrap();
    run(&["config", "check", "gateway", absent], &[])
        .refused("absent", &["absent.yaml", "does the file exist?"]);
    run(&["gateway", "--config", absent], &[]).refused("absent", &["absent.yaml", "does the file exist?"]);
    let folder = workshop.aside.path().to_str().unwrap();
    run(&["config", "check", "gateway", folder], &[]).refused("a folder", &[folder, "directory"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let workshop = Workshop::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = GOOD.replace("front:\n  listen: 127.0.0.1:0", &format!("front:\n  listen: {address}"));
    let file = workshop.write("taken.yaml", &text);
    let outcome = run(&["gateway", "--config", file.to_str().unwrap()], &[]);
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    for word in [address.as_str(), "front door", "is another process there"] {
        assert!(last.contains(word), "{word}: {}", outcome.stderr);
    }
}
