//! Service accounts of the management cluster: its API server judges their tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use trunkline_gateway::{AuthnConfig, ServiceAccountsConfig};
use trunkline_runtime::{Body, full};
use trunkline_tests::{Rig, SignedWith, eventually, within};

use super::{PATH, bearing};

/// How a fake API server judges.
#[derive(Clone, Default)]
struct Judge {
    asked: Arc<AtomicUsize>,
}

impl Judge {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn judge(self, request: http::Request<hyper::body::Incoming>) -> Response<Body> {
        if !request.uri().path().ends_with("/tokenreviews") {
            return Response::new(full(r#"{"gitVersion":"v1.35.4"}"#));
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let asked: Value =
            serde_json::from_slice(&request.into_body().collect().await.unwrap().to_bytes()).unwrap();
        let token = asked["spec"]["token"].as_str().unwrap().to_owned();
        let claims = token.split('.').nth(1).unwrap().to_owned();
        use base64::Engine as _;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        match claims["manner"].as_str().unwrap_or_default() {
            "slow" => std::future::pending().await,
            "broken" => {
                let mut response = Response::new(full("{}"));
                *response.status_mut() = StatusCode::FORBIDDEN;
                return response;
            }
            _ => {}
        }
        let user = claims["sub"].as_str().unwrap();
        let status = if claims["manner"] == "unknown" {
            json!({"authenticated": false, "error": "not known"})
        } else {
            json!({
                "authenticated": true, "audiences": [claims["aud"]],
                "user": {"username": user, "groups": ["system:serviceaccounts", "system:masters"]},
            })
        };
        let mut response = Response::new(full(json!({"kind": "TokenReview", "status": status}).to_string()));
        *response.status_mut() = StatusCode::CREATED;
        response
    }
}

async fn raised(audiences: &[&str]) -> (Rig, Judge) {
    let judge = Judge::default();
    let answering = judge.clone();
    let audiences = audiences.iter().map(|&audience| audience.to_owned()).collect();
    let rig = Rig::builder()
        .authn(AuthnConfig {
            service_accounts: ServiceAccountsConfig { enabled: None, audiences },
            ..AuthnConfig::default()
        })
        .management_answering(move |request| answering.clone().judge(request))
        .start()
        .await;
    (rig, judge)
}

fn token(change: Value) -> String {
    let mut claims = json!({
        "iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:ci:deployer", "aud": "trunkline",
        "exp": 4_000_000_000_u64,
    });
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    SignedWith::es256("kubernetes").sign(&claims)
}

#[tokio::test]
async fn a_service_account_comes_under_a_name_of_ours_and_is_asked_about_once() {
    let (rig, judge) = raised(&[]).await;
    let token = token(json!({}));
    let tries = (0..20).map(|_| {
        let client = bearing(&rig, &token);
        async move { client.get(PATH).await.status }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert!(answers.iter().all(|status| *status == StatusCode::OK), "{answers:?}");
    assert_eq!(judge.asked(), 1, "twenty at once are one question");
    let seen = rig.upstream("alpha").seen_with("/api/v1/pods").pop().unwrap();
    assert_eq!(seen.all("impersonate-user"), ["trunkline:sa:ci:deployer"]);
    assert_eq!(seen.all("impersonate-group"), ["trunkline:serviceaccounts", "trunkline:serviceaccounts:ci"]);
    let who = bearing(&rig, &token).get("/trunkline/v1/auth/session").await.json();
    assert_eq!(who["how"], "serviceaccount");
    assert!(who["session"].as_str().unwrap().starts_with("sa-"), "{who}");
    // The gateway asks by its own credential, on behalf of nobody.
    let review = rig.management().seen_with("/tokenreviews").pop();
    assert!(review.is_none_or(|review| review.all("impersonate-user").is_empty()));
}

#[tokio::test]
async fn whoever_is_no_service_account_is_nobody() {
    let (rig, judge) = raised(&[]).await;
    for change in [
        json!({"manner": "unknown"}),
        json!({"sub": "system:node:n1"}),
        json!({"sub": "system:admin"}),
        json!({"sub": "jane"}),
        json!({"sub": "system:serviceaccount:ci"}),
        json!({"sub": "system:serviceaccount::x"}),
        json!({"sub": "system:serviceaccount:ci:a:b"}),
        json!({"sub": "system:serviceaccount:ci:A b"}),
        json!({"exp": 1}),
    ] {
        let reply = bearing(&rig, &token(change.clone())).get(PATH).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{change}: {}", reply.text());
    }
    let asked = judge.asked();
    let unknown = token(json!({"manner": "unknown"}));
    for _ in 0..5 {
        bearing(&rig, &unknown).get(PATH).await;
    }
    assert_eq!(judge.asked(), asked + 1, "a no is remembered as well");
    assert_eq!(rig.upstream("alpha").seen_with("/api/v1/pods").len(), 0);
}

#[tokio::test]
async fn a_token_must_be_for_the_gateway_where_an_audience_is_set() {
    let (rig, _) = raised(&["trunkline"]).await;
    assert_eq!(bearing(&rig, &token(json!({}))).get(PATH).await.status, StatusCode::OK);
    let other = token(json!({"aud": "vault"}));
    assert_eq!(bearing(&rig, &other).get(PATH).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_api_server_that_does_not_judge_is_no_no() {
    let (rig, judge) = raised(&[]).await;
    let reply = bearing(&rig, &token(json!({"manner": "broken"}))).get(PATH).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (503, "SignInUnavailable"),
        "{}",
        reply.text()
    );
    assert!(reply.text().contains("tokenreviews"), "{}", reply.text());
    let slow = token(json!({"manner": "slow"}));
    let answer = within("an answer", Duration::from_secs(20), bearing(&rig, &slow).get(PATH)).await;
    assert_eq!(answer.status.as_u16(), 503);
    // Many that are slow do not pile up: the rest is told at once.
    let before = judge.asked();
    let flood: Vec<String> = (0..150).map(|n| token(json!({"manner": "slow", "jti": n}))).collect();
    let tries = flood.iter().map(|token| {
        let client = bearing(&rig, token);
        async move { client.get(PATH).await.status.as_u16() }
    });
    let answers = within("all answers", Duration::from_secs(60), futures_util::future::join_all(tries)).await;
    assert!(answers.iter().all(|status| *status == 503), "{answers:?}");
    assert!(judge.asked() - before <= 150);
    let metrics = rig.metrics(0).await;
    assert!(metrics.contains(r#"trunkline_gateway_token_reviews_total{reason="Slow"}"#), "{metrics}");
    eventually("nothing under way", Duration::from_secs(10), || rig.gateway().requests() == 0).await;
}

#[tokio::test]
async fn without_a_management_cluster_nobody_is_asked() {
    let rig = Rig::start().await;
    let reply = bearing(&rig, &token(json!({}))).get(PATH).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(reply.text().contains("does not know"), "{}", reply.text());
}
