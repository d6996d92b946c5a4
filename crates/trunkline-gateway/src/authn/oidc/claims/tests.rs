use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;

fn config(more: &str) -> IssuerConfig {
    let text = format!("{{name: corp, url: 'https://id.test', client_id: gw{more}}}");
    serde_saphyr::from_str(&text).unwrap()
}

fn good() -> Value {
    json!({
        "iss": "https://id.test", "sub": "7", "aud": "gw", "exp": NOW + 600, "iat": NOW - 60,
        "email": "jane@example.com", "email_verified": true, "groups": ["dev", "ops"], "hd": "example.com",
    })
}

fn judged(config: &IssuerConfig, change: Value) -> Result<Principal, Why> {
    let mut claims = good();
    for (name, value) in change.as_object().unwrap() {
        match value {
            // A claim that is to be missing.
            Value::String(text) if text == "-" => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    principal(config, claims.as_object().unwrap(), now)
}

#[test]
fn names_get_their_issuers_prefix() {
    let jane = judged(&config(", groups_claim: groups"), json!({})).unwrap();
    assert_eq!(
        (jane.user.as_str(), jane.groups.as_slice()),
        ("corp:7", &["corp:dev".to_owned(), "corp:ops".into()][..])
    );
    assert_eq!(jane.how.to_string(), "oidc:corp");
    assert_eq!(jane.expires, Some(UNIX_EPOCH + Duration::from_secs(NOW + 600)));
    assert!(jane.session.as_str().starts_with("oidc-") && jane.session.as_str().len() <= 64);
    let jane = judged(&config(", username_claim: email"), json!({})).unwrap();
    assert_eq!((jane.user.as_str(), jane.groups.len()), ("jane@example.com", 0));
    let one = judged(&config(", groups_claim: groups, groups_prefix: ''"), json!({"groups": "dev"})).unwrap();
    assert_eq!(one.groups, ["dev"]);
    let none = judged(&config(", groups_claim: groups"), json!({"groups": "-"})).unwrap();
    assert!(none.groups.is_empty());
}

#[test]
fn a_sign_in_is_told_from_another() {
    let id = |change| judged(&config(""), change).unwrap().session;
    assert_eq!(
        id(json!({"sid": "a", "iat": NOW})),
        id(json!({"sid": "a", "iat": NOW - 5})),
        "one sign-in, renewed"
    );
    let all = [json!({"sid": "a"}), json!({"sid": "b"}), json!({"jti": "a"}), json!({}), json!({"iat": NOW})];
    let ids: std::collections::BTreeSet<_> = all.into_iter().map(id).collect();
    assert_eq!(ids.len(), 5);
}

#[test]
fn roles_are_given_by_the_names_in_the_token_and_nobody_takes_them() {
    let roles = ", groups_claim: groups, roles: {admins: {groups: [ops]}, viewers: {users: ['8']}}";
    let groups = |change| judged(&config(roles), change).unwrap().groups;
    assert_eq!(groups(json!({})), ["corp:dev", "corp:ops", "trunkline:admins"]);
    assert_eq!(groups(json!({"groups": [], "sub": "8"})), ["trunkline:viewers"]);
    assert_eq!(groups(json!({"groups": ["trunkline:admins"]})), ["corp:trunkline:admins"]);
    assert_eq!(groups(json!({"groups": ["corp:ops"]})), ["corp:corp:ops"]);
    // Whoever sets the prefix to nothing takes groups as they are.
    let bare = config(", groups_claim: groups, groups_prefix: ''");
    let taken = judged(&bare, json!({"groups": ["trunkline:viewers"]})).unwrap();
    assert_eq!(taken.groups, ["trunkline:viewers"]);
}

#[test]
fn what_is_not_good_says_why() {
    let email = config(", username_claim: email, groups_claim: groups, groups_prefix: ''");
    let many: Vec<String> = (0..501).map(|number| format!("g{number}")).collect();
    for (change, word) in [
        (json!({"iss": "https://id.test/"}), "Issuer"),
        (json!({"iss": "-"}), "Claim"),
        (json!({"sub": "-"}), "Claim"),
        (json!({"sub": 7}), "Claim"),
        (json!({"exp": "-"}), "Claim"),
        (json!({"exp": NOW.to_string()}), "Claim"),
        (json!({"iat": "-"}), "Claim"),
        (json!({"iat": NOW - 401 * 24 * 3600}), "Claim"),
        (json!({"iat": NOW + 20, "exp": NOW + 10}), "Claim"),
        (json!({"exp": NOW - 30}), "Ended"),
        (json!({"exp": 0, "iat": 0}), "Ended"),
        (json!({"iat": NOW + 31, "exp": NOW + 999}), "Clock"),
        (json!({"nbf": NOW + 31}), "Clock"),
        (json!({"nbf": "soon"}), "Claim"),
        (json!({"aud": "other"}), "Audience"),
        (json!({"aud": ""}), "Audience"),
        (json!({"aud": "-"}), "Claim"),
        (json!({"aud": []}), "Claim"),
        (json!({"aud": {"gw": 1}}), "Claim"),
        (json!({"aud": ["gw", 1]}), "Claim"),
        (json!({"aud": ["gw", "other"]}), "Claim"),
        (json!({"aud": ["gw", "other"], "azp": "other"}), "Audience"),
        (json!({"email_verified": false}), "Claim"),
        (json!({"email_verified": "true"}), "Claim"),
        (json!({"email_verified": "-"}), "Claim"),
        (json!({"email": "-"}), "Claim"),
        (json!({"email": ""}), "Claim"),
        (json!({"email": "system:admin"}), "Name"),
        (json!({"email": "System:Masters"}), "Name"),
        (json!({"email": "trunkline:sa:a:b"}), "Name"),
        (json!({"email": "jané@example.com"}), "Name"),
        (json!({"email": "a\r\nb"}), "Name"),
        (json!({"email": " a"}), "Name"),
        (json!({"email": "a".repeat(257)}), "Name"),
        (json!({"groups": 1}), "Claim"),
        (json!({"groups": ["dev", 1]}), "Claim"),
        (json!({"groups": ["dev", "system:masters"]}), "Name"),
        (json!({"groups": ["trunkline:serviceaccounts"]}), "Name"),
        (json!({"groups": ["a\u{0}b"]}), "Name"),
        (json!({"groups": [""]}), "Name"),
        (json!({"groups": many}), "Name"),
    ] {
        match judged(&email, change.clone()) {
            Err(why) => assert_eq!(why.word(), word, "{change}: {why}"),
            Ok(principal) => panic!("{change} was accepted as {principal:?}"),
        }
    }
    assert!(judged(&email, json!({"exp": NOW - 29})).is_ok(), "within the leeway");
    assert!(judged(&email, json!({"aud": ["other", "gw"], "azp": "gw"})).is_ok());
    let prefixed = config(", groups_claim: groups");
    assert!(judged(&prefixed, json!({"groups": ["system:masters"]})).is_err(), "not even behind a prefix");
    assert!(judged(&prefixed, json!({"sub": "system:admin"})).is_err());
    let required = config(", required_claims: {hd: example.com}");
    assert!(judged(&required, json!({})).is_ok());
    for other in [json!("example.org"), json!(["example.com"]), json!("-")] {
        assert!(judged(&required, json!({"hd": other})).is_err());
    }
}

#[test]
fn t39_a_clock_that_is_wrong_is_told_with_the_difference() {
    let ahead = |seconds: u64| judged(&config(""), json!({"nbf": NOW + seconds}));
    for (seconds, says) in
        [(45, "45 s"), (3600, "60 min"), (86_400 * 3, "3 days"), (86_400 * 400, "400 days")]
    {
        let why = ahead(seconds).unwrap_err().to_string();
        assert!(why.contains(says) && why.contains("clock"), "{why}");
    }
    assert!(ahead(1).is_ok() && ahead(30).is_ok() && ahead(31).is_err());
    let ended = judged(&config(""), json!({"exp": NOW - 7200})).unwrap_err().to_string();
    assert!(
        ended.contains("2 h ago") && ended.contains("trunkline login") && ended.contains("2027-01-15T"),
        "{ended}"
    );
}
