//! Wrong flags, arguments and variables.

use crate::binary::{Workshop, run};

/// Arguments, FOLDER replaced, and what is said of them.
const CASES: &[(&[&str], &[&str])] = &[
    (&["gatewya"], &["unrecognized subcommand", "gatewya", "gateway"]),
    (&["--bogus"], &["--bogus"]),
    (&["gateway"], &["--config"]),
    (&["agent"], &["--config"]),
    (&["gateway", "--config"], &["--config", "value"]),
    (&["gateway", "--config", "a", "--config", "b"], &["--config", "multiple"]),
    (&["gateway", "--config", "FOLDER/absent.yaml"], &["absent.yaml", "does the file exist?"]),
    (&["agent", "--config", "FOLDER/absent.yaml"], &["absent.yaml", "does the file exist?"]),
    (&["agent", "--config", "FOLDER"], &["directory"]),
    (&["gateway", "--bogus", "x"], &["--bogus"]),
    (&["gateway", "extra", "--config", "x"], &["extra"]),
    (&["config", "check"], &["gateway|agent"]),
    (&["config", "check", "gateway"], &["FILE"]),
    (&["config", "check", "gatway", "x"], &["gatway", "gateway"]),
    (&["config", "check", "agent", "FOLDER/absent.yaml"], &["absent.yaml"]),
    (&["config", "chek"], &["chek", "check"]),
    (&["pki", "dev"], &["--out"]),
    (
        &["pki", "dev", "--out", "FOLDER/set", "--from", "FOLDER/absent.toml"],
        &["absent.toml", "does the file exist?"],
    ),
    (&["pki", "dev", "--out", "FOLDER/set", "--from", "FOLDER/front.pem"], &["front.pem", "certs/dev.toml"]),
    (&["pki", "dev", "--out", "FOLDER/front.pem"], &["front.pem"]),
    (&["pki", "prod"], &["prod"]),
    (&["demo", "--listen", "nonsense"], &["--listen", "nonsense"]),
    (&["demo", "--listen", "0.0.0.0:0"], &["--listen 0.0.0.0:0", "not a loopback address"]),
    (&["demo", "--kubeconfig", "FOLDER/absent"], &["--use-context"]),
    (
        &["demo", "--listen", "127.0.0.1:0", "--use-context", "a", "--kubeconfig", "FOLDER/absent"],
        &["absent", "does it exist"],
    ),
    (&["demo", "--listen", "127.0.0.1:0", "--use-context", "///"], &["no cluster id can be made"]),
    (
        &["demo", "--listen", "127.0.0.1:0", "--use-context", "Management"],
        &["management", "rename the context"],
    ),
    (&["--log", "a=b=c", "gateway", "--config", "FOLDER/good.yaml"], &["--log", "is not a log filter"]),
    (&["--log-format", "xml", "version"], &["--log-format", "xml", "json"]),
    (&["version", "extra"], &["extra"]),
];

pub(crate) fn count() -> usize {
    CASES.len() + 4
}

#[test]
fn a_wrong_command_is_refused_in_words_that_help() {
    let workshop = Workshop::new();
    workshop.write("good.yaml", GOOD);
    for (arguments, words) in CASES {
        let placed: Vec<String> = arguments.iter().map(|argument| workshop.placed(argument)).collect();
        let placed: Vec<&str> = placed.iter().map(String::as_str).collect();
        run(&placed, &[]).refused(&arguments.join(" "), words);
    }
}

#[test]
fn a_wrong_variable_is_refused_like_a_flag() {
    let workshop = Workshop::new();
    let good = workshop.write("good.yaml", GOOD);
    let good = good.to_str().unwrap();
    run(&["gateway"], &[("TRUNKLINE_CONFIG", "absent.yaml")]).refused("config", &["absent.yaml"]);
    run(&["gateway", "--config", good], &[("TRUNKLINE_LOG", "a=b=c")])
        .refused("log", &["is not a log filter"]);
    run(&["version"], &[("TRUNKLINE_LOG_FORMAT", "xml")]).refused("format", &["xml", "json"]);
}

#[test]
fn a_set_of_development_certificates_is_not_overwritten_by_chance() {
    let workshop = Workshop::new();
    let out = workshop.aside.path().join("set");
    let out = out.to_str().unwrap();
    assert_eq!(run(&["pki", "dev", "--out", out], &[]).code, Some(0));
    run(&["pki", "dev", "--out", out], &[]).refused("again", &["exists already", "--force"]);
}

const GOOD: &str = "\
front: {listen: '127.0.0.1:0', certificate: {certificate: FOLDER/front.pem, key: FOLDER/front.key}, client_roots: FOLDER/front-ca.pem}
tunnel: {listen: '127.0.0.1:0', certificate: {certificate: FOLDER/tunnel.pem, key: FOLDER/tunnel.key}, roots: FOLDER/tunnel-ca.pem}
";
