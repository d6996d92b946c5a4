//! `trunkline clusters register`: two files, one command to copy, and each step of joining told.

use std::os::unix::fs::PermissionsExt as _;

use http::Method;
use jiff::Timestamp;
use serde_json::json;
use trunkline_api::{ClusterState, JoinStall, JoinState, JoinStep, JoinStepName as Step, Joining};
use trunkline_tests::eventually;

use crate::desk::Desk;
use crate::gateway::TOKEN;

const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn registering_writes_two_files_and_prints_one_command_for_each_way() {
    let desk = Desk::signed_in().await;
    let outcome = desk
        .run(&[
            "clusters",
            "register",
            "alpha",
            "--labels",
            "env=prod,region=eu",
            "--display-name",
            "Alpha",
            "--environment",
            "production",
            "--protection",
            "confirm",
            "--without-binding",
            "admins",
            "--group",
            "devs",
            "--storage-class",
            "fast",
            "--image",
            "registry.test/agent:1",
            "--no-wait",
        ])
        .await
        .well();
    let sent = desk.gateway.asked(&Method::POST, "/clusters");
    assert_eq!(
        sent,
        [json!({
            "name": "alpha", "labels": {"env": "prod", "region": "eu"}, "displayName": "Alpha", "description": "",
            "environment": "production", "protection": "confirm",
            "manifest": {"withoutBindings": ["admins"], "groups": ["devs"], "storageClass": "fast",
                         "ephemeralSpool": false, "image": "registry.test/agent:1"},
        })]
    );
    for name in ["trunkline-agent-alpha.yaml", "trunkline-agent-alpha.values.yaml"] {
        assert!(desk.read(name).contains(TOKEN));
        assert_eq!(desk.path(name).metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
    assert!(
        !outcome.stdout.contains(TOKEN) && !outcome.stderr.contains(TOKEN),
        "the token is in the files only"
    );
    for words in [
        "kubectl apply -f trunkline-agent-alpha.yaml\n",
        "helm upgrade --install trunkline-agent https://gw.test/trunkline/v1/charts/trunkline-agent-0.1.0.tgz --ca-file ",
        " -n trunkline --create-namespace -f trunkline-agent-alpha.values.yaml\n",
        "kubectl delete -f trunkline-agent-alpha.yaml\n",
        "  kubectl label namespace trunkline pod-security.kubernetes.io/enforce=restricted\n",
        "helm uninstall trunkline-agent -n trunkline",
        "  kubectl delete namespace trunkline\n",
        "once",
    ] {
        assert!(outcome.stdout.contains(words), "{words:?} is not in {}", outcome.stdout);
    }
    assert!(
        outcome.stdout.contains("valid 30m") || outcome.stdout.contains("valid 29m"),
        "{}",
        outcome.stdout
    );
    assert!(outcome.stderr.contains("warning: 127.0.0.1:9443 is a loopback address"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("next:  trunkline status alpha"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_there_are_not_overwritten_and_nothing_is_registered() {
    let desk = Desk::signed_in().await;
    desk.write("trunkline-agent-alpha.values.yaml", "mine");
    let register = ["clusters", "register", "alpha", "--no-wait"];
    desk.run(&register).await.ended(1, &["exists already", "--dir"]);
    assert!(desk.gateway.cluster("alpha").is_none());
    assert_eq!(desk.read("trunkline-agent-alpha.values.yaml"), "mine");
    desk.run(&[&register[..], &["--dir", "new folder"]].concat()).await.well();
    assert!(desk.path("new folder/trunkline-agent-alpha.yaml").exists());
    desk.run(&["clusters", "register", "alpha", "--dir", "x", "--no-wait"])
        .await
        .ended(1, &["registered already", "next:  trunkline clusters show alpha; or choose another name"]);
    // A new token for a cluster that is there: the old files are of no use any more.
    desk.run(&["clusters", "register", "alpha", "--renew", "--dir", "new folder", "--no-wait"]).await.well();
    let renew = ["clusters", "register", "alpha", "--renew", "--dir", "new folder", "--no-wait"];
    desk.run(&[&renew[..], &["--group", "*", "--image", "r.test/a:2"]].concat()).await.well();
    // Only what was given is changed.
    let sent = desk.gateway.asked(&Method::POST, "/clusters/alpha/join");
    assert_eq!(sent, [json!({}), json!({"groups": ["*"], "image": "r.test/a:2"})]);
    desk.run(&["clusters", "register", "beta", "--renew", "--no-wait"])
        .await
        .ended(5, &["there is no cluster beta"]);
    assert!(!desk.path("trunkline-agent-beta.yaml").exists());
}

/// A joining of which these steps are done, with what was seen, and that stands at the next.
fn joining(done: &[(Step, &str)], next: Option<JoinStep>) -> Joining {
    let bare = |name, state| JoinStep {
        name,
        state,
        since: None,
        detail: String::new(),
        ms: None,
        reason: None,
        cause: String::new(),
        fix: String::new(),
    };
    let all = [
        Step::Contact,
        Step::Tls,
        Step::Token,
        Step::Certificate,
        Step::Tunnel,
        Step::ApiServer,
        Step::Rights,
        Step::Logs,
    ];
    let seen = |name| done.iter().find(|(step, _)| *step == name);
    let steps = all.into_iter().map(|name| match (seen(name), &next) {
        (Some((_, detail)), _) => JoinStep {
            detail: (*detail).into(),
            ms: (name == Step::Tunnel).then_some(38.0),
            ..bare(name, JoinState::Done)
        },
        (None, Some(next)) if next.name == name => next.clone(),
        (None, _) => bare(name, JoinState::Waiting),
    });
    Joining { since: Timestamp::now(), done: false, steps: steps.collect() }
}

fn stalled(name: Step, reason: JoinStall, cause: &str, fix: &str) -> Option<JoinStep> {
    let step = joining(&[], None).steps.into_iter().find(|step| step.name == name)?;
    let (cause, fix) = (cause.into(), fix.into());
    Some(JoinStep { state: JoinState::Failed, reason: Some(reason), cause, fix, ..step })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_joining_is_told_as_it_happens() {
    let desk = Desk::signed_in().await;
    let mut register = desk.start(&["clusters", "register", "alpha"]);
    register.says("Waiting for alpha").await;
    eventually("it watches", SECOND * 20, || desk.gateway.watches() == 1).await;
    // Others' changes are others'.
    desk.gateway.has("beta", ClusterState::Connected);
    let mut alpha = desk.gateway.cluster("alpha").unwrap();
    let mut done = vec![(Step::Contact, "from 203.0.113.7:41000"), (Step::Tls, "the pin matches")];
    alpha.status.joining = Some(joining(&done, None));
    desk.gateway.put(alpha.clone());
    assert_eq!(register.says("reached").await, "ok the agent reached the gateway, from 203.0.113.7:41000");
    done.extend([(Step::Token, "the join token was accepted"), (Step::Certificate, "good for 24 h")]);
    alpha.status.joining = Some(joining(&done, None));
    desk.gateway.put(alpha.clone());
    assert_eq!(register.says("token").await, "ok the join token was accepted");
    assert_eq!(register.says("certificate").await, "ok certificate issued, good for 24 h");
    done.push((Step::Tunnel, "from 203.0.113.7:41001, agent 0.1.0"));
    alpha.status.state = ClusterState::Degraded;
    let down =
        stalled(Step::ApiServer, JoinStall::ApiServerDown, "connection refused", "look at it\nand again");
    alpha.status.joining = Some(joining(&done, down));
    desk.gateway.put(alpha.clone());
    assert_eq!(register.says("tunnel").await, "ok tunnel up, 38 ms, from 203.0.113.7:41001, agent 0.1.0");
    assert_eq!(register.says("refused").await.trim(), "api-server: connection refused");
    assert_eq!(register.says("look").await, "    look at it");
    assert_eq!(register.says("again").await, "    and again");
    done.push((Step::ApiServer, "v1.34.2, 12 nodes"));
    alpha.status.state = ClusterState::Connected;
    alpha.status.joining = Some(joining(&done, None));
    desk.gateway.put(alpha.clone());
    assert_eq!(register.says("Kubernetes").await, "ok Kubernetes v1.34.2, 12 nodes");
    // Connected is not enough where a right is missing.
    done.push((Step::Rights, "5 of 5"));
    alpha.status.joining = Some(joining(&done, None));
    desk.gateway.put(alpha);
    assert_eq!(register.says("rights").await, "ok rights: 5 of 5");
    let (code, said) = register.ends().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("next:  trunkline use alpha"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_is_told_with_its_cause_and_what_to_do_and_ends_with_7() {
    let desk = Desk::signed_in().await;
    let mut register = desk.start(&["clusters", "register", "alpha", "--timeout", "10s"]);
    register.says("Waiting for alpha").await;
    eventually("it watches", SECOND * 20, || desk.gateway.watches() == 1).await;
    let mut alpha = desk.gateway.cluster("alpha").unwrap();
    let done = [(Step::Contact, "from 203.0.113.7:41000"), (Step::Tls, "the pin matches")];
    let cause = "an agent from 203.0.113.7:41000 brings a join token that was used";
    let fix = "trunkline clusters register alpha --renew";
    let used = stalled(Step::Token, JoinStall::TokenUsed, cause, fix);
    alpha.status.joining = Some(joining(&done, used));
    desk.gateway.put(alpha.clone());
    assert_eq!(register.says("token that was used").await.trim(), format!("token: {cause}"));
    assert_eq!(register.says("--renew").await.trim(), fix);
    // The same again is no news.
    alpha.metadata.revision += 1;
    desk.gateway.put(alpha);
    let (code, said) = register.ends().await;
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains(&format!("has not joined in time: token: {cause}")), "{said}");
    assert!(said.contains("trunkline status alpha"), "{said}");
    assert_eq!(said.matches(cause).count(), 1, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_safe_and_says_how_to_see_it_later() {
    let desk = Desk::signed_in().await;
    let mut register = desk.start(&["clusters", "register", "alpha"]);
    register.says("Ctrl-C is safe").await;
    register.interrupt();
    let (code, said) = register.ends().await;
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("trunkline status alpha"), "{said}");
    assert!(!said.contains("error:"), "{said}");
    assert!(desk.gateway.cluster("alpha").is_some(), "it is registered all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_when_the_cluster_is_removed_or_locked() {
    let desk = Desk::signed_in().await;
    let mut register = desk.start(&["clusters", "register", "alpha"]);
    register.says("Waiting").await;
    eventually("it watches", SECOND * 20, || desk.gateway.watches() == 1).await;
    desk.gateway.lose("alpha");
    assert_eq!(register.ends().await.0, Some(5));
    let mut register = desk.start(&["clusters", "register", "beta"]);
    register.says("Waiting").await;
    eventually("it watches", SECOND * 20, || desk.gateway.watches() == 2).await;
    desk.run(&["clusters", "lock", "beta"]).await.well();
    let (code, said) = register.ends().await;
    assert_eq!(code, Some(1));
    assert!(said.contains("trunkline clusters unlock beta"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ways_to_register_are_wrong_usage() {
    let desk = Desk::signed_in().await;
    for (arguments, words) in [
        (&["UPPER"][..], "is not a cluster id"),
        (&["alpha", "--labels", "a=b,a=c"], "twice"),
        (&["alpha", "--labels", "a-"], "takes a label away"),
        (&["alpha", "--without-binding", "owners"], "owners"),
        (&["alpha", "--timeout", "soon"], "soon"),
        (&["alpha", "--storage-class", "x", "--ephemeral-spool"], "cannot be used with"),
    ] {
        desk.run(&[&["clusters", "register"], arguments].concat()).await.ended(2, &[words]);
    }
    assert_eq!(desk.gateway.asked(&Method::POST, "/clusters"), [json!(null); 0]);
}
