//! Local users: the first-run code, passwords, tokens for the command line.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trunkline_gateway::{Gateway, GatewayConfig};
use trunkline_tests::{Client, Logs, Reply, Rig};

use super::PATH;

const AUTH: &str = "/trunkline/v1/auth";
const PASSWORD: &str = "correct horse battery";

/// A gateway with a data folder and papers of its own, and the code it told.
struct Fresh {
    rig: Rig,
    running: trunkline_gateway::Running,
    config: GatewayConfig,
    code: String,
}

impl Fresh {
    async fn start() -> Self {
        let rig = Rig::builder().without_agents().start().await;
        let mut config = rig.gateway_config();
        config.data = Some(rig.paper.path("fresh"));
        config.front.client_roots = None;
        let gateway = Gateway::bind(config.clone()).await.unwrap();
        let code = gateway.first_run().expect("a first start tells a code").reveal().to_owned();
        let running = gateway.serve().unwrap();
        Self { rig, running, config, code }
    }

    fn client(&self) -> Client {
        self.rig.client_showing(None).at(self.running.front())
    }

    async fn set_up(&self, code: &str, user: &str) -> Reply {
        let body = json!({"code": code, "user": user, "password": PASSWORD, "token": true});
        self.client().post(&format!("{AUTH}/setup"), &body).await
    }
}

fn token(reply: &Reply) -> String {
    reply.json()["token"].as_str().unwrap_or_else(|| panic!("no token: {}", reply.text())).to_owned()
}

#[tokio::test]
async fn the_code_makes_an_admin_once_who_makes_and_removes_users() {
    let fresh = Fresh::start().await;
    let methods = fresh.client().get(&format!("{AUTH}/methods")).await.json();
    assert_eq!((&methods["local"], &methods["setup"]), (&json!(true), &json!(true)));
    assert_eq!(fresh.set_up("guess", "root").await.status, StatusCode::UNAUTHORIZED);
    let made = fresh.set_up(&fresh.code, "root").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    assert_eq!(made.json()["groups"], json!(["trunkline:admins"]));
    assert_eq!(fresh.set_up(&fresh.code, "second").await.status, StatusCode::UNAUTHORIZED);
    let root = fresh.client().bearing(&token(&made));
    let who = root.get(&format!("{AUTH}/session")).await.json();
    assert_eq!((who["user"].as_str(), who["how"].as_str()), (Some("root"), Some("local")));
    assert!(who["session"].as_str().unwrap().starts_with("local-"), "{who}");

    let users = format!("{AUTH}/users");
    let new = json!({"name": "jane", "groups": ["trunkline:viewers", "dev"], "password": PASSWORD});
    assert_eq!(root.post(&users, &new).await.status, StatusCode::CREATED);
    assert_eq!(root.post(&users, &new).await.status, StatusCode::CONFLICT);
    let sign_in = json!({"user": "jane", "password": PASSWORD, "token": true});
    let jane = fresh.client().post(&format!("{AUTH}/local"), &sign_in).await;
    let jane = fresh.client().bearing(&token(&jane));
    assert_eq!(jane.get("/trunkline/v1/clusters").await.status, StatusCode::OK, "a viewer");
    assert_eq!(jane.get(&users).await.status, StatusCode::FORBIDDEN);
    assert_eq!(jane.post(&users, &new).await.status, StatusCode::FORBIDDEN);
    let listed = root.get(&users).await;
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 2);
    assert!(!listed.text().contains("argon2"), "{}", listed.text());
    let remove = |name: &str| {
        let (root, path) = (root.clone(), format!("{users}/{name}"));
        async move { root.send_json(Method::DELETE, &path, &Value::Null).await }
    };
    assert_eq!(remove("root").await.status, StatusCode::CONFLICT, "the last admin stays");
    assert_eq!(remove("jane").await.status, StatusCode::NO_CONTENT);
    assert_eq!(jane.get("/trunkline/v1/clusters").await.status, StatusCode::UNAUTHORIZED, "at once");
    assert_eq!(
        root.send_json(Method::POST, &format!("{AUTH}/logout"), &json!({})).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(root.get(&users).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_start_tells_no_code_and_knows_the_users() {
    let fresh = Fresh::start().await;
    let Fresh { rig, running, config, code } = fresh;
    running.cut().await;
    let gateway = Gateway::bind(config.clone()).await.unwrap();
    assert!(gateway.first_run().is_none(), "it is told once");
    let running = gateway.serve().unwrap();
    let fresh = Fresh { rig, running, config, code };
    let made = fresh.set_up(&fresh.code, "root").await;
    assert_eq!(made.status, StatusCode::CREATED, "and is still good");
    let held = token(&made);
    fresh.running.cut().await;
    let running = Gateway::bind(fresh.config.clone()).await.unwrap().serve().unwrap();
    let client = fresh.rig.client_showing(None).at(running.front());
    let again = client.clone().bearing(&held).get(&format!("{AUTH}/session")).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "sessions are in memory");
    let sign_in = json!({"user": "root", "password": PASSWORD});
    let reply = client.post(&format!("{AUTH}/local"), &sign_in).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.json().get("token").is_none() && reply.json()["csrf"].is_string(), "{}", reply.text());
    assert!(
        reply.field("set-cookie").starts_with("__Host-trunkline-session="),
        "{}",
        reply.field("set-cookie")
    );
}

