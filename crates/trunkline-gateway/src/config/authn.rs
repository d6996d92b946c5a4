//! Who may sign in, and how: issuers, service accounts, local users, sessions.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde::Deserialize;
use trunkline_oidc::Endpoint;

use super::GatewayConfigError;

/// The most issuers.
const MAX_ISSUERS: usize = 16;
/// The algorithms that may be allowed: those with a public key.
const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// Who may sign in, and how, beside client certificates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthnConfig {
    /// OpenID providers whose ID tokens are accepted.
    pub issuers: Vec<IssuerConfig>,
    /// Service accounts of the management cluster.
    pub service_accounts: ServiceAccountsConfig,
    /// Whether there are local users, for a trial. By default where there is a data folder and no issuer.
    pub local_users: Option<bool>,
    /// Sign-ins that the gateway itself keeps.
    pub sessions: SessionsConfig,
}

/// An OpenID provider whose ID tokens are accepted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// What it is called here: lower-case letters, digits and `-`. Stands in logs and in default prefixes.
    pub name: String,
    /// Its URL, exactly as it calls itself. https, or http on loopback.
    pub url: String,
    /// The gateway's own client there, for sign-in by browser.
    pub client_id: String,
    /// File with that client's secret, where it has one.
    #[serde(default)]
    pub client_secret_file: Option<PathBuf>,
    /// The command line's client there, which has no secret. `client_id` by default.
    #[serde(default)]
    pub cli_client_id: Option<String>,
    /// Whom tokens must be for, one of these. Both clients by default.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// PEM file with the roots of its certificate. Public roots by default.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The claim that is the user's name. `sub` by default; `email` counts only with `email_verified`.
    #[serde(default = "sub")]
    pub username_claim: String,
    /// What stands before the user's name. `NAME:` by default, nothing for the claim `email`.
    #[serde(default)]
    pub username_prefix: Option<String>,
    /// The claim that is the user's groups; none is read by default.
    #[serde(default)]
    pub groups_claim: Option<String>,
    /// What stands before each group. `NAME:` by default.
    #[serde(default)]
    pub groups_prefix: Option<String>,
    /// Claims that must stand in a token with just that text.
    #[serde(default)]
    pub required_claims: std::collections::BTreeMap<String, String>,
    /// By how much clocks may differ, in seconds. 30 by default, 300 at most.
    #[serde(default = "thirty")]
    pub leeway_seconds: u64,
    /// The algorithms that tokens may be signed with. RS256, ES256, PS256 and EdDSA by default.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<String>,
    /// What is asked for. `openid`, `profile`, `email`, `groups` and `offline_access` by default.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Whom of its users and groups the gateway's own roles are given.
    #[serde(default)]
    pub roles: RolesConfig,
}

/// Whom the gateway's own roles are given. Names stand here as tokens hold them, without prefix.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RolesConfig {
    /// Who is also in `trunkline:admins`.
    pub admins: SubjectsConfig,
    /// Who is also in `trunkline:operators`.
    pub operators: SubjectsConfig,
    /// Who is also in `trunkline:viewers`.
    pub viewers: SubjectsConfig,
}

/// Users and groups.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubjectsConfig {
    /// Users.
    pub users: BTreeSet<String>,
    /// Groups.
    pub groups: BTreeSet<String>,
}

/// Service accounts of the management cluster as clients.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceAccountsConfig {
    /// Whether their tokens are accepted. By default where `management` is configured.
    pub enabled: Option<bool>,
    /// Whom tokens must be for, one of these. What the API server takes by default.
    pub audiences: Vec<String>,
}

/// Sign-ins that the gateway itself keeps: browsers', and local users' on the command line.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// How long one lasts, in hours. 8 by default, 24 at most.
    pub hours: u64,
    /// How long a browser's may be idle, in minutes. 30 by default, 1,440 at most.
    pub idle_minutes: u64,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { hours: 8, idle_minutes: 30 }
    }
}

