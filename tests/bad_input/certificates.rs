//! Files that should hold certificates, keys and roots, and do not.

use std::time::{Duration, SystemTime};

use trunkline_pki::{AgentName, Validity};
use trunkline_proto::Slot;

use crate::binary::{Workshop, run};

const GATEWAY: &str = "\
front: {listen: '127.0.0.1:0', certificate: {certificate: FRONT_CERT, key: FRONT_KEY}, client_roots: FRONT_ROOTS}
tunnel: {listen: '127.0.0.1:0', certificate: {certificate: TUNNEL_CERT, key: TUNNEL_KEY}, roots: TUNNEL_ROOTS}
";
const AGENT: &str = "\
cluster: alpha
gateway: {addresses: ['g:1'], roots: LINK_ROOTS, certificate: {certificate: LINK_CERT, key: LINK_KEY}}
upstream: {server: 'https://10.0.0.1:6443', ca: UP_CA, certificate: {certificate: UP_CERT, key: UP_KEY}}
";
const GOOD: &[(&str, &str)] = &[
    ("FRONT_CERT", "front.pem"),
    ("FRONT_KEY", "front.key"),
    ("FRONT_ROOTS", "front-ca.pem"),
    ("TUNNEL_CERT", "tunnel.pem"),
    ("TUNNEL_KEY", "tunnel.key"),
    ("TUNNEL_ROOTS", "tunnel-ca.pem"),
    ("LINK_ROOTS", "tunnel-ca.pem"),
    ("LINK_CERT", "agent.pem"),
    ("LINK_KEY", "agent.key"),
    ("UP_CA", "upstream-ca.pem"),
    ("UP_CERT", "user.pem"),
    ("UP_KEY", "user.key"),
];

/// Which place holds which file instead, and what is said of it.
const CASES: &[(&str, &str, &[&str])] = &[
    ("FRONT_CERT", "absent", &["front: cannot read", "absent", "check the path"]),
    ("FRONT_KEY", "absent", &["front: cannot read", "absent"]),
    ("FRONT_ROOTS", "absent", &["front: cannot read", "absent"]),
    ("FRONT_CERT", "empty", &["front: no certificate in", "empty", "BEGIN CERTIFICATE"]),
    ("FRONT_KEY", "empty", &["front: no private key in", "empty", "not encrypted"]),
    ("FRONT_ROOTS", "empty", &["front: no certificate in", "empty"]),
    ("FRONT_CERT", "garbage", &["front: ", "garbage is damaged PEM", "write it again"]),
    ("FRONT_KEY", "garbage", &["front: ", "garbage is damaged PEM", "write it again"]),
    ("FRONT_CERT", "broken.pem", &["front: ", "broken.pem"]),
    ("FRONT_CERT", "not-x509.pem", &["front: ", "not-x509.pem", "issue it again"]),
    ("FRONT_ROOTS", "not-x509.pem", &["front: ", "not-x509.pem"]),
    ("FRONT_CERT", "huge", &["front: ", "huge", "larger than"]),
    ("FRONT_CERT", "folder", &["front: cannot read", "folder"]),
    ("FRONT_KEY", "tunnel.key", &["tunnel.key does not belong", "front.pem", "matching pair"]),
    ("FRONT_KEY", "front.pem", &["no private key in", "front.pem"]),
    ("FRONT_CERT", "front.key", &["no certificate in", "front.key"]),
    (
        "FRONT_CERT",
        "expired.pem+expired.key",
        &["front: the certificate in", "expired.pem expired on", "issue another"],
    ),
    ("FRONT_CERT", "user.pem+user.key", &["front: the certificate in", "user.pem", "names no DNS name"]),
    ("FRONT_CERT", "agent.pem+agent.key", &["front: the certificate in", "agent.pem"]),
    ("FRONT_CERT", "front-ca.pem+front-ca.key", &["front: the certificate in", "front-ca.pem"]),
    ("FRONT_ROOTS", "front.pem", &["front.pem holds a certificate that is not a CA's"]),
    ("FRONT_ROOTS", "ca-and-key.pem", &["ca-and-key.pem holds a private key", "take the key out"]),
    ("FRONT_ROOTS", "ca-and-leaf.pem", &["ca-and-leaf.pem holds a certificate that is not a CA's"]),
    ("FRONT_KEY", "encrypted.key", &["front: ", "encrypted.key", "not encrypted"]),
    ("TUNNEL_CERT", "absent", &["tunnel: cannot read", "absent"]),
    ("TUNNEL_KEY", "front.key", &["tunnel: the key in", "front.key does not belong"]),
    ("TUNNEL_CERT", "expired.pem+expired.key", &["tunnel: the certificate in", "expired on"]),
    ("TUNNEL_CERT", "user.pem+user.key", &["tunnel: the certificate in"]),
    ("TUNNEL_ROOTS", "tunnel.pem", &["tunnel: ", "tunnel.pem holds a certificate that is not a CA's"]),
    ("TUNNEL_ROOTS", "ca-and-key.pem", &["tunnel: ", "holds a private key"]),
    ("LINK_CERT", "absent", &["gateway.certificate or gateway.roots", "cannot read", "absent"]),
    ("LINK_KEY", "front.key", &["gateway.certificate", "front.key does not belong"]),
    ("LINK_CERT", "old-agent.pem+old-agent.key", &["gateway.certificate", "old-agent.pem expired on"]),
    ("LINK_CERT", "user.pem+user.key", &["gateway.certificate", "user.pem is not an agent's", "enrol again"]),
    ("LINK_CERT", "tunnel.pem+tunnel.key", &["gateway.certificate", "tunnel.pem is not an agent's"]),
    ("LINK_CERT", "tunnel-ca.pem+tunnel-ca.key", &["gateway.certificate", "tunnel-ca.pem is not an agent's"]),
    ("LINK_ROOTS", "agent.pem", &["agent.pem holds a certificate that is not a CA's"]),
    ("LINK_ROOTS", "ca-and-key.pem", &["holds a private key"]),
    ("LINK_ROOTS", "empty", &["no certificate in", "empty"]),
    ("UP_CA", "empty", &["the API server", "no certificate in"]),
    ("UP_CA", "ca-and-key.pem", &["the API server", "private key"]),
    ("UP_CERT", "absent", &["absent", "does it exist"]),
    ("UP_KEY", "front.key", &["the API server", "does not belong"]),
    ("UP_KEY", "empty", &["the API server", "no private key"]),
];