#[tokio::test]
async fn of_a_hundred_who_send_the_code_at_once_one_becomes_the_admin() {
    let fresh = Fresh::start().await;
    let tries = (0..100).map(|number| {
        let fresh = &fresh;
        async move { fresh.set_up(&fresh.code, &format!("root{number}")).await.status }
    });
    let answers = futures_util::future::join_all(tries).await;
    let made = answers.iter().filter(|status| **status == StatusCode::CREATED).count();
    assert_eq!(made, 1, "{answers:?}");
}

#[tokio::test]
async fn guessing_passwords_is_slow_and_tells_nothing() {
    let fresh = Fresh::start().await;
    fresh.set_up(&fresh.code, "root").await;
    let guess = |user: &str, password: &str| {
        let body = json!({"user": user, "password": password});
        let client = fresh.client();
        async move { client.post(&format!("{AUTH}/local"), &body).await }
    };
    let (wrong, nobody) = (guess("root", "wrong").await, guess("nobody", "wrong").await);
    assert_eq!((wrong.status, nobody.status), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
    assert_eq!(wrong.json()["detail"], nobody.json()["detail"]);
    let answers =
        futures_util::future::join_all((0..30).map(|n| guess("root", if n < 29 { "wrong" } else { "x" })))
            .await;
    let told: Vec<u16> = answers.iter().map(|reply| reply.status.as_u16()).collect();
    assert!(told.iter().filter(|status| **status == 503).count() >= 18, "{told:?}");
    assert_eq!(guess("nobody", "wrong").await.status, StatusCode::UNAUTHORIZED, "others are not held up");
}

#[tokio::test]
async fn local_names_are_nobody_elses() {
    let fresh = Fresh::start().await;
    let root = fresh.client().bearing(&token(&fresh.set_up(&fresh.code, "root").await));
    for (name, groups) in [
        ("system:admin", json!([])),
        ("trunkline:sa:a:b", json!([])),
        ("a\nb", json!([])),
        ("", json!([])),
        ("joe", json!(["system:masters"])),
        ("joe", json!(["System:nodes"])),
        ("joe", json!(["trunkline:serviceaccounts"])),
    ] {
        let new = json!({"name": name, "groups": groups, "password": PASSWORD});
        let reply = root.post(&format!("{AUTH}/users"), &new).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{new}: {}", reply.text());
    }
}

#[tokio::test]
async fn no_secret_of_a_sign_in_is_in_the_logs() {
    let logs = Logs::capture();
    let fresh = Fresh::start().await;
    let held = token(&fresh.set_up(&fresh.code, "canary").await);
    let root = fresh.client().bearing(&held);
    assert_eq!(root.get(&format!("{AUTH}/session")).await.status, StatusCode::OK);
    fresh
        .client()
        .post(&format!("{AUTH}/local"), &json!({"user": "canary", "password": "wr0ng-canary"}))
        .await;
    root.get(PATH).await;
    let lines = logs.find(|_| true);
    assert!(lines.iter().any(|line| line.field("user") == "canary" && line.field("how") == "local"));
    for secret in [fresh.code.as_str(), held.as_str(), PASSWORD, "wr0ng-canary"] {
        let found = lines.iter().find(|line| line.text().contains(secret));
        assert!(found.is_none(), "{found:?}");
    }
}
