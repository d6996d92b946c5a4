//! Wrong kubeconfigs.

use crate::binary::{Edit, Workshop, run};

const AGENT: &str = "\
cluster: alpha
gateway: {addresses: ['g:1'], roots: FOLDER/tunnel-ca.pem, certificate: {certificate: FOLDER/agent.pem, key: FOLDER/agent.key}}
upstream: {kubeconfig: FOLDER/kubeconfig}
";
const GOOD: &str = "\
apiVersion: v1
kind: Config
current-context: here
contexts:
- name: here
  context: {cluster: kind, user: me}
clusters:
- name: kind
  cluster: {server: 'https://127.0.0.1:6443', certificate-authority: upstream-ca.pem}
users:
- name: me
  user: {token: s3cret}
";

const EDITS: &[Edit] = &[
    ("no current context", "current-context: here\n", "", &["no current-context", "name one"]),
    (
        "a context that is not there",
        "current-context: here",
        "current-context: there",
        &["no context \"there\""],
    ),
    ("a cluster that is not there", "{cluster: kind,", "{cluster: other,", &["no cluster \"other\""]),
    ("a user that is not there", "user: me}", "user: you}", &["no user \"you\""]),
    (
        "no contexts",
        "contexts:\n- name: here\n  context: {cluster: kind, user: me}\n",
        "",
        &["no context \"here\""],
    ),
    (
        "no clusters",
        "clusters:\n- name: kind\n  cluster: {server: 'https://127.0.0.1:6443', certificate-authority: upstream-ca.pem}\n",
        "",
        &["no cluster \"kind\""],
    ),
    ("no users", "users:\n- name: me\n  user: {token: s3cret}\n", "", &["no user \"me\""]),
    ("no server", "server: 'https://127.0.0.1:6443', ", "", &["kubeconfig", "server"]),
    ("server by plain HTTP", "https://127.0.0.1:6443", "http://10.0.0.1:8080", &["is not encrypted"]),
    ("server that is no URL", "https://127.0.0.1:6443", "kind", &["is not the URL of an API server"]),
    (
        "verification skipped",
        "certificate-authority: upstream-ca.pem",
        "insecure-skip-tls-verify: true",
        &["insecure-skip-tls-verify", "certificate authority"],
    ),
    ("no root", ", certificate-authority: upstream-ca.pem", "", &["root", "upstream.ca"]),
    ("root that is absent", "upstream-ca.pem", "absent.pem", &["absent.pem", "does it exist"]),
    (
        "root that is no base64",
        "certificate-authority: upstream-ca.pem",
        "certificate-authority-data: '###'",
        &["certificate-authority-data", "is not base64"],
    ),
    (
        "root that is no certificate",
        "certificate-authority: upstream-ca.pem",
        "certificate-authority-data: aGVsbG8=",
        &["no certificate"],
    ),
    ("no credential", "{token: s3cret}", "{}", &["no credential", "token or a certificate"]),
    (
        "a credential plugin",
        "{token: s3cret}",
        "{exec: {command: aws}}",
        &["credential plugin", "token file or a certificate"],
    ),
    ("an auth provider", "{token: s3cret}", "{auth-provider: {name: gcp}}", &["credential plugin"]),
    ("a password", "{token: s3cret}", "{username: me, password: s3cret}", &["basic authentication"]),
    (
        "a token of two lines",
        "{token: s3cret}",
        "{token: \"s3cret\\nmore\"}",
        &["token is not usable", "one line"],
    ),
    ("an empty token", "{token: s3cret}", "{token: ''}", &["token is not usable"]),
    (
        "a token file that is absent",
        "{token: s3cret}",
        "{tokenFile: absent-token}",
        &["absent-token", "does it exist"],
    ),
    (
        "a certificate without its key",
        "{token: s3cret}",
        "{client-certificate: agent.pem}",
        &["certificate without its key"],
    ),
    (
        "a key without its certificate",
        "{token: s3cret}",
        "{client-key: agent.key}",
        &["key without its certificate"],
    ),
    (
        "a certificate that is no base64",
        "{token: s3cret}",
        "{client-certificate-data: '#', client-key-data: aGk=}",
        &["client-certificate-data", "is not base64"],
    ),
    (
        "a certificate of another key",
        "{token: s3cret}",
        "{client-certificate: agent.pem, client-key: front.key}",
        &["does not belong"],
    ),
    ("broken YAML", "contexts:", "contexts: [[[", &["kubeconfig", "does not parse"]),
    (
        "a list",
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n",
        "- x\n",
        &["kubeconfig", "does not parse"],
    ),
];

pub(crate) fn count() -> usize {
    EDITS.len() + 3
}

#[test]
fn a_wrong_kubeconfig_is_refused_in_words_that_help() {
    let workshop = Workshop::new();
    let agent = workshop.write("agent.yaml", AGENT);
    let check = || run(&["config", "check", "agent", agent.to_str().unwrap()], &[]);
    workshop.write("kubeconfig", GOOD);
    let outcome = check();
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    for (name, from, to, words) in EDITS {
        assert!(GOOD.contains(from), "{name}");
        workshop.write("kubeconfig", &GOOD.replacen(from, to, 1));
        let outcome = check();
        outcome.refused(name, words);
        assert!(!outcome.stderr.contains("s3cret"), "{name}: {}", outcome.stderr);
    }
    for (name, content, words) in [
        ("an empty one", Vec::new(), ["kubeconfig", ""]),
        ("a binary one", vec![0xff, 0xfe, 0, 1], ["kubeconfig", "cannot read"]),
        ("a huge one", vec![b'#'; 5 * 1024 * 1024], ["kubeconfig", "larger than"]),
    ] {
        workshop.paper.write("kubeconfig", content);
        check().refused(name, &words);
    }
}