pub(crate) fn count() -> usize {
    CASES.len()
}

fn workshop() -> Workshop {
    let workshop = Workshop::new();
    let paper = &workshop.paper;
    let folder = paper.folder().to_owned();
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    let over = Validity { not_before: yesterday - Duration::from_secs(86_400), not_after: yesterday };
    paper.pki.front.front_server(&["localhost"], over).unwrap().write_to(&folder, "expired").unwrap();
    paper.client("jane", &["dev"]).write_to(&folder, "user").unwrap();
    let name = AgentName {
        trust_domain: "trunkline.test".into(),
        cluster: "alpha".parse().unwrap(),
        uid: "a0000000-0000-4000-8000-000000000001".parse().unwrap(),
        slot: Slot(0),
    };
    paper.pki.tunnel.agent(&name, over).unwrap().write_to(&folder, "old-agent").unwrap();
    let (ca, key) = (paper.pki.front.certificate_pem(), paper.pki.front.key_pem());
    paper.write("front-ca.key", key.as_bytes());
    paper.write("tunnel-ca.key", paper.pki.tunnel.key_pem().as_bytes());
    paper.write("ca-and-key.pem", format!("{ca}{}", *key));
    let leaf = std::fs::read_to_string(paper.path("front.pem")).unwrap();
    paper.write("ca-and-leaf.pem", format!("{ca}{leaf}"));
    paper.write("empty", "");
    paper.write("garbage", "-----BEGIN NONSENSE-----\n!!!\n");
    paper.write("broken.pem", leaf.replacen('\n', "\n!!!! this is not base64 !!!!\n", 1));
    paper.write("not-x509.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    paper.write("huge", vec![b'x'; 2 * 1024 * 1024]);
    // Made up at run time: no file of the project looks like it held a key.
    let label = ["ENCRYPTED PRIVATE", "KEY"].join(" ");
    paper.write("encrypted.key", format!("-----BEGIN {label}-----\naGVsbG8=\n-----END {label}-----\n"));
    std::fs::create_dir(paper.path("folder")).unwrap();
    workshop
}

/// A configuration with all places filled, one of them as `place` says.
fn filled(workshop: &Workshop, place: &str, with: &str) -> (&'static str, String) {
    let (certificate, key) = with.split_once('+').unwrap_or((with, ""));
    let key_place = place.replace("_CERT", "_KEY");
    let gateway = place.starts_with("FRONT") || place.starts_with("TUNNEL");
    let (what, mut text) =
        if gateway { ("gateway", GATEWAY.to_owned()) } else { ("agent", AGENT.to_owned()) };
    for (name, file) in GOOD {
        let file = match *name {
            name if name == place => certificate,
            name if name == key_place && !key.is_empty() => key,
            _ => file,
        };
        text = text.replace(name, workshop.paper.path(file).to_str().unwrap());
    }
    (what, text)
}

#[test]
fn a_wrong_certificate_key_or_root_is_refused_in_words_that_help() {
    let workshop = workshop();
    for what in ["FRONT_NONE", "LINK_NONE"] {
        let (what, text) = filled(&workshop, what, "");
        let file = workshop.paper.write("good.yaml", text);
        let outcome = run(&["config", "check", what, file.to_str().unwrap()], &[]);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    }
    for (place, with, words) in CASES {
        let (what, text) = filled(&workshop, place, with);
        workshop.refuses(what, &format!("{place} = {with}"), text.as_bytes(), words);
    }
}
