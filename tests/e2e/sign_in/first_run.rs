//! The real binary's first start, and the command line that answers it; nothing secret stays in any log.

use std::process::Command;

use serde_json::Value;
use trunkline_tests::{Paper, Process, binary};

const PASSWORD: &str = "canary horse battery";

/// Starts a gateway at its loudest; the port of its front door.
async fn start(paper: &Paper, log: &str) -> (Process, u16) {
    let config = format!(
        "data: {}\nfront: {{listen: \"127.0.0.1:0\"}}\ntunnel: {{listen: \"127.0.0.1:0\"}}\n",
        paper.path("fresh").display()
    );
    let config = paper.write("fresh.yaml", config);
    let arguments = ["gateway", "--log", "trace", "--config", config.to_str().unwrap()];
    let mut gateway = Process::start(&arguments, &paper.path(log));
    let (front, _) = gateway.doors().await;
    (gateway, front.port())
}

/// What the process wrote.
fn log(paper: &Paper, name: &str) -> String {
    std::fs::read_to_string(paper.path(name)).unwrap()
}

/// Lines that are a code and nothing else.
fn codes(log: &str) -> Vec<&str> {
    let alone = |line: &&str| {
        line.len() == 43 && line.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    log.lines().map(str::trim).filter(alone).collect()
}

#[tokio::test]
async fn a_first_start_prints_a_code_once_and_the_command_line_makes_an_admin_of_it() {
    let paper = Paper::new();
    let (gateway, front) = start(&paper, "first.log").await;
    let first = log(&paper, "first.log");
    let [code] = codes(&first)[..] else { panic!("one code is printed: {first}") };
    paper.write("code", code);
    paper.write("password", PASSWORD);
    let run = |arguments: &[&str]| {
        let output = Command::new(binary())
            .args(arguments)
            .env_clear()
            .env("HOME", paper.folder())
            .current_dir(paper.folder())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    // The roots of its certificate come with any certificate that it issues.
    let (ended, _, said) =
        run(&["pki", "client", "--data", "fresh", "--user", "x", "--group", "x", "--out", "x"]);
    assert_eq!(ended, Some(0), "{said}");
    let url = format!("https://127.0.0.1:{front}");
    let login = ["login", &url, "--ca", "x/ca.pem", "--password-file", "password", "--user", "canary"];
    let (ended, _, said) = run(&[&login[..], &["--setup", "--code-file", "code"]].concat());
    assert_eq!(ended, Some(0), "{said}");
    assert!(said.contains("as canary (trunkline:admins)"), "{said}");
    let (ended, listed, said) = run(&["clusters", "-o", "json"]);
    assert_eq!(ended, Some(0), "{listed} {said}");
    let (ended, given, said) = run(&["credential"]);
    assert_eq!(ended, Some(0), "{said}");
    let given: Value = serde_json::from_str(&given).unwrap();
    let token = given["status"]["token"].as_str().unwrap().to_owned();
    let (ended, _, said) = run(&[&login[..], &["--setup", "--code-file", "code"]].concat());
    assert_eq!(ended, Some(1), "the code was used: {said}");
    let (ended, _, said) = run(&login);
    assert_eq!(ended, Some(0), "{said}");
    drop(gateway);

    let (gateway, _) = start(&paper, "second.log").await;
    drop(gateway);
    let (first, second) = (log(&paper, "first.log"), log(&paper, "second.log"));
    assert_eq!(first.matches(code).count(), 1, "the code is told once");
    assert!(codes(&second).is_empty() && !second.contains(code), "and by the first start only");
    assert!(first.contains("canary"), "it is the log of what happened");
    for secret in [PASSWORD, &token] {
        assert!(!first.contains(secret) && !second.contains(secret), "a secret is in the log");
    }
    let kept = log(&paper, "fresh/local-users.json");
    for secret in [PASSWORD, &token, code] {
        assert!(!kept.contains(secret), "a secret is in the file");
    }
}
