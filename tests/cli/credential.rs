//! `trunkline credential`: the exec plugin that kubectl and client libraries run.

use serde_json::{Value, json};

use crate::desk::{Desk, Outcome, finish};

async fn asked(desk: &Desk, info: Option<Value>) -> Outcome {
    let mut command = desk.command(&["credential"]);
    if let Some(info) = info {
        command.env("KUBERNETES_EXEC_INFO", info.to_string());
    }
    finish(&mut command).await
}

fn info(version: &str, server: &str) -> Value {
    let cluster = json!({"server": server, "certificate-authority-data": "", "config": null});
    json!({"kind": "ExecCredential", "apiVersion": format!("client.authentication.k8s.io/{version}"),
           "spec": {"cluster": cluster, "interactive": false}})
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_gets_the_certificate_and_its_end() {
    let desk = Desk::signed_in().await;
    let server = format!("{}/clusters/alpha", desk.gateway.url());
    for (info, version) in
        [(None, "v1"), (Some(info("v1", &server)), "v1"), (Some(info("v1beta1", &server)), "v1beta1")]
    {
        let outcome = asked(&desk, info).await.well();
        let credential: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!(credential["kind"], "ExecCredential");
        assert_eq!(credential["apiVersion"], format!("client.authentication.k8s.io/{version}"));
        let status = &credential["status"];
        let file = |name: &str| std::fs::read_to_string(desk.paper.path(name)).unwrap();
        assert_eq!(status["clientCertificateData"], file("alice.pem"));
        assert_eq!(status["clientKeyData"], file("alice.key"));
        let ends: jiff::Timestamp = status["expirationTimestamp"].as_str().unwrap().parse().unwrap();
        assert!(ends > jiff::Timestamp::now());
        assert!(outcome.stderr.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_gateway_gets_the_certificate() {
    let desk = Desk::signed_in().await;
    let url = desk.gateway.url();
    for server in [
        "https://evil.test/clusters/alpha".to_owned(),
        format!("{url}.evil.test/"),
        format!("{url}0/clusters/a"),
    ] {
        let outcome = asked(&desk, Some(info("v1", &server)))
            .await
            .ended(1, &["is not at", "not given to anybody else"]);
        assert!(outcome.stdout.is_empty());
    }
    asked(&desk, Some(info("v1alpha1", &url))).await.ended(1, &["v1alpha1", "is not spoken"]);
    asked(&desk, Some(json!("nonsense"))).await.ended(1, &["KUBERNETES_EXEC_INFO"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_signed_in_is_told_so_on_standard_error() {
    let desk = Desk::new().await;
    let outcome = asked(&desk, None).await.ended(3, &["not signed in", "trunkline login"]);
    assert!(outcome.stdout.is_empty());
    desk.login().await.well();
    std::fs::remove_file(desk.paper.path("alice.key")).unwrap();
    let outcome = asked(&desk, None).await.ended(3, &["alice.key", "trunkline login"]);
    assert!(outcome.stdout.is_empty());
}
