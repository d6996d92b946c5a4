//! A token that was made for a cluster, before it goes there: whom it is for and when it ends.
//!
//! The signature is not checked here. This gateway need not know who signs for a cluster, and the token gives nobody a right at the
//! gateway: its bearer came in by something else, and the access rules decided on that. The cluster's API server verifies the
//! token. What is looked at here keeps tokens from where they do not belong, and a lie in them only keeps their bearer out.
//!
//! Invariants:
//! - what signs somebody in here never goes on: each audience of a token that does is the cluster's own, and none is this gateway's;
//! - a token without an end, or after it, goes nowhere, and what it carries ends when it does;
//! - nothing of a token but audiences, which are no secret, is in an answer, a record or a log.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use trunkline_proto::ClusterToken;

use super::Jwt;
use super::jwt::moment;

/// The most audiences that are looked at.
const MAX_AUDIENCES: usize = 32;

/// What a token for a cluster says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claimed {
    /// Whom it is for.
    audiences: Vec<String>,
    /// When it ends.
    pub(crate) ends: SystemTime,
}

impl Claimed {
    /// Reads a token.
    ///
    /// # Errors
    /// What of it cannot be read, in words that repeat none of it.
    pub(crate) fn of(token: &ClusterToken) -> Result<Self, String> {
        let jwt = Jwt::read(token.reveal()).map_err(|why| why.to_string())?;
        let ends = moment(&jwt.claims, "exp").map_err(|why| why.to_string())?;
        let ends = ends.and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        let ends = ends.ok_or("the token has no end (exp)")?;
        let audiences = audiences(&jwt.claims).ok_or("the token does not say whom it is for (aud)")?;
        Ok(Self { audiences, ends })
    }

    /// Whether it is for a cluster of these audiences and for nobody else.
    ///
    /// # Errors
    /// Whom else it is for.
    pub(crate) fn must_be_for(&self, cluster: &[String], gateway: &BTreeSet<String>) -> Result<(), String> {
        if let Some(ours) = self.audiences.iter().find(|one| gateway.contains(*one)) {
            return Err(format!(
                "the token is for this gateway as well ({ours:?}): what signs you in here goes to no cluster"
            ));
        }
        match self.audiences.iter().find(|one| !cluster.contains(one)) {
            Some(other) => Err(format!("the token is for {:?}", shown(other))),
            None => Ok(()),
        }
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&self, now: SystemTime) -> bool {
        self.ends <= now
    }
}

/// All audiences of a token; at least one.
fn audiences(claims: &Map<String, Value>) -> Option<Vec<String>> {
    let one = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match claims.get("aud")? {
        Value::Array(all) if (1..=MAX_AUDIENCES).contains(&all.len()) => all.iter().map(one).collect(),
        single => one(single).map(|single| vec![single]),
    }
}

/// As much of an audience that a client brought as is repeated to it.
fn shown(audience: &str) -> String {
    audience.chars().take(100).collect()
}

#[cfg(test)]
impl Claimed {
    /// Of a token that ends then, for tests.
    pub(crate) fn for_test(audience: &str, ends: SystemTime) -> Self {
        Self { audiences: vec![audience.to_owned()], ends }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> ClusterToken {
        token_of(r#"{"alg":"RS256"}"#, &claims.to_string())
    }

    fn token_of(head: &str, claims: &str) -> ClusterToken {
        let text = format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        ClusterToken::parse(&text).unwrap()
    }

    fn own() -> [String; 2] {
        ["urn:alpha", "https://alpha.test"].map(str::to_owned)
    }

    #[test]
    fn a_token_goes_to_the_one_cluster_that_all_its_audiences_are_of() {
        let gateway = BTreeSet::from(["gw".to_owned(), "urn:both".to_owned()]);
        let both = [own().to_vec(), vec!["urn:both".to_owned()]].concat();
        let goes = |aud: Value| Claimed::of(&token(&json!({"aud": aud, "exp": 2_000_000_000}))).unwrap();
        for aud in [json!("urn:alpha"), json!(["urn:alpha"]), json!(["https://alpha.test", "urn:alpha"])] {
            assert_eq!(goes(aud.clone()).must_be_for(&own(), &gateway), Ok(()), "{aud}");
        }
        for aud in [
            json!("urn:beta"),
            json!("URN:ALPHA"),
            json!("urn:alpha/"),
            json!(" urn:alpha"),
            json!("gw"),
            json!(["urn:alpha", "gw"]),
            json!(["urn:alpha", "urn:beta"]),
            json!(["urn:beta", "urn:alpha"]),
            // Registered for the cluster, and taken by the gateway since.
            json!("urn:both"),
        ] {
            assert!(goes(aud.clone()).must_be_for(&both, &gateway).is_err(), "{aud}");
        }
        assert!(goes(json!("urn:alpha")).must_be_for(&[], &gateway).is_err(), "a cluster without any");
    }

    #[test]
    fn what_does_not_say_whom_it_is_for_and_until_when_goes_nowhere() {
        let end = 2_000_000_000;
        for claims in [
            json!({"exp": end}),
            json!({"aud": null, "exp": end}),
            json!({"aud": "", "exp": end}),
            json!({"aud": [], "exp": end}),
            json!({"aud": ["urn:alpha", ""], "exp": end}),
            json!({"aud": ["urn:alpha", 1], "exp": end}),
            json!({"aud": ["urn:alpha", ["urn:alpha"]], "exp": end}),
            json!({"aud": {"urn:alpha": 1}, "exp": end}),
            json!({"aud": vec!["urn:alpha"; MAX_AUDIENCES + 1], "exp": end}),
            json!({"aud": "urn:alpha"}),
            json!({"aud": "urn:alpha", "exp": null}),
            json!({"aud": "urn:alpha", "exp": "2000000000"}),
            json!({"aud": "urn:alpha", "exp": -1}),
            json!({"aud": "urn:alpha", "exp": 1e300}),
        ] {
            assert!(Claimed::of(&token(&claims)).is_err(), "{claims}");
        }
        for (head, claims) in [
            (r#"{"alg":"RS256"}"#, r#"{"aud":"urn:beta","aud":"urn:alpha","exp":2000000000}"#),
            (r#"{"alg":"none"}"#, r#"{"aud":"urn:alpha","exp":2000000000}"#),
            (r#"{"alg":"RS256"}"#, r#"["urn:alpha"]"#),
            ("[]", r#"{"aud":"urn:alpha","exp":2000000000}"#),
        ] {
            assert!(Claimed::of(&token_of(head, claims)).is_err(), "{head} {claims}");
        }
        let claimed = Claimed::of(&token(&json!({"aud": "urn:alpha", "exp": 1000.9}))).unwrap();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert!(!claimed.has_ended(at(999)) && claimed.has_ended(at(1000)));
    }
}
