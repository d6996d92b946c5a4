//! The issuer that somebody signs in at, reached.

use anyhow::Context as _;
use trunkline_api::SignInIssuer;
use trunkline_oidc::{Fetch, OidcClient, Provider, Tokens};
use trunkline_runtime::Tasks;

use crate::sign_in::{Kept, Renewal, claims_of};

/// An issuer, and what it says of itself.
pub(super) struct Issuer {
    pub(super) fetch: Fetch,
    pub(super) provider: Provider,
    pub(super) client: OidcClient,
    pub(super) scopes: Vec<String>,
    roots: Option<String>,
}

impl Issuer {
    /// Asks it to describe itself.
    pub(super) async fn reach(chosen: &SignInIssuer) -> anyhow::Result<Self> {
        let roots = chosen.roots.clone();
        let fetch = Fetch::new(roots.as_ref().map(String::as_bytes), &Tasks::new())?;
        let provider = Provider::discover(&fetch, &chosen.url)
            .await
            .with_context(|| format!("the issuer {} cannot be used", chosen.url))?;
        let client = OidcClient { id: chosen.client_id.clone(), secret: None };
        Ok(Self { fetch, provider, client, scopes: chosen.scopes.clone(), roots })
    }

    /// What is kept of what it gave.
    pub(super) fn keep(&self, tokens: Tokens) -> Kept {
        let renewal = tokens.refresh_token.map(|refresh_token| Renewal {
            issuer: self.provider.issuer.clone(),
            client_id: self.client.id.clone(),
            roots: self.roots.clone(),
            refresh_token,
        });
        Kept { ends: claims_of(&tokens.id_token).ends, token: tokens.id_token, renewal }
    }
}
