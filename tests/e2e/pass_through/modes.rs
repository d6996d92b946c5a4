//! Gateway and agent that do not agree on how the API server is told whose a request is.

use serde_json::{Value, json};
use trunkline_gateway::AuthnConfig;
use trunkline_proto::IdentityMode;
use trunkline_tests::{Rig, within};

use super::{FIELD, PATH, SOON, made_for};

async fn cluster(rig: &Rig, name: &str) -> Value {
    rig.admin().get(&format!("/trunkline/v1/clusters/{name}")).await.json()["status"].clone()
}

#[tokio::test]
async fn an_agent_in_another_mode_than_its_cluster_is_given_no_request_and_no_token() {
    let mut rig =
        Rig::builder().passing_through("alpha", "urn:alpha").cluster("beta").without_agents().start().await;
    let (mut alpha, mut beta) = (rig.agent_config("alpha"), rig.agent_config("beta"));
    assert_eq!(alpha.upstream.identity, IdentityMode::PassThrough);
    alpha.upstream.identity = IdentityMode::Impersonate;
    beta.upstream.identity = IdentityMode::PassThrough;
    rig.start_agent_with("alpha", alpha).await;
    rig.start_agent_with("beta", beta).await;
    let with_token = rig.client().with(FIELD, &made_for("urn:alpha"));
    for (client, name, runs) in [(with_token, "alpha", "impersonate"), (rig.client(), "beta", "pass-through")]
    {
        let reply = client.get(&format!("/clusters/{name}{PATH}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (502, "IdentityModeMismatch"),
            "{}",
            reply.text()
        );
        assert!(reply.text().contains(&format!("runs with identity: {runs}")), "{}", reply.text());
        let status = cluster(&rig, name).await;
        assert_eq!((&status["state"], &status["identity"]), (&json!("degraded"), &json!(runs)), "{status}");
        assert_eq!(rig.upstream(name).count(), 0);
    }
}

#[tokio::test]
async fn the_mode_is_shown_and_the_way_there_is_walked_without_a_token() {
    let rig = Rig::builder().enrolling().passing_through("alpha", "urn:alpha").cluster("beta").start().await;
    within("it is connected", SOON, async { while cluster(&rig, "alpha").await["state"] != "connected" {} })
        .await;
    let status = cluster(&rig, "alpha").await;
    assert_eq!(
        (&status["identity"], &status["passThrough"]),
        (&json!("pass-through"), &json!(["urn:alpha"]))
    );
    let status = cluster(&rig, "beta").await;
    assert_eq!((&status["identity"], status.get("passThrough")), (&json!("impersonate"), None));
    let hops = rig.admin().get("/trunkline/v1/clusters/alpha/status").await.json();
    let last = hops["hops"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["ok"]), (&json!("api-server"), &json!(true)), "{hops}");
    assert_eq!(rig.upstream("alpha").count(), 0, "nobody is asked as anybody");
}

#[tokio::test]
async fn an_audience_is_one_clusters_alone_and_never_the_gateways_own() {
    let issuer = trunkline_tests::FakeIssuer::start(&trunkline_runtime::Tasks::new()).await;
    let authn = AuthnConfig { issuers: vec![issuer.config()], ..AuthnConfig::default() };
    let rig = Rig::builder()
        .authn(authn)
        .enrolling()
        .passing_through("alpha", "urn:alpha")
        .without_agents()
        .start()
        .await;
    let admin = rig.admin();
    for (audience, says) in [
        ("urn:alpha", "alpha's"),
        ("gw", "sign in at this gateway"),
        ("https://kubernetes.default.svc.cluster.local", "every cluster's"),
        ("", "empty"),
    ] {
        let new = json!({"name": "other", "manifest": {"passThrough": [audience]}});
        let reply = admin.post("/trunkline/v1/clusters", &new).await;
        assert_eq!(
            (reply.status.as_u16(), reply.json()["reason"].as_str()),
            (400, Some("Invalid")),
            "{}",
            reply.text()
        );
        assert!(reply.text().contains(says), "{audience}: {}", reply.text());
        assert_eq!(admin.get("/trunkline/v1/clusters/other").await.status, 404);
    }
    let new = json!({"name": "other", "manifest": {"passThrough": ["urn:other"]}});
    let registered = admin.post("/trunkline/v1/clusters", &new).await.json();
    let manifest = registered["join"]["manifest"].as_str().unwrap();
    assert!(
        manifest.contains("identity: pass-through") && !manifest.contains("kind: ClusterRole"),
        "{manifest}"
    );
    assert!(registered["join"]["warnings"].to_string().contains("no right in the cluster"), "{registered}");
    let patch = json!({"passThrough": ["urn:alpha"]});
    assert_eq!(admin.post("/trunkline/v1/clusters/other/join", &patch).await.status, 400);
    let back = admin.post("/trunkline/v1/clusters/other/join", &json!({"passThrough": []})).await.json();
    assert!(
        back["join"]["manifest"].as_str().unwrap().contains("kind: ClusterRole"),
        "it impersonates again"
    );
}
