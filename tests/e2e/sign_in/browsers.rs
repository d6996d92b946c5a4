//! Signing in by browser, and what pages of others can make of it: nothing (T17, T18).

use http::{Method, StatusCode, header};
use serde_json::json;
use trunkline_runtime::Tasks;
use trunkline_tests::{Browser, FakeIssuer, Rig};

use super::{PATH, raised, with};

use trunkline_tests::SESSION_COOKIE as SESSION;
const LOGIN: &str = "__Host-trunkline-login";
const AUTH: &str = "/trunkline/v1/auth";

#[tokio::test]
async fn a_browser_signs_in_and_out() {
    let (rig, issuer) = raised().await;
    // What the gateway does not know when it starts: without the secret it is refused.
    issuer.ask_for_secret("s3cret");
    assert_eq!(Browser::new(&rig).sign_in().await.status.as_u16(), 503);
    rig.cut().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = issuer.config();
    config.client_secret_file = Some(folder.path().join("secret"));
    std::fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
    let rig = Rig::builder().authn(with(vec![config])).start().await;
    let mut browser = Browser::new(&rig);
    let reply = browser.sign_in().await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    assert_eq!((reply.field("location"), reply.field("referrer-policy")), ("/ui/clusters", "no-referrer"));
    let set: Vec<&str> =
        reply.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
    assert!(
        set.iter().any(|cookie| cookie.starts_with(SESSION) && cookie.contains("SameSite=Strict")),
        "{set:?}"
    );
    assert!(!browser.cookies.contains_key(LOGIN), "what is over is taken back");
    let who = browser.get(&format!("{AUTH}/session")).await.json();
    assert_eq!((who["user"].as_str(), who["how"].as_str()), (Some("jane@example.com"), Some("web")));
    assert!(who["session"].as_str().unwrap().starts_with("web-"), "{who}");
    assert!(!who.to_string().contains(&browser.cookies[SESSION]), "{who}");
    let csrf = browser.csrf().await;
    let fields = [("x-trunkline-csrf", csrf.as_str()), ("origin", "https://localhost")];
    let before = browser.cookies.clone();
    assert_eq!(
        browser.send(Method::POST, &format!("{AUTH}/logout"), &fields, None).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(browser.cookies.is_empty());
    browser.cookies = before;
    let reply = browser.get(&format!("{AUTH}/session")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "the cookie is worth nothing any more");
    assert_eq!(browser.sign_in().await.status, StatusCode::SEE_OTHER, "and stands in nobody's way");
}

#[tokio::test]
async fn t18_the_cookie_is_for_the_gateways_own_paths_only() {
    let (rig, _) = raised().await;
    let mut browser = Browser::new(&rig);
    browser.sign_in().await;
    assert_eq!(browser.get(&format!("{AUTH}/session")).await.status, StatusCode::OK);
    for path in [PATH, "/clusters/alpha/trunkline/v1/auth/session", "/clusters/alpha/ui/"] {
        assert_eq!(browser.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let by_header =
        browser.send(Method::GET, &format!("{AUTH}/session"), &[("x-cluster-id", "alpha")], None).await;
    assert_eq!(by_header.status, StatusCode::UNAUTHORIZED);
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn t18_nothing_is_changed_without_what_only_our_pages_can_read() {
    let (rig, issuer) = raised().await;
    issuer.person(json!({"sub": "1", "email": "root@example.com", "email_verified": true}));
    let mut config = issuer.config();
    config.roles.admins.users = ["root@example.com".to_owned()].into();
    let admins = Rig::builder().authn(with(vec![config])).start().await;
    drop(rig);
    let mut browser = Browser::new(&admins);
    browser.sign_in().await;
    let csrf = browser.csrf().await;
    let new = || Some(json!({"name": "beta"}));
    let own = ("origin", "https://localhost");
    let token = ("x-trunkline-csrf", csrf.as_str());
    for fields in Browser::forgeries(&csrf) {
        for (method, path) in
            [(Method::POST, "clusters"), (Method::DELETE, "clusters/beta"), (Method::POST, "auth/logout")]
        {
            let reply = browser.send(method, &format!("/trunkline/v1/{path}"), &fields, new()).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path} {fields:?} {}", reply.text());
        }
    }
    let reply = browser.send(Method::POST, "/trunkline/v1/clusters", &[own, token], new()).await;
    // This gateway has no data folder, and so issues no certificates: everything before that went well.
    assert_eq!(reply.json()["reason"], "NotIssuing", "{}", reply.text());
    let fetched = [("sec-fetch-site", "same-origin"), token];
    let reply = browser.send(Method::POST, "/trunkline/v1/clusters", &fetched, new()).await;
    assert_eq!(reply.json()["reason"], "NotIssuing", "{}", reply.text());
}

#[tokio::test]
async fn t17_a_page_of_another_origin_opens_no_websocket_with_the_session() {
    let (rig, _) = raised().await;
    let mut browser = Browser::new(&rig);
    browser.sign_in().await;
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    for origin in [
        None,
        Some("null"),
        Some("https://evil.test"),
        Some("https://localhost:1"),
        Some("https://a.localhost"),
    ] {
        let mut fields = upgrade.to_vec();
        fields.extend(origin.map(|origin| ("origin", origin)));
        let reply = browser.send(Method::GET, "/trunkline/v1/clusters?watch=true", &fields, None).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{origin:?}");
    }
}

#[tokio::test]
async fn t18_a_sign_in_is_finished_only_by_the_browser_that_began_it() {
    let (rig, _) = raised().await;
    // An attacker's own sign-in, brought to its end in somebody else's browser.
    let mut attacker = Browser::new(&rig);
    let back = attacker.at_issuer(&format!("{AUTH}/login")).await;
    let mut victim = Browser::new(&rig);
    assert_eq!(victim.get(&back).await.status, StatusCode::UNAUTHORIZED, "with no sign-in of its own");
    let own = victim.at_issuer(&format!("{AUTH}/login")).await;
    assert_eq!(victim.get(&back).await.status, StatusCode::UNAUTHORIZED, "with another's");
    assert!(!victim.cookies.contains_key(SESSION));
    // A state with another's code: the code's verifier is not this browser's.
    let part = |url: &str, name: &str| {
        let query = url.split_once('?').unwrap().1.to_owned();
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")).map(str::to_owned)).unwrap()
    };
    let stolen = own.replace(&part(&own, "code"), &part(&back, "code"));
    assert_ne!(victim.get(&stolen).await.status, StatusCode::SEE_OTHER);
    for bad in [
        own.replace(&part(&own, "state"), "guess"),
        own.replace("state=", "other="),
        format!("{own}&state=x"),
        format!("{own}&code=x"),
        own.replace("code=", "nocode="),
        own.replace(&part(&own, "iss"), "https%3A%2F%2Fevil.test"),
        own.replace("iss=", "noiss="),
        format!("{AUTH}/callback"),
        format!("{AUTH}/callback?error=access_denied&state={}", part(&own, "state")),
    ] {
        let reply = victim.get(&bad).await;
        assert!(reply.status.is_client_error(), "{bad}: {} {}", reply.status, reply.text());
        assert!(!victim.cookies.contains_key(SESSION), "{bad}");
    }
    assert_eq!(victim.get(&own).await.status, StatusCode::SEE_OTHER, "its own, at last");
    // Once more with the same code and what the browser had then: codes are good once.
    assert!(victim.get(&own).await.status.is_client_error());
}

#[tokio::test]
async fn t18_a_sign_in_leads_to_no_page_of_others() {
    let (rig, _) = raised().await;
    let mut browser = Browser::new(&rig);
    for page in [
        "https://evil.test/",
        "//evil.test",
        "/ui//evil.test",
        "/ui/..%2f..",
        "/clusters/alpha",
        "javascript:x",
    ] {
        let reply = browser.get(&format!("{AUTH}/login?return={page}")).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{page}");
        assert!(browser.cookies.is_empty());
    }
    assert_eq!(browser.get(&format!("{AUTH}/login?issuer=nobody")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        browser.get(&format!("{AUTH}/login?redirect_uri=https://evil.test")).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_token_without_the_nonce_of_the_sign_in_is_no_sign_in() {
    let (rig, issuer) = raised().await;
    let mut browser = Browser::new(&rig);
    let back = browser.at_issuer(&format!("{AUTH}/login")).await;
    issuer.swap_nonce("another");
    let reply = browser.get(&back).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{}", reply.text());
    assert!(reply.text().contains("nonce"), "{}", reply.text());
}

#[tokio::test]
async fn a_browser_signs_in_over_one_connection_and_a_flood_of_strangers_does_not() {
    let (rig, _) = raised().await;
    let mut connection = rig.client_showing(None).http1().await;
    for _ in 0..10 {
        let reply = connection.get(&format!("{AUTH}/methods")).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK);
    }
    let mut answered = 10;
    while connection.get(&format!("{AUTH}/methods")).await.is_ok() {
        answered += 1;
        assert!(answered <= 32, "a stranger's connection is not closed");
    }
    assert_eq!(answered, 32);
    // Of a stranger nothing long is read.
    let long = json!({"user": "x".repeat(10_000), "password": "y"});
    let reply = rig.client_showing(None).post(&format!("{AUTH}/local"), &long).await;
    assert_eq!(reply.status.as_u16(), 413);
}

#[tokio::test]
async fn anybody_may_ask_which_ways_there_are() {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let mut config = issuer.config();
    config.cli_client_id = Some("cli".into());
    let rig = Rig::builder().authn(with(vec![config])).start().await;
    let methods = rig.client_showing(None).get(&format!("{AUTH}/methods")).await.json();
    assert_eq!(methods["issuers"][0]["name"], "corp");
    assert_eq!(methods["issuers"][0]["clientId"], "cli");
    assert_eq!((&methods["local"], &methods["setup"]), (&json!(false), &json!(false)));
    // Showing what is no longer good does not keep anybody from signing in.
    let stale = rig.client_showing(None).with("cookie", "__Host-trunkline-session=stale");
    assert_eq!(stale.get(&format!("{AUTH}/methods")).await.status, StatusCode::OK);
    assert_eq!(stale.get("/trunkline/v1/clusters").await.status, StatusCode::UNAUTHORIZED);
}
