//! `trunkline clusters token`, and what kubectl is then given: two tokens in one, for that cluster alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use trunkline_api::{Cluster, ClusterState, ClusterStatus};
use trunkline_proto::IdentityMode;

use crate::desk::{Desk, Outcome, finish};
use crate::gateway::cluster;

/// A token that ends so many seconds from now.
fn token(seconds: i64) -> String {
    let claims = json!({"aud": "urn:alpha", "exp": Timestamp::now().as_second() + seconds});
    format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// `alpha` in pass-through mode, and `beta` not.
async fn raised() -> Desk {
    let desk = Desk::signed_in().await;
    let alpha = cluster("alpha", ClusterState::Connected);
    let status = ClusterStatus {
        identity: Some(IdentityMode::PassThrough),
        pass_through: vec!["urn:alpha".into()],
        ..alpha.status.clone()
    };
    desk.gateway.put(Cluster { status, ..alpha });
    desk.gateway.has("beta", ClusterState::Connected);
    desk
}

/// What kubectl is given for a cluster.
async fn given(desk: &Desk, cluster: &str) -> Outcome {
    let server = format!("{}/clusters/{cluster}", desk.gateway.url());
    let info =
        json!({"apiVersion": "client.authentication.k8s.io/v1", "spec": {"cluster": {"server": server}}});
    let mut command = desk.command(&["credential"]);
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    finish(&mut command).await
}

fn status(outcome: Outcome) -> Value {
    serde_json::from_str::<Value>(&outcome.well().stdout).unwrap()["status"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_brings_a_clusters_token_along_for_that_cluster_alone_and_follows_its_file() {
    let desk = raised().await;
    let first = token(600);
    let file = desk.write("alpha-token", format!("{first}\n"));
    let file = file.to_str().unwrap();
    let outcome = desk.run(&["clusters", "token", "alpha", file]).await.well();
    assert!(outcome.stdout.contains("for alpha, good until"), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("made for urn:alpha"), "{}", outcome.stderr);
    let profile = desk.read(".config/trunkline/config.yaml");
    assert!(profile.contains("alpha-token") && !profile.contains(&first), "{profile}");

    // By certificate at the gateway: the token stands behind the tilde alone, and all of it ends with the first to end.
    let alpha = status(given(&desk, "alpha").await);
    assert_eq!(alpha["token"], format!("~{first}"));
    assert!(alpha["clientCertificateData"].is_string() && alpha["clientKeyData"].is_string(), "{alpha}");
    let ends: Timestamp = alpha["expirationTimestamp"].as_str().unwrap().parse().unwrap();
    assert!(ends.as_second() <= Timestamp::now().as_second() + 600);
    assert!(status(given(&desk, "beta").await).get("token").is_none(), "to no other cluster");
    let renewed = token(900);
    desk.write("alpha-token", &renewed);
    assert_eq!(status(given(&desk, "alpha").await)["token"], format!("~{renewed}"), "read again");

    // By token at the gateway: both in one. Whoever signs in again keeps what is for clusters.
    desk.gateway.order(
        "/auth/session",
        200,
        json!({"user": "jane", "groups": [], "how": "oidc:corp", "session": "oidc-1", "expires": null}),
    );
    let own = desk.write("own", "x.y.z");
    let ca = desk.ca();
    desk.run(&["login", &desk.gateway.url(), "--ca", &ca, "--token-file", own.to_str().unwrap()])
        .await
        .well();
    let alpha = status(given(&desk, "alpha").await);
    assert_eq!(alpha["token"], format!("x.y.z~{renewed}"));
    assert!(alpha["expirationTimestamp"].is_string(), "{alpha}");
    assert_eq!(status(given(&desk, "beta").await)["token"], "x.y.z");

    desk.run(&["clusters", "token", "alpha", "--forget"]).await.well();
    assert_eq!(status(given(&desk, "alpha").await)["token"], "x.y.z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_would_get_nobody_in_is_told_at_once() {
    let desk = raised().await;
    let good = desk.write("good", token(600));
    let ended = desk.write("ended", token(-60));
    let nonsense = desk.write("nonsense", "not-a-jwt");
    let path = |file: &std::path::Path| file.to_str().unwrap().to_owned();
    desk.run(&["clusters", "token", "beta", &path(&good)])
        .await
        .ended(1, &["beta is not in pass-through mode", "trunkline clusters show beta"]);
    desk.run(&["clusters", "token", "alpha", &path(&ended)]).await.ended(3, &["its token ended at"]);
    desk.run(&["clusters", "token", "alpha", &path(&nonsense)]).await.ended(3, &["it is no JWT"]);
    desk.run(&["clusters", "token", "alpha", "/nowhere"]).await.ended(2, &["/nowhere"]);
    desk.run(&["clusters", "token", "nowhere", &path(&good)]).await.ended(5, &["nowhere"]);
    assert!(!desk.read(".config/trunkline/config.yaml").contains("clusterTokens"));
    // One that ends later is told by what kubectl runs, on standard error.
    desk.run(&["clusters", "token", "alpha", &path(&good)]).await.well();
    desk.write("good", token(-60));
    let outcome = given(&desk, "alpha").await.ended(3, &["its token ended at", "put a good token into"]);
    assert!(outcome.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_registered_for_pass_through_and_shown_so() {
    let desk = raised().await;
    let register = [
        "clusters",
        "register",
        "gamma",
        "--no-wait",
        "--pass-through",
        "urn:gamma",
        "--pass-through",
        "urn:g2",
    ];
    desk.run(&register).await.well();
    let sent = desk.gateway.asked(&Method::POST, "/clusters");
    assert_eq!(sent[0]["manifest"]["passThrough"], json!(["urn:gamma", "urn:g2"]));
    desk.run(&["clusters", "register", "gamma", "--renew", "--no-wait", "--impersonate"]).await.well();
    let sent = desk.gateway.asked(&Method::POST, "/clusters/gamma/join");
    assert_eq!(sent, [json!({"passThrough": []})]);
    desk.run(&["clusters", "register", "gamma", "--renew", "--no-wait"]).await.well();
    assert_eq!(
        desk.gateway.asked(&Method::POST, "/clusters/gamma/join")[1],
        json!({}),
        "what is not named stays"
    );
    desk.run(&["clusters", "register", "delta", "--pass-through", "a", "--group", "dev"])
        .await
        .ended(2, &["--group"]);
    let shown = desk.run(&["clusters", "show", "alpha"]).await.well().stdout;
    assert!(shown.contains("pass-through; tokens for urn:alpha"), "{shown}");
}
