//! The Manager's way in: a browser's session reaches clusters, and what a cluster answers can do a browser no harm.

mod clusters;
mod live;
mod terminals;

use trunkline_gateway::AuthnConfig;
use trunkline_runtime::Tasks;
use trunkline_tests::{Browser, FakeIssuer, Rig, RigBuilder};

/// Where the cluster alpha is for pages.
const ALPHA: &str = "/trunkline/v1/clusters/alpha/k8s";

/// What is raised, and a browser in which jane@example.com has signed in.
async fn raised(builder: RigBuilder) -> (Rig, FakeIssuer, Browser) {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let authn = AuthnConfig { issuers: vec![issuer.config()], ..AuthnConfig::default() };
    let rig = builder.authn(authn).start().await;
    let mut browser = Browser::new(&rig);
    let reply = browser.sign_in().await;
    assert_eq!(reply.status, 303, "{}", reply.text());
    (rig, issuer, browser)
}