impl AuthnConfig {
    /// Whom the tokens are for that sign in here, as far as that is written down.
    pub(crate) fn own_audiences(&self) -> BTreeSet<String> {
        let issuers = self.issuers.iter().flat_map(IssuerConfig::audiences);
        issuers.chain(self.service_accounts.audiences.iter().cloned()).collect()
    }
}

impl SessionsConfig {
    pub(crate) fn life(&self) -> Duration {
        Duration::from_secs(self.hours * 3600)
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_minutes * 60)
    }
}

impl IssuerConfig {
    pub(crate) fn username_prefix(&self) -> String {
        let default = if self.username_claim == "email" { String::new() } else { format!("{}:", self.name) };
        self.username_prefix.clone().unwrap_or(default)
    }

    pub(crate) fn groups_prefix(&self) -> String {
        self.groups_prefix.clone().unwrap_or_else(|| format!("{}:", self.name))
    }

    pub(crate) fn cli_client_id(&self) -> &str {
        self.cli_client_id.as_deref().unwrap_or(&self.client_id)
    }

    pub(crate) fn audiences(&self) -> BTreeSet<String> {
        if self.audiences.is_empty() {
            return [self.client_id.clone(), self.cli_client_id().to_owned()].into();
        }
        self.audiences.iter().cloned().collect()
    }

    /// The algorithms that are allowed.
    pub(crate) fn allowed(&self) -> Vec<Algorithm> {
        self.algorithms.iter().filter_map(|name| name.parse().ok()).collect()
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=32).contains(&self.name.len()) || !self.name.chars().all(plain) {
            return Err("its name may have 1 to 32 lower-case letters, digits and -".into());
        }
        Endpoint::new(&self.url).map_err(|error| error.to_string())?;
        if self.url.contains('?') {
            return Err("its url has a query; write it as its tokens have it, under iss".into());
        }
        for (field, value) in
            [("client_id", self.client_id.as_str()), ("username_claim", &self.username_claim)]
        {
            if value.is_empty() || value.len() > 256 {
                return Err(format!("{field} may have 1 to 256 characters"));
            }
        }
        if self.leeway_seconds > 300 {
            return Err(format!(
                "leeway_seconds is {}: give 0 to 300, and set the clocks",
                self.leeway_seconds
            ));
        }
        if self.algorithms.is_empty() {
            return Err("algorithms is empty: no token could be accepted".into());
        }
        if let Some(wrong) = self.algorithms.iter().find(|name| !ALGORITHMS.contains(&name.as_str())) {
            return Err(format!("algorithm {wrong:?} is not accepted; {} are", ALGORITHMS.join(", ")));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err("scopes lacks openid, without which no ID token is given".into());
        }
        for prefix in [self.username_prefix(), self.groups_prefix()] {
            if prefix.starts_with("system:") || prefix.starts_with("trunkline:") {
                return Err(format!("the prefix {prefix:?} is not an issuer's to give"));
            }
        }
        Ok(())
    }
}

