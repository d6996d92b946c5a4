//! Issuers that rotate their keys, are away, or misbehave.

use std::time::{Duration, Instant};

use http::StatusCode;
use serde_json::json;
use trunkline_runtime::Tasks;
use trunkline_tests::{FakeIssuer, Manner, Rig, SignedWith, eventually};

use super::{PATH, bearing, raised, with};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_new_key_is_taken_at_once_and_an_old_one_is_not_good_any_more() {
    let (rig, issuer) = raised().await;
    let old = issuer.token();
    assert_eq!(bearing(&rig, &old).get(PATH).await.status, StatusCode::OK);
    issuer.rotate(vec![SignedWith::es256("second")]);
    let new = issuer.token();
    // Within 10 s of the last question none is asked because of a token.
    let deadline = Instant::now() + SOON;
    loop {
        let status = bearing(&rig, &new).get(PATH).await.status;
        if status == StatusCode::OK {
            break;
        }
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(Instant::now() < deadline, "the new key was not taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let reply = bearing(&rig, &old).get(PATH).await;
    assert_eq!(
        reply.status,
        StatusCode::UNAUTHORIZED,
        "a key that is gone makes nobody known, remembered or not"
    );
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_issuer_once_in_ten_seconds() {
    let (rig, issuer) = raised().await;
    assert_eq!(bearing(&rig, &issuer.token()).get(PATH).await.status, StatusCode::OK);
    let before = issuer.asked("/keys");
    let began = Instant::now();
    let rig = &rig;
    let tries = (0..40).map(|number| {
        let claims = issuer.claims();
        async move {
            let token = SignedWith::es256(&format!("key-{number}")).sign(&claims);
            bearing(rig, &token).get(PATH).await.status
        }
    });
    let answers = futures_util::future::join_all(tries).await;
    assert!(answers.iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{answers:?}");
    let most = 1 + began.elapsed().as_secs() as usize / 10;
    assert!(issuer.asked("/keys") - before <= most, "{} > {most}", issuer.asked("/keys") - before);
}

#[tokio::test]
async fn while_an_issuer_is_away_its_known_keys_stay_good() {
    let (rig, issuer) = raised().await;
    assert_eq!(bearing(&rig, &issuer.token()).get(PATH).await.status, StatusCode::OK);
    issuer.behave(Manner::Away);
    issuer.person(json!({"sub": "8", "email": "joe@example.com", "email_verified": true}));
    assert_eq!(bearing(&rig, &issuer.token()).get(PATH).await.status, StatusCode::OK, "a token that is new");
}

#[tokio::test]
async fn an_issuer_that_is_away_from_the_start_stops_no_gateway_and_is_no_no() {
    for manner in [Manner::Away, Manner::Redirecting, Manner::Giant, Manner::Silent, Manner::Other] {
        let issuer = FakeIssuer::start(&Tasks::new()).await;
        issuer.behave(manner);
        let rig = Rig::builder().authn(with(vec![issuer.config()])).start().await;
        assert_eq!(rig.client().get(PATH).await.status, StatusCode::OK, "a certificate needs no issuer");
        let reply = bearing(&rig, &issuer.token()).get(PATH).await;
        let told = (reply.status.as_u16(), reply.reason());
        assert_eq!(told, (503, "SignInUnavailable".to_owned()), "{manner:?}: {}", reply.text());
        // client-go would ask again by itself ten times.
        assert_eq!(
            (reply.field("retry-after"), &reply.json()["details"]["retryAfterSeconds"]),
            ("", &json!(5))
        );
        let metrics = rig.metrics(0).await;
        let failed = r#"trunkline_gateway_issuer_fetches_total{issuer="corp",result="failed"}"#;
        assert!(metrics.contains(failed), "{metrics}");
        assert_eq!(issuer.asked("/keys"), 0, "{manner:?}: nothing of it is believed");
        rig.cut().await;
    }
}

#[tokio::test]
async fn an_issuer_that_comes_back_is_noticed() {
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    issuer.behave(Manner::Away);
    let rig = Rig::builder().authn(with(vec![issuer.config()])).start().await;
    assert_eq!(bearing(&rig, &issuer.token()).get(PATH).await.status.as_u16(), 503);
    issuer.behave(Manner::Good);
    eventually("its keys", SOON, || issuer.asked("/keys") > 0).await;
    let reply = bearing(&rig, &issuer.token()).get(PATH).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}
