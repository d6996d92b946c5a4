//! Good tokens become users, and bad ones nobody.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Request, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{FakeIssuer, Rig, SignedWith, unsigned, within};

use super::{PATH, bearing, raised, with};

#[tokio::test]
async fn an_id_token_becomes_a_user_with_groups_and_its_credential_goes_no_further() {
    let (rig, issuer) = raised().await;
    let token = issuer.token();
    let reply = bearing(&rig, &token).get(PATH).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let seen = rig.upstream("alpha").seen_with("/api/v1/pods").pop().unwrap();
    assert_eq!(seen.all("impersonate-user"), ["jane@example.com"]);
    assert_eq!(seen.all("impersonate-group"), ["corp:dev"]);
    assert_eq!(seen.all("authorization"), ["Bearer the-agents-own-token"]);
    let who = bearing(&rig, &token).get("/trunkline/v1/auth/session").await.json();
    assert_eq!((who["user"].as_str(), who["how"].as_str()), (Some("jane@example.com"), Some("oidc:corp")));
    assert!(who["session"].as_str().unwrap().starts_with("oidc-"));
    assert!(who["expires"].is_string() && who.get("csrf").is_none() && who.get("token").is_none(), "{who}");
    // Who may reach a cluster sees it, and changes nothing of the fleet.
    assert_eq!(bearing(&rig, &token).get("/trunkline/v1/clusters").await.status, StatusCode::OK);
    let lock = bearing(&rig, &token).post("/trunkline/v1/clusters/alpha/lock", &json!({})).await;
    assert_eq!(lock.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn every_algorithm_that_is_allowed_works_with_its_own_kind_of_key() {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let rsa = SignedWith::rs256("rsa");
    let keys = vec![rsa.clone(), SignedWith::es256("ec"), SignedWith::ed25519("ed")];
    issuer.rotate(keys.clone());
    let rig = Rig::builder().authn(with(vec![issuer.config()])).start().await;
    for key in &keys {
        let reply = bearing(&rig, &key.sign(&issuer.claims())).get(PATH).await;
        assert_eq!(reply.status, StatusCode::OK, "{key:?} {}", reply.text());
    }
    // A key that names its one algorithm is for no other.
    let pss = rsa.as_algorithm(Algorithm::PS256).sign(&issuer.claims());
    assert_eq!(bearing(&rig, &pss).get(PATH).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_may_come_as_a_websocket_protocol_and_goes_no_further() {
    let (rig, issuer) = raised().await;
    let token = URL_SAFE_NO_PAD.encode(issuer.token());
    let protocols = format!("v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{token}");
    let mut raw = rig.client_showing(None).raw().await;
    raw.say_head(&[
        "GET /clusters/alpha/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
        &format!("sec-websocket-protocol: {protocols}"),
    ])
    .await;
    let head = within("an answer", Duration::from_secs(10), raw.hear_head()).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let seen = rig.upstream("alpha").seen_with("/upgrade").pop().unwrap();
    assert_eq!(seen.all("impersonate-user"), ["jane@example.com"]);
    assert_eq!(seen.all("sec-websocket-protocol"), ["v5.channel.k8s.io"]);
}

#[tokio::test]
async fn a_bad_token_is_refused_although_the_connection_shows_a_certificate() {
    let (rig, _) = raised().await;
    assert_eq!(rig.client().get(PATH).await.status, StatusCode::OK);
    for authorization in ["Bearer nonsense", "Basic amFuZTpwdw==", "Bearer a.b.c", "Negotiate abc"] {
        let reply = rig.client().with("authorization", authorization).get(PATH).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (401, "Unauthorized"),
            "{authorization}"
        );
        assert!(!reply.text().contains("nonsense"), "{}", reply.text());
    }
}

#[tokio::test]
async fn t39_whose_token_ended_is_told_when_and_what_to_run() {
    let (rig, issuer) = raised().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = issuer.claims();
    (claims["iat"], claims["exp"]) = ((now - 7300).into(), (now - 7200).into());
    let text = bearing(&rig, &issuer.sign(&claims)).get(PATH).await.text();
    assert!(text.contains("your sign-in ended at") && text.contains("run trunkline login"), "{text}");
    let mut claims = issuer.claims();
    claims["nbf"] = (now + 90).into();
    let text = bearing(&rig, &issuer.sign(&claims)).get(PATH).await.text();
    assert!(text.contains(" s ahead of this gateway's clock"), "{text}");
}

/// Tokens that nobody may come in with, by what is wrong with them.
fn bad_tokens(issuer: &FakeIssuer) -> Vec<(String, String)> {
    let key = issuer.key();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let good = issuer.token();
    let mut bad: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| bad.push((what.to_owned(), token));
    let changed = |change: &Value| {
        let mut claims = issuer.claims();
        for (name, value) in change.as_object().unwrap() {
            if value == "-" {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        claims
    };
    // Claims that were signed, and are not good.
    for change in [
        json!({"iss": "https://evil.test"}),
        json!({"iss": format!("{}/", issuer.url())}),
        json!({"iss": issuer.url().to_uppercase()}),
        json!({"iss": "-"}),
        json!({"iss": [issuer.url()]}),
        json!({"aud": "other"}),
        json!({"aud": "GW"}),
        json!({"aud": "-"}),
        json!({"aud": ["other"]}),
        json!({"aud": ["gw", "other"]}),
        json!({"aud": ["gw", "other"], "azp": "other"}),
        json!({"aud": {"0": "gw"}}),
        json!({"exp": now - 60}),
        json!({"exp": "-"}),
        json!({"exp": "9999999999"}),
        json!({"exp": 1e300}),
        json!({"exp": -1}),
        json!({"exp": null}),
        json!({"iat": now + 3600, "exp": now + 7200}),
        json!({"iat": "-"}),
        json!({"nbf": now + 3600}),
        json!({"nbf": "later"}),
        json!({"sub": "-"}),
        json!({"sub": ""}),
        json!({"email": "-"}),
        json!({"email": ["jane@example.com"]}),
        json!({"email": "system:admin"}),
        json!({"email": "SYSTEM:kube-controller-manager"}),
        json!({"email": "trunkline:sa:kube-system:default"}),
        json!({"email": "a\r\nimpersonate-group: system:masters"}),
        json!({"email": "a\u{0}"}),
        json!({"email": "\u{202e}enaj"}),
        json!({"email": "a".repeat(300)}),
        json!({"email_verified": false}),
        json!({"email_verified": "-"}),
        json!({"groups": ["system:masters"]}),
        json!({"groups": ["dev", {"name": "ops"}]}),
        json!({"groups": {"dev": true}}),
        json!({"groups": (0..600).map(|n| format!("g{n}")).collect::<Vec<_>>()}),
    ] {
        add(&change.to_string(), key.sign(&changed(&change)));
    }
    // Heads that were signed as well.
    let claims = issuer.claims();
    for head in [
        json!({"alg": "none", "kid": "first"}),
        json!({"alg": "NONE", "kid": "first"}),
        json!({"alg": "HS256", "kid": "first"}),
        json!({"alg": "ES384", "kid": "first"}),
        json!({"alg": "RS256", "kid": "first"}),
        json!({"alg": "PS256", "kid": "first"}),
        json!({"alg": "es256", "kid": "first"}),
        json!({"alg": 1, "kid": "first"}),
        json!({"kid": "first"}),
        json!({"alg": "ES256", "kid": "unknown"}),
        json!({"alg": "ES256", "kid": "../first"}),
        json!({"alg": "ES256", "kid": ["first"]}),
        json!({"alg": "ES256", "kid": "first", "crit": ["exp"], "exp": 1}),
        json!({"alg": "ES256", "kid": "first", "b64": false}),
        json!({"alg": "ES256", "kid": "first", "zip": "DEF"}),
        json!({"alg": "ES256", "kid": "first", "typ": "at+jwt"}),
        json!({"alg": "ES256", "kid": "first", "typ": "logout+jwt"}),
    ] {
        add(&head.to_string(), key.sign_with_head(&head, &claims));
    }
    // Signed by somebody else, under its name, or with a key that it brings along (CVE-2018-0114).
    let other = SignedWith::es256("first");
    add("another key of the same name", other.sign(&claims));
    let head = json!({"alg": "ES256", "kid": "mine", "jwk": other.public()});
    add("a key that it brings along", other.sign_with_head(&head, &claims));
    let head = json!({"alg": "ES256", "kid": "first", "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/"});
    add("keys that it points to", other.sign_with_head(&head, &claims));
    // The public key as a shared secret (CVE-2015-9235).
    for secret in [key.public().to_string(), key.public()["x"].as_str().unwrap().to_owned()] {
        let signed = unsigned(r#"{"alg":"HS256","kid":"first"}"#, &claims.to_string());
        let signed = signed.trim_end_matches('.');
        let hmac = EncodingKey::from_secret(secret.as_bytes());
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &hmac, Algorithm::HS256).unwrap();
        add("a public key as a secret", format!("{signed}.{signature}"));
    }
    // Signatures that are none.
    let (signed, signature) = good.rsplit_once('.').unwrap();
    add("no signature", format!("{signed}."));
    add("no signature and none said", unsigned(r#"{"alg":"none"}"#, &claims.to_string()));
    add("a signature of nothing (CVE-2022-21449)", format!("{signed}.{}", URL_SAFE_NO_PAD.encode([0; 64])));
    add("half a signature", format!("{signed}.{}", &signature[..40]));
    add("a longer signature", format!("{signed}.{signature}AA"));
    add("padding", format!("{good}=="));
    let swapped = URL_SAFE_NO_PAD.encode(changed(&json!({"email": "root@example.com"})).to_string());
    let head = good.split('.').next().unwrap();
    add("another's claims under a good signature", format!("{head}.{swapped}.{signature}"));
    add("a part too many", format!("{good}.x"));
    add("five parts", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c".into());
    add("a name twice", {
        let twice = claims.to_string().replacen('{', r#"{"email":"root@example.com","#, 1);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(twice));
        format!("{signed}.{signature}")
    });
    add("an empty head", good.replacen(head, "", 1));
    add("something else", "opaque".into());
    add("one of ours that is none", "tls_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    bad
}

#[tokio::test]
async fn of_all_bad_tokens_none_is_accepted() {
    let (rig, issuer) = raised().await;
    assert_eq!(bearing(&rig, &issuer.token()).get(PATH).await.status, StatusCode::OK);
    let before = rig.upstream("alpha").count();
    let bad = bad_tokens(&issuer);
    assert!(bad.len() >= 60, "{}", bad.len());
    for (what, token) in &bad {
        for path in [PATH, "/trunkline/v1/auth/session"] {
            let reply = bearing(&rig, token).get(path).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what} at {path}: {}", reply.text());
            let echoed = token.len() > 20 && reply.text().contains(&token[..20]);
            assert!(!echoed, "{what}: {}", reply.text());
        }
    }
    assert_eq!(rig.upstream("alpha").count(), before, "none reached the API server");
    assert!(issuer.asked("/keys") <= 3, "{}", issuer.asked("/keys"));
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_unread() {
    let (rig, issuer) = raised().await;
    let mut claims = issuer.claims();
    claims["filler"] = "x".repeat(12_500).into();
    let long = issuer.sign(&claims);
    assert!(long.len() > 16 * 1024);
    let reply = bearing(&rig, &long).get(PATH).await;
    // The head's own rule is as strict as the token's.
    assert!(matches!(reply.status.as_u16(), 400 | 401), "{}", reply.text());
}

#[tokio::test]
async fn of_several_issuers_each_says_who_its_own_people_are() {
    let tasks = Tasks::new();
    let (one, two) = (FakeIssuer::start(&tasks).await, FakeIssuer::start(&tasks).await);
    let mut second = two.config();
    (second.name, second.username_claim) = ("second".into(), "sub".into());
    let rig = Rig::builder().authn(with(vec![one.config(), second])).start().await;
    for (issuer, user) in [(&one, "jane@example.com"), (&two, "second:7")] {
        let who = bearing(&rig, &issuer.token()).get("/trunkline/v1/auth/session").await.json();
        assert_eq!(who["user"], user);
    }
    // One issuer's key under the other's name.
    let stolen = two.key().sign(&one.claims());
    assert_eq!(bearing(&rig, &stolen).get(PATH).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whoever_signs_out_is_out_and_nobody_else() {
    let (rig, issuer) = raised().await;
    let mut claims = issuer.claims();
    claims["jti"] = "one".into();
    let token = issuer.sign(&claims);
    claims["jti"] = "two".into();
    let other = issuer.sign(&claims);
    let logout = "/trunkline/v1/auth/logout";
    assert_eq!(bearing(&rig, &token).get(PATH).await.status, StatusCode::OK);
    assert_eq!(bearing(&rig, &token).post(logout, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bearing(&rig, &token).get(PATH).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bearing(&rig, &other).get(PATH).await.status, StatusCode::OK, "another sign-in");
    assert_eq!(rig.client().post(logout, &json!({})).await.status, StatusCode::CONFLICT, "by certificate");
    assert_eq!(rig.client_showing(None).post(logout, &json!({})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_upgrade_ends_with_the_token_it_began_with() {
    let (rig, issuer) = raised().await;
    issuer.tokens_last(3);
    let mut raw = rig.client_showing(None).raw().await;
    raw.say_head(&[
        "GET /clusters/alpha/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
        &format!("authorization: Bearer {}", issuer.token()),
    ])
    .await;
    let head = within("an answer", Duration::from_secs(10), raw.hear_head()).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    within("the end", Duration::from_secs(20), raw.hear_to_end()).await;
}

#[tokio::test]
async fn a_certificate_still_lets_in_whoever_shows_nothing_else() {
    let (rig, _) = raised().await;
    let request = Request::get("/trunkline/v1/auth/session").body(empty()).unwrap();
    let who = rig.client().send(request).await.json();
    assert_eq!((who["user"].as_str(), who["how"].as_str()), (Some("jane"), Some("certificate")));
    assert!(who["session"].as_str().unwrap().starts_with("cert-"), "{who}");
    let nobody = rig.client_showing(None).get(PATH).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert!(nobody.text().contains("trunkline login"), "{}", nobody.text());
}
