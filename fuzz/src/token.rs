//! The seconds since 1970 and how an issuer is set up, then a token: two lines of JSON, or after `raw ` its own text.
//!
//! A token is read in one way or not at all. Whom its claims name, were they proven, was named by that issuer, for us, for
//! now; and is called by no name of Kubernetes' own and by none of this gateway's that was not given here.

use std::time::{Duration, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use trunkline_gateway::{IssuerConfig, bare};

use crate::lines::first_line;

const URL: &str = "https://id.test";

/// Reads a token.
pub fn token(input: &[u8]) {
    let (line, rest) = first_line(input);
    let (now, kind) = line.split_once(' ').unwrap_or((line, ""));
    let now: u64 = now.parse::<u32>().unwrap_or(1_800_000_000).into();
    let (head, claims) = first_line(rest);
    let text = match rest.strip_prefix(b"raw ") {
        Some(raw) => String::from_utf8_lossy(raw).into_owned(),
        None => format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims)),
    };
    let Some((signed, signature, claims)) = bare::token(&text) else { return };
    assert_eq!(format!("{signed}.{signature}"), text);
    let parts: Vec<Value> = signed.split('.').map(part).collect();
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[1], Value::Object(claims.clone()));
    let head = &parts[0];
    let algorithm = head["alg"].as_str().expect("an algorithm");
    assert!(!algorithm.eq_ignore_ascii_case("none"));
    assert!(["crit", "b64", "zip"].iter().all(|name| head.get(name).is_none()));
    let issuer = issuer(kind);
    if let Some((user, groups)) = bare::named(&issuer, &claims, UNIX_EPOCH + Duration::from_secs(now)) {
        named(kind, &claims, now, &user, &groups);
    }
}

/// A part that can be read in one way.
fn part(text: &str) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
    assert_eq!(URL_SAFE_NO_PAD.encode(&bytes), text, "a second spelling");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn issuer(kind: &str) -> IssuerConfig {
    let mut config = json!({"name": "id", "url": URL, "client_id": "web", "cli_client_id": "cli"});
    match kind {
        "email" => config["username_claim"] = "email".into(),
        "groups" => config["groups_claim"] = "groups".into(),
        // As careless as it can be set up: names are taken as they are.
        "bare" => {
            config["groups_claim"] = "groups".into();
            config["groups_prefix"] = "".into();
            config["username_prefix"] = "".into();
        }
        "roles" => {
            config["groups_claim"] = "groups".into();
            config["roles"] = json!({"admins": {"groups": ["root"]}, "viewers": {"users": ["jane"]}});
        }
        _ => {}
    }
    serde_json::from_value(config).expect("a configuration")
}

fn named(kind: &str, claims: &Map<String, Value>, now: u64, user: &str, groups: &[String]) {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
    assert_eq!(text("iss"), URL);
    assert!(!text("sub").is_empty());
    let audiences: Vec<&str> = match &claims["aud"] {
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    assert!(audiences.contains(&"web") || audiences.contains(&"cli"), "{audiences:?}");
    assert!(audiences.len() < 2 || ["web", "cli"].contains(&text("azp")));
    let (ends, issued) = (seconds("exp").expect("an end"), seconds("iat").expect("a beginning"));
    assert!(
        ends + 30.0 > now as f64 && issued < (now + 31) as f64 && ends > issued,
        "{issued} to {ends} at {now}"
    );
    assert!(seconds("nbf").is_none_or(|from| from < (now + 31) as f64));
    match kind {
        "email" => assert!(user == text("email") && claims["email_verified"] == true),
        "bare" => assert_eq!(user, text("sub")),
        _ => assert_eq!(user, format!("id:{}", text("sub"))),
    }
    let prefix = if kind == "bare" { "" } else { "id:" };
    let listed: Vec<String> = match (kind, claims.get("groups")) {
        ("plain" | "email" | "", _) | (_, None) => Vec::new(),
        (_, Some(Value::Array(many))) => {
            many.iter().filter_map(Value::as_str).map(|g| format!("{prefix}{g}")).collect()
        }
        (_, Some(one)) => one.as_str().map(|group| format!("{prefix}{group}")).into_iter().collect(),
    };
    for name in groups.iter().chain([&user.to_owned()]) {
        let lower = name.to_lowercase();
        assert!(name.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && lower.trim() == lower, "{name:?}");
        assert!(!lower.starts_with("system:") && !lower.starts_with("id:system:"), "{name:?}");
    }
    assert!(!user.to_lowercase().starts_with("trunkline:"));
    for group in groups.iter().filter(|group| !listed.contains(group)) {
        let given = match group.as_str() {
            "trunkline:admins" => kind == "roles" && listed.iter().any(|group| group == "id:root"),
            "trunkline:viewers" => kind == "roles" && text("sub") == "jane",
            _ => false,
        };
        assert!(given, "nobody gave {group:?}");
    }
}
