//! `trunkline login`, and what every command says to somebody who is not signed in.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use serde_json::json;
use trunkline_api::{ClusterState, ProblemReason};
use trunkline_pki::Validity;

use crate::desk::{Desk, finish};
use crate::gateway::problem;

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_remembers_paths_and_no_contents() {
    let desk = Desk::new().await;
    let outcome = desk.login().await.well();
    assert!(outcome.stderr.contains("as alice (trunkline:admins)"), "{}", outcome.stderr);
    assert!(outcome.stdout.is_empty());
    let kept = desk.read(".config/trunkline/config.yaml");
    assert!(kept.contains("alice.key") && !kept.contains("PRIVATE") && !kept.contains("BEGIN"), "{kept}");
    let mode = desk.path(".config/trunkline/config.yaml").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    desk.gateway.has("alpha", ClusterState::Connected);
    let listed = desk.run(&["clusters", "-o", "name"]).await.well();
    assert_eq!(listed.stdout, "alpha\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_ends_with_3_and_is_told_how() {
    let desk = Desk::new().await;
    for command in [
        &["clusters"][..],
        &["status"],
        &["status", "alpha"],
        &["clusters", "register", "alpha"],
        &["kubeconfig"],
        &["use", "alpha"],
        &["credential"],
        &["pki", "show"],
        &["clusters", "--gateway", "https://gw.test"],
    ] {
        let outcome =
            desk.run(command).await.ended(3, &["error: ", "not signed in", "next:  trunkline login"]);
        assert!(outcome.stdout.is_empty(), "{command:?}: {}", outcome.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_and_variables_stand_in_for_signing_in() {
    let desk = Desk::new().await;
    desk.gateway.has("alpha", ClusterState::Connected);
    let (papers, url) = (desk.papers(), desk.gateway.url());
    let mut flags = vec!["clusters", "-o", "name", "--gateway", &url];
    flags.extend(papers.iter().map(String::as_str));
    assert_eq!(desk.run(&flags).await.well().stdout, "alpha\n");
    let mut command = desk.command(&["clusters", "-o", "name"]);
    command.env("TRUNKLINE_GATEWAY", &url);
    for (name, path) in ["TRUNKLINE_CA", "TRUNKLINE_CERTIFICATE", "TRUNKLINE_KEY"].iter().zip([1, 3, 5]) {
        command.env(name, &papers[path]);
    }
    assert_eq!(finish(&mut command).await.well().stdout, "alpha\n");
    // The one of a name that was remembered.
    let mut named = vec!["login", &url, "--name", "home"];
    named.extend(papers.iter().map(String::as_str));
    desk.run(&named).await.well();
    assert_eq!(desk.run(&["clusters", "-o", "name", "--gateway", "home"]).await.well().stdout, "alpha\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_that_are_no_use_are_told_by_their_name() {
    let desk = Desk::new().await;
    let url = desk.gateway.url();
    let past = |days: u64| SystemTime::now() - Duration::from_secs(days * 86_400);
    let ended = Validity { not_before: past(9), not_after: past(1) };
    desk.paper.pki.front.client("old", &["g"], ended).unwrap().write_to(desk.paper.folder(), "old").unwrap();
    desk.paper
        .pki
        .tunnel
        .client("mallory", &["g"], Validity::days(1))
        .unwrap()
        .write_to(desk.paper.folder(), "mallory")
        .unwrap();
    let path = |name: &str| desk.paper.path(name).to_str().unwrap().to_owned();
    let login = |ca: &str, certificate: &str, key: &str| {
        let arguments: Vec<String> =
            ["login", &url, "--ca", &path(ca), "--certificate", &path(certificate), "--key", &path(key)]
                .map(str::to_owned)
                .to_vec();
        let desk = &desk;
        async move { desk.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    login("front-ca.pem", "old.pem", "old.key").await.ended(3, &["old.pem", "ended at"]);
    login("front-ca.pem", "mallory.pem", "mallory.key").await.ended(3, &["cannot reach"]);
    login("tunnel-ca.pem", "alice.pem", "alice.key").await.ended(1, &["--ca"]);
    login("front-ca.pem", "alice.pem", "old.key").await.ended(3, &["cannot be used"]);
    login("alice.key", "alice.pem", "alice.key").await.ended(3, &["alice.key", "no certificate"]);
    login("front-ca.pem", "front-ca.pem", "front-ca.pem").await.ended(3, &["no private key"]);
    login("absent.pem", "alice.pem", "alice.key").await.ended(2, &["--ca", "absent.pem"]);
    desk.run(&["login", &url]).await.ended(2, &["--ca FILE is missing"]);
    desk.run(&["login", "http://gw.test"]).await.ended(2, &["is no gateway"]);
    assert!(!desk.path(".config/trunkline/config.yaml").exists(), "nothing was remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_no_has_its_exit_code() {
    let desk = Desk::signed_in().await;
    for (reason, code) in [
        (ProblemReason::Unauthorized, 3),
        (ProblemReason::Forbidden, 4),
        (ProblemReason::NotFound, 5),
        (ProblemReason::Invalid, 1),
        (ProblemReason::Conflict, 1),
        (ProblemReason::Unavailable, 1),
        (ProblemReason::Internal, 1),
    ] {
        desk.gateway.order("/clusters", reason.status(), problem(reason, "this is why"));
        let outcome = desk.run(&["clusters"]).await.ended(code, &["error: this is why"]);
        assert!(outcome.stdout.is_empty());
    }
    // What stands before a gateway, and a gateway that knows no such API.
    desk.gateway.order("/clusters", 502, json!("<html>bad\u{1b}[31m gateway</html>"));
    let outcome = desk.run(&["clusters"]).await.ended(1, &["502", "bad"]);
    assert!(!outcome.stderr.contains('\u{1b}'));
    desk.gateway.order("/clusters", 404, json!({"kind": "Status", "message": "no such path"}));
    desk.run(&["clusters"]).await.ended(5, &["no such path"]);
    desk.gateway.order("/clusters", 200, json!({"items": "none"}));
    desk.run(&["clusters"]).await.ended(1, &["something else than was asked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_there_or_does_not_answer_is_told() {
    let desk = Desk::signed_in().await;
    desk.gateway.is_silent_on("/pki");
    desk.run(&["pki", "show"]).await.ended(7, &["did not answer within 10 s"]);
    let Desk { gateway, .. } = &desk;
    let url = gateway.url();
    let papers = desk.papers();
    let mut flags = vec!["clusters", "--gateway", "https://127.0.0.1:1"];
    flags.extend(papers.iter().map(String::as_str));
    desk.run(&flags).await.ended(1, &["cannot reach the gateway https://127.0.0.1:1", "refused"]);
    assert!(url.starts_with("https://"));
}

#[tokio::test(flavor = "multi_thread")]
async fn papers_are_named_only_to_commands_that_sign_in() {
    let desk = Desk::new().await;
    for command in [
        &["clusters"][..],
        &["clusters", "show"],
        &["clusters", "register"],
        &["login"],
        &["status"],
        &["kubeconfig"],
        &["use"],
        &["credential"],
        &["pki", "show"],
        &["pki", "rotate"],
    ] {
        let help = desk.run(&[command, &["--help"]].concat()).await.well().stdout;
        assert!(help.contains("--certificate"), "{command:?}: {help}");
    }
    for command in [
        &["gateway"][..],
        &["agent"],
        &["demo"],
        &["completion"],
        &["version"],
        &["pki", "client"],
        &["pki", "dev"],
        &["config", "check"],
    ] {
        let help = desk.run(&[command, &["--help"]].concat()).await.well().stdout;
        assert!(!help.contains("--certificate"), "{command:?}: {help}");
    }
}
