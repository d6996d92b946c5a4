//! Clients sign in: by ID token, by service account, by browser, by password.

mod accounts;
mod browsers;
mod first_run;
mod issuers;
mod local;
mod tokens;

use trunkline_gateway::{AuthnConfig, IssuerConfig};
use trunkline_runtime::Tasks;
use trunkline_tests::{Client, FakeIssuer, Rig};

/// A path that any user may ask for.
const PATH: &str = "/clusters/alpha/api/v1/pods";

/// A configuration of these issuers.
fn with(issuers: Vec<IssuerConfig>) -> AuthnConfig {
    AuthnConfig { issuers, ..AuthnConfig::default() }
}

/// A gateway that accepts the tokens of a fake issuer.
async fn raised() -> (Rig, FakeIssuer) {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let rig = Rig::builder().authn(with(vec![issuer.config()])).start().await;
    (rig, issuer)
}

/// A client without a certificate that shows a token.
fn bearing(rig: &Rig, token: &str) -> Client {
    rig.client_showing(None).bearing(token)
}
