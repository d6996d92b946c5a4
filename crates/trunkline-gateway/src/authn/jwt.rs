//! A token's three parts, read and not yet believed (RFC 7515, RFC 7519, RFC 8725).
//!
//! Invariants: a part that could be read in two ways is refused (a name twice, padding, white space); keys that a token
//! brings along (`jwk`, `jku`, `x5u`, `x5c`) are never looked at.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::why::Why;

/// The most claims of a token, and the most fields of its head.
const MAX_FIELDS: usize = 200;

/// A token, taken apart.
pub(crate) struct Jwt<'a> {
    /// Algorithm, as the token says; whether it may be is its issuer's to say.
    pub(super) algorithm: Algorithm,
    /// The name of the key, if the token gives one.
    pub(super) key: Option<String>,
    /// Head and claims as they were signed.
    pub(crate) signed: &'a str,
    pub(crate) signature: &'a str,
    /// Not to be believed before the signature was checked.
    pub(crate) claims: Map<String, Value>,
}

/// Whether a text has the shape of a token of three parts.
pub(super) fn looks_like(token: &str) -> bool {
    token.split('.').count() == 3
}

impl<'a> Jwt<'a> {
    /// Takes a token apart.
    pub(crate) fn read(token: &'a str) -> Result<Self, Why> {
        let mut parts = token.split('.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Why::Malformed("it has not three parts"));
        };
        let signed = &token[..head.len() + 1 + claims.len()];
        let head = object(head, "its head is no JSON object in base64url")?;
        let text = |name: &str| head.get(name).and_then(Value::as_str);
        // RFC 7515, section 4.1.11: who does not understand a critical field must refuse.
        if head.contains_key("crit") || head.contains_key("b64") || head.contains_key("zip") {
            return Err(Why::Malformed("its head asks for something that is not done here"));
        }
        // RFC 8725, section 3.11: no access or logout token in place of one that says who somebody is.
        if head.contains_key("typ") && !text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("jwt")) {
            return Err(Why::Malformed("it is of another type than JWT"));
        }
        let algorithm = text("alg").and_then(|alg| alg.parse().ok()).ok_or(Why::Algorithm)?;
        let key = match head.get("kid") {
            None => None,
            Some(Value::String(key)) if key.len() <= 256 => Some(key.clone()),
            Some(_) => return Err(Why::Malformed("its kid is no text of at most 256 bytes")),
        };
        let claims = object(claims, "its claims are no JSON object in base64url")?;
        Ok(Self { algorithm, key, signed, signature, claims })
    }

    /// Who says to have issued it.
    pub(super) fn issuer(&self) -> Result<&str, Why> {
        text(&self.claims, "iss")
    }
}

/// A claim that is a text and not empty.
pub(super) fn text<'c>(claims: &'c Map<String, Value>, name: &str) -> Result<&'c str, Why> {
    let no = |what| Why::Claim { claim: name.to_owned(), what };
    match claims.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(no("is no text, or empty")),
        None => Err(no("is missing")),
    }
}

/// A claim that is a moment in seconds since 1970 (RFC 7519, NumericDate).
pub(super) fn moment(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, Why> {
    // 9999-12-31: what is later is a mistake, and no arithmetic of ours overflows below it.
    const LATEST: f64 = 253_402_300_799.0;
    let no = || Why::Claim { claim: name.to_owned(), what: "is no moment in seconds since 1970" };
    match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds)).ok_or_else(no)?;
            // Checked to be in range; the fraction goes.
            Ok(Some(seconds as u64))
        }
    }
}

fn object(part: &str, why: &'static str) -> Result<Map<String, Value>, Why> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Why::Malformed(why))?;
    let Unique(map) = serde_json::from_slice(&bytes).map_err(|_| Why::Malformed(why))?;
    Ok(map)
}

/// A JSON object that has each name once.
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Unique, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() || map.len() > MAX_FIELDS {
                        return Err(A::Error::custom("a name twice, or too many"));
                    }
                }
                Ok(Unique(map))
            }
        }

        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(head: &str, claims: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims))
    }

    const HEAD: &str = r#"{"alg":"ES256","kid":"k","typ":"JWT"}"#;

    #[test]
    fn a_token_is_taken_apart() {
        let token = token(HEAD, r#"{"iss":"https://id.test","exp":1.5}"#);
        let jwt = Jwt::read(&token).unwrap();
        assert_eq!((jwt.algorithm, jwt.key.as_deref()), (Algorithm::ES256, Some("k")));
        assert_eq!(jwt.issuer().unwrap(), "https://id.test");
        assert_eq!(format!("{}.{}", jwt.signed, jwt.signature), token);
        assert_eq!(moment(&jwt.claims, "exp").unwrap(), Some(1));
        assert_eq!(moment(&jwt.claims, "nbf").unwrap(), None);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let good = token(HEAD, "{}");
        for bad in [
            String::new(),
            "a.b".into(),
            format!("{good}.x"),
            format!("{good}.x.y"),
            format!(" {good}"),
            good.replacen('.', "=.", 1),
            token("[]", "{}"),
            token(HEAD, "[]"),
            token(HEAD, r#"{"iss":"a","iss":"b"}"#),
            token(r#"{"alg":"ES256","alg":"none"}"#, "{}"),
            token(r#"{"alg":"none"}"#, "{}"),
            token(r#"{"alg":"None"}"#, "{}"),
            token(r#"{"alg":["ES256"]}"#, "{}"),
            token(r#"{"typ":"JWT"}"#, "{}"),
            token(r#"{"alg":"ES256","typ":"at+jwt"}"#, "{}"),
            token(r#"{"alg":"ES256","typ":null}"#, "{}"),
            token(r#"{"alg":"ES256","crit":["exp"]}"#, "{}"),
            token(r#"{"alg":"ES256","kid":1}"#, "{}"),
            token(HEAD, "{} {}"),
        ] {
            assert!(Jwt::read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_a_number_within_reason() {
        for bad in ["\"1\"", "-1", "1e300", "null", "true", "[1]", "253402300800"] {
            let claims: Map<String, Value> = serde_json::from_str(&format!(r#"{{"exp":{bad}}}"#)).unwrap();
            assert!(moment(&claims, "exp").is_err(), "{bad}");
        }
    }
}
