//! `trunkline login` as a local user, and the first one of all.

use http::Method;
use serde_json::json;

use crate::desk::Desk;

const PASSWORD: &str = "correct horse battery";

async fn raised(local: bool, setup: bool) -> Desk {
    let desk = Desk::new().await;
    desk.gateway.order(
        "/auth/methods",
        200,
        json!({
            "issuers": [], "local": local, "setup": setup, "serviceAccounts": false,
        }),
    );
    let session = json!({
        "user": "root", "groups": ["trunkline:admins"], "how": "local", "session": "local-1",
        "expires": "2099-01-01T00:00:00Z",
    });
    let mut given = session.clone();
    given["token"] = "tls_token".into();
    desk.gateway.order("/auth/session", 200, session);
    desk.gateway.order("/auth/local", 200, given.clone());
    desk.gateway.order("/auth/setup", 201, given);
    desk
}

async fn login(desk: &Desk, more: &[&str]) -> crate::desk::Outcome {
    let (url, ca) = (desk.gateway.url(), desk.ca());
    desk.run(&[&["login", &url, "--ca", &ca], more].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_makes_the_first_admin() {
    let desk = raised(true, true).await;
    login(&desk, &[]).await.ended(3, &["nobody can sign in there yet", "--setup"]);
    desk.write("code", "the-code\n");
    desk.write("password", format!("{PASSWORD}\n"));
    let flags = ["--setup", "--user", "root", "--code-file", "code", "--password-file", "password"];
    let outcome = login(&desk, &flags).await.well();
    assert!(outcome.stderr.contains("as root (trunkline:admins)"), "{}", outcome.stderr);
    let asked = desk.gateway.asked(&Method::POST, "/auth/setup");
    assert_eq!(asked, [json!({"code": "the-code", "user": "root", "password": PASSWORD, "token": true})]);
    assert_eq!(desk.gateway.shown().as_deref(), Some("tls_token"));
    let profile = desk.read(".config/trunkline/config.yaml");
    for secret in ["the-code", PASSWORD, "tls_token"] {
        assert!(!outcome.stderr.contains(secret) && !profile.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_user_signs_in_with_a_password_that_is_in_no_argument() {
    let desk = raised(true, false).await;
    login(&desk, &[]).await.ended(2, &["local users", "--user NAME"]);
    login(&desk, &["--user", "root", "--password", PASSWORD]).await.ended(2, &["--password"]);
    login(&desk, &["--user", "root"]).await.ended(2, &["no terminal", "--password-file FILE"]);
    login(&desk, &["--user", "root", "--password-file", "absent"]).await.ended(2, &["absent"]);
    login(&desk, &["--setup"]).await.ended(1, &["waits for no first-run code"]);
    desk.write("password", PASSWORD);
    login(&desk, &["--user", "root", "--password-file", "password"]).await.well();
    desk.run(&["clusters"]).await.well();
    assert_eq!(desk.gateway.shown().as_deref(), Some("tls_token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_local_users_there_is_none() {
    let desk = raised(false, false).await;
    login(&desk, &["--user", "root"]).await.ended(2, &["no local users"]);
    login(&desk, &[]).await.ended(2, &["--certificate FILE is missing"]);
}
