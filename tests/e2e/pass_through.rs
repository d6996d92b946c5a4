//! Clusters in pass-through mode: a token that was made for the cluster goes to it, alone, and to nobody else.

mod goes;
mod modes;
mod stays;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use trunkline_gateway::AuthnConfig;
use trunkline_runtime::Tasks;
use trunkline_tests::{Client, FakeIssuer, Rig, SignedWith};

const SOON: Duration = Duration::from_secs(20);
/// A path that any user may ask for.
const PATH: &str = "/api/v1/pods";
/// The field of its own.
const FIELD: &str = "x-trunkline-cluster-token";

/// `alpha` and `gamma` in pass-through mode, `beta` not; and an issuer whose tokens sign in at the gateway.
async fn raised() -> (Rig, FakeIssuer) {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let authn = AuthnConfig { issuers: vec![issuer.config()], ..AuthnConfig::default() };
    let rig = Rig::builder()
        .authn(authn)
        .passing_through("alpha", "urn:alpha")
        .cluster("beta")
        .passing_through("gamma", "urn:gamma")
        .start()
        .await;
    (rig, issuer)
}

fn in_seconds(seconds: u64) -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds
}

/// A token of these claims. Who signs for a cluster is nothing that the gateway knows.
fn signed(claims: &Value) -> String {
    SignedWith::es256("the-clusters-own").sign(claims)
}

/// A token for an audience, good for a while.
fn made_for(audience: &str) -> String {
    signed(&json!({"iss": "https://somebody.test", "sub": "robot", "aud": audience, "exp": in_seconds(600)}))
}

/// A client that shows one bearer token of both.
fn with_both(rig: &Rig, first: &str, second: &str) -> Client {
    rig.client_showing(None).bearing(&format!("{first}~{second}"))
}

/// How many requests reached any API server.
fn arrived(rig: &Rig) -> usize {
    ["alpha", "beta", "gamma"].iter().map(|name| rig.upstream(name).count()).sum()
}
