//! Wrong agent configurations: the way to the gateway, the proxy on it, the API server.

use crate::binary::{Edit, Workshop, run};

const GOOD: &str = "\
cluster: alpha
gateway:
  addresses: [gateway.example.com:9443]
  roots: FOLDER/tunnel-ca.pem
  certificate: {certificate: FOLDER/agent.pem, key: FOLDER/agent.key}
  server_name: gateway.example.com
  proxy:
    url: http://proxy.example.com:3128
upstream:
  server: https://10.0.0.1:6443
  ca: FOLDER/upstream-ca.pem
  token_file: FOLDER/token
  protocol: auto
  allow: {groups: [dev], system_names: []}
admin: 127.0.0.1:0
drain_seconds: 3
";

const EDITS: &[Edit] = &[
    ("no cluster", "cluster: alpha\n", "", &["missing field `cluster`"]),
    ("no addresses", "  addresses: [gateway.example.com:9443]\n", "", &["missing field `addresses`"]),
    ("no roots", "  roots: FOLDER/tunnel-ca.pem\n", "", &["missing field `roots`"]),
    (
        "no certificate",
        "  certificate: {certificate: FOLDER/agent.pem, key: FOLDER/agent.key}\n",
        "",
        &["missing field `certificate`"],
    ),
    (
        "no upstream",
        "upstream:\n  server: https://10.0.0.1:6443\n  ca: FOLDER/upstream-ca.pem\n  token_file: FOLDER/token\n  protocol: auto\n  allow: {groups: [dev], system_names: []}\n",
        "",
        &["missing field `upstream`"],
    ),
    ("unknown at the top", "admin:", "admn:", &["unknown field `admn`", "admin"]),
    ("unknown in gateway", "  addresses:", "  address:", &["unknown field `address`", "addresses"]),
    ("unknown in proxy", "    url:", "    uri:", &["unknown field `uri`", "url"]),
    ("unknown in upstream", "  token_file:", "  token:", &["unknown field `token`", "token_file"]),
    (
        "who may be impersonated by whom nobody is",
        "  protocol: auto",
        "  identity: pass-through",
        &["upstream.allow", "impersonates nobody"],
    ),
    (
        "a certificate that would come before every token",
        "  token_file: FOLDER/token\n  protocol: auto\n  allow: {groups: [dev], system_names: []}\n",
        "  certificate: {certificate: FOLDER/agent.pem, key: FOLDER/agent.key}\n  identity: pass-through\n",
        &["before any token", "take the certificate out"],
    ),
    (
        "an identity of another kind",
        "  protocol: auto",
        "  identity: token",
        &["impersonate", "pass-through"],
    ),
    ("unknown in allow", "groups: [dev]", "group: [dev]", &["unknown field `group`", "groups"]),
    (
        "insecure is no field",
        "  protocol: auto",
        "  insecure_skip_tls_verify: true",
        &["unknown field `insecure_skip_tls_verify`"],
    ),
    ("the reserved id", "cluster: alpha", "cluster: management", &["management", "needs no agent"]),
    ("a wrong id", "cluster: alpha", "cluster: Alpha", &["line 1", "is not a cluster id"]),
    (
        "another cluster than the certificate's",
        "cluster: alpha",
        "cluster: beta",
        &["agent.pem is for the cluster alpha", "configured for beta", "one of the two is wrong"],
    ),
    ("no address at all", "[gateway.example.com:9443]", "[]", &["gateway.addresses is empty", "host:port"]),
    ("addresses is a text", "[gateway.example.com:9443]", "gateway.example.com:9443", &["line 3"]),
    (
        "address without port",
        "gateway.example.com:9443",
        "gateway.example.com",
        &["gateway.addresses", "host:port"],
    ),
    (
        "address is a URL",
        "gateway.example.com:9443",
        "'https://gateway.example.com:9443'",
        &["gateway.addresses", "is not a gateway address"],
    ),
    (
        "address with port 0",
        "gateway.example.com:9443",
        "gateway.example.com:0",
        &["is not a gateway address"],
    ),
    (
        "address with a port too large",
        "gateway.example.com:9443",
        "gateway.example.com:70000",
        &["is not a gateway address"],
    ),
    (
        "address with a space",
        "gateway.example.com:9443",
        "'gateway .example.com:9443'",
        &["is not a gateway address"],
    ),
    (
        "address with a user",
        "gateway.example.com:9443",
        "'me@gateway.example.com:9443'",
        &["is not a gateway address"],
    ),
    (
        "IPv6 without brackets",
        "gateway.example.com:9443",
        "'::1:9443'",
        &["is not a gateway address", "[::1]:9443"],
    ),
    ("empty address", "gateway.example.com:9443", "''", &["is not a gateway address"]),
    (
        "the second address is wrong",
        "gateway.example.com:9443",
        "a.example:1, b.example",
        &["\"b.example\" is not a gateway address"],
    ),
    (
        "a server name that is none",
        "server_name: gateway.example.com",
        "server_name: 'a b'",
        &["gateway.server_name", "no name that a certificate can hold"],
    ),
    ("an empty server name", "server_name: gateway.example.com", "server_name: ''", &["gateway.server_name"]),
    // Proxies.
    (
        "proxy without a scheme",
        "http://proxy.example.com:3128",
        "proxy.example.com:3128",
        &["gateway.proxy", "http://[user:password@]host:port"],
    ),
    (
        "proxy by socks",
        "http://proxy.example.com:3128",
        "socks5://proxy.example.com:1080",
        &["gateway.proxy", "write http://"],
    ),
    ("proxy without a host", "http://proxy.example.com:3128", "'http://'", &["gateway.proxy", "not usable"]),
    ("empty proxy", "http://proxy.example.com:3128", "''", &["gateway.proxy", "not usable"]),
    (
        "https proxy without a root",
        "http://proxy.example.com:3128",
        "https://proxy.example.com:3128",
        &["gateway.proxy", "proxy.ca"],
    ),
    (
        "proxy with neither URL",
        "    url: http://proxy.example.com:3128",
        "    no_proxy: localhost",
        &["gateway.proxy", "exactly one of url and url_file"],
    ),
    (
        "proxy with both URLs",
        "    url: http://proxy.example.com:3128",
        "    url: http://proxy.example.com:3128\n    url_file: FOLDER/token",
        &["exactly one of url and url_file"],
    ),
    (
        "proxy's URL file is absent",
        "    url: http://proxy.example.com:3128",
        "    url_file: FOLDER/absent",
        &["absent", "does it exist"],
    ),
    (
        "proxy's URL file holds no URL",
        "    url: http://proxy.example.com:3128",
        "    url_file: FOLDER/agent.pem",
        &["gateway.proxy", "not usable"],
    ),
    (
        "proxy's root is absent",
        "    url: http://proxy.example.com:3128",
        "    url: https://p.example:1\n    ca: FOLDER/absent",
        &["absent", "does it exist"],
    ),
    (
        "proxy's root is a key",
        "    url: http://proxy.example.com:3128",
        "    url: https://p.example:1\n    ca: FOLDER/agent.key",
        &["private key"],
    ),
    (
        "proxy is a text",
        "  proxy:\n    url: http://proxy.example.com:3128",
        "  proxy: http://proxy.example.com:3128",
        &["line 7"],
    ),
    // API servers.
    (
        "no way to the API server",
        "  server: https://10.0.0.1:6443\n",
        "",
        &["exactly one of upstream.server, upstream.kubeconfig and upstream.in_cluster"],
    ),
    (
        "two ways to the API server",
        "  protocol: auto",
        "  in_cluster: true",
        &["exactly one of upstream.server"],
    ),
    (
        "a kubeconfig and a root",
        "  server: https://10.0.0.1:6443\n",
        "  kubeconfig: FOLDER/absent\n",
        &["upstream.ca goes with upstream.server only"],
    ),
    (
        "in a cluster, but not in a pod",
        "  server: https://10.0.0.1:6443\n  ca: FOLDER/upstream-ca.pem\n  token_file: FOLDER/token\n",
        "  in_cluster: true\n",
        &["for pods", "KUBERNETES_SERVICE_HOST is not set"],
    ),
    (
        "API server without a scheme",
        "https://10.0.0.1:6443",
        "10.0.0.1:6443",
        &["is not the URL of an API server", "https://host:port"],
    ),
    (
        "API server by plain HTTP",
        "https://10.0.0.1:6443",
        "http://10.0.0.1:8080",
        &["is not encrypted", "use https://"],
    ),
    (
        "API server with a user",
        "https://10.0.0.1:6443",
        "https://me:s3cret@10.0.0.1:6443",
        &["holds a user", "put credentials elsewhere"],
    ),
    ("API server with a query", "https://10.0.0.1:6443", "https://10.0.0.1:6443/?x=1", &["a query"]),
    ("API server with a fragment", "https://10.0.0.1:6443", "https://10.0.0.1:6443/#x", &["a fragment"]),
    (
        "API server with port 0",
        "https://10.0.0.1:6443",
        "https://10.0.0.1:0",
        &["is not the URL of an API server"],
    ),
    (
        "API server by another scheme",
        "https://10.0.0.1:6443",
        "ftp://10.0.0.1",
        &["is not the URL of an API server"],
    ),
    ("empty API server", "https://10.0.0.1:6443", "''", &["is not the URL of an API server"]),
    ("no root", "  ca: FOLDER/upstream-ca.pem\n", "", &["upstream.ca"]),
    ("the root is absent", "FOLDER/upstream-ca.pem", "FOLDER/absent.pem", &["absent.pem", "does it exist"]),
    ("the root is a token", "FOLDER/upstream-ca.pem", "FOLDER/token", &["no certificate in"]),
    (
        "no credential",
        "  token_file: FOLDER/token\n",
        "",
        &["no credential", "upstream.token_file or upstream.certificate"],
    ),
    ("the token is absent", "FOLDER/token", "FOLDER/absent-token", &["absent-token", "does it exist"]),
    (
        "the token is a certificate",
        "FOLDER/token",
        "FOLDER/agent.pem",
        &["agent.pem holds no usable token", "one line"],
    ),
    ("the token is a folder", "token_file: FOLDER/token", "token_file: FOLDER", &["token file"]),
    ("an unknown protocol", "protocol: auto", "protocol: http3", &["line 13", "http3", "http1"]),
    (
        "a server name for the API server that is none",
        "  protocol: auto",
        "  server_name: 'a b'",
        &["\"a b\" is no name that a certificate can hold"],
    ),
    ("allow is a list", "{groups: [dev], system_names: []}", "[dev]", &["line 14"]),
    ("a gateway's configuration", "cluster: alpha\n", "front: {}\n", &["unknown field `front`"]),
];

pub(crate) fn count() -> usize {
    EDITS.len() + 4
}

#[test]
fn a_wrong_agent_configuration_is_refused_in_words_that_help() {
    Workshop::new().refuses_edits("agent", GOOD, EDITS);
}

#[test]
fn no_password_of_a_configuration_is_printed() {
    let workshop = Workshop::new();
    let secret = "http://me:s3cret@proxy.example.com:3128";
    let with_secret = workshop.placed(GOOD).replace("http://proxy.example.com:3128", secret);
    let mistakes = [
        // In the line above, below, and in the very line.
        ("  server_name: gateway.example.com", "  server_nam: gateway.example.com"),
        ("upstream:", "upstram:"),
        ("    url: ", "    uri: "),
        ("    url: http://me:s3cret@", "    url: htt://me:s3cret@"),
    ];
    for (from, to) in mistakes {
        let file = workshop.paper.write("bad.yaml", with_secret.replace(from, to));
        let outcome = run(&["config", "check", "agent", file.to_str().unwrap()], &[]);
        outcome.refused(to, &[]);
        assert!(!outcome.stderr.contains("s3cret"), "{to}: {}", outcome.stderr);
    }
}