impl AuthnConfig {
    pub(super) fn check(&self, management: bool, data: bool) -> Result<(), GatewayConfigError> {
        if self.issuers.len() > MAX_ISSUERS {
            return Err(wrong("issuers", format!("there may be {MAX_ISSUERS} of them")));
        }
        let (mut names, mut urls, mut prefixes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for issuer in &self.issuers {
            let field = format!("issuers: {}", issuer.name.chars().take(40).collect::<String>());
            issuer.check().map_err(|why| wrong(&field, why))?;
            if !names.insert(&issuer.name) || !urls.insert(&issuer.url) {
                return Err(wrong(&field, "its name or url stands there twice"));
            }
            if !prefixes.insert(issuer.username_prefix()) {
                return Err(wrong(
                    &field,
                    "another issuer has the same username_prefix, so that one could name the other's users",
                ));
            }
        }
        if self.service_accounts.enabled == Some(true) && !management {
            return Err(wrong("service_accounts", "management is not configured, which judges their tokens"));
        }
        if self.local_users == Some(true) && !data {
            return Err(wrong("local_users", "there is no data folder to keep them in"));
        }
        for (field, value, most) in
            [("hours", self.sessions.hours, 24), ("idle_minutes", self.sessions.idle_minutes, 1440)]
        {
            if !(1..=most).contains(&value) {
                return Err(wrong(&format!("sessions.{field}"), format!("it is {value}: give 1 to {most}")));
            }
        }
        Ok(())
    }

    /// Whether there are local users.
    pub(crate) fn has_local_users(&self, data: bool) -> bool {
        self.local_users.unwrap_or(self.issuers.is_empty()) && data
    }
}

fn wrong(field: &str, why: impl Into<String>) -> GatewayConfigError {
    GatewayConfigError::Authn { field: field.to_owned(), why: why.into() }
}

fn sub() -> String {
    "sub".into()
}
fn thirty() -> u64 {
    30
}
fn algorithms() -> Vec<String> {
    ["RS256", "ES256", "PS256", "EdDSA"].map(str::to_owned).into()
}
fn scopes() -> Vec<String> {
    ["openid", "profile", "email", "groups", "offline_access"].map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(issuers: &str) -> Result<(), String> {
        let config: AuthnConfig = serde_saphyr::from_str(issuers).map_err(|error| error.to_string())?;
        config.check(false, false).map_err(|error| error.to_string())
    }

    const ONE: &str = "issuers: [{name: one, url: 'https://id.test', client_id: gw}]";

    #[test]
    fn an_issuer_needs_a_name_a_url_and_a_client_and_prefixes_by_its_name() {
        assert_eq!(config(ONE), Ok(()));
        let config: AuthnConfig = serde_saphyr::from_str(ONE).unwrap();
        let one = &config.issuers[0];
        assert_eq!((one.username_prefix().as_str(), one.groups_prefix().as_str()), ("one:", "one:"));
        let email = IssuerConfig { username_claim: "email".into(), ..one.clone() };
        assert_eq!(email.username_prefix(), "");
        let cli = IssuerConfig { cli_client_id: Some("cli".into()), ..one.clone() };
        assert_eq!(cli.audiences(), ["cli", "gw"].map(str::to_owned).into());
    }

    #[test]
    fn what_would_let_the_wrong_people_in_is_no_configuration() {
        for (more, why) in [
            ("algorithms: [HS256]", "HS256"),
            ("algorithms: [none]", "none"),
            ("algorithms: []", "empty"),
            ("leeway_seconds: 301", "301"),
            ("scopes: [email]", "openid"),
            ("username_prefix: 'system:'", "system:"),
            ("groups_prefix: 'trunkline:'", "trunkline:"),
            ("username_claim: ''", "username_claim"),
            ("surprise: 1", "surprise"),
        ] {
            let error = config(&ONE.replace("client_id: gw", &format!("client_id: gw, {more}"))).unwrap_err();
            assert!(error.contains(why), "{more}: {error}");
        }
        for url in ["http://id.test", "https://id.test?x=y", "https://u:p@id.test", "id.test"] {
            assert!(config(&ONE.replace("https://id.test", url)).is_err(), "{url}");
        }
        let two = "issuers: [{name: one, url: 'https://a.test', client_id: gw, username_claim: email}, \
                   {name: two, url: 'https://b.test', client_id: gw, username_claim: email}]";
        assert!(config(two).unwrap_err().contains("username_prefix"));
        assert!(config(&two.replacen(", username_claim: email", "", 1)).is_ok());
        assert!(config("service_accounts: {enabled: true}").is_err());
        assert!(config("local_users: true").is_err());
        assert!(config("sessions: {hours: 25}").is_err());
    }
}
