//! Who is under way, and how it ends.

use std::time::SystemTime;

use serde_json::json;
use trunkline_api::{NewAccessRule, NewCluster};
use trunkline_registry::Registry;

use super::*;
use crate::config::GatewayConfig;
use crate::fleet::Fleet;
use crate::route::tests::route_to;

fn review() -> Review {
    let config = json!({"front": {"listen": "127.0.0.1:0"}, "tunnel": {"listen": "127.0.0.1:0"}});
    let config: GatewayConfig = serde_json::from_value(config).unwrap();
    let fleet = Fleet::new(
        &config,
        Registry::in_memory().unwrap(),
        None,
        trunkline_audit::AuditLog::without_folder(),
    )
    .unwrap();
    Review { under_way: UnderWay::default(), fleet }
}

fn errand(user: &str) -> Errand {
    Errand {
        cluster: "alpha".parse().unwrap(),
        action: Action::of(&http::Method::GET, &route_to("/clusters/alpha/api/v1/pods?watch=1")),
        act_as: None,
        rule: "r".into(),
        identity: Identity {
            user: user.into(),
            groups: vec!["dev".into(), "trunkline:viewers".into()],
            ..Identity::default()
        },
        passed: None,
        confirmed: false,
        recorded: false,
    }
}

fn begin(review: &Review, principal: Principal) -> Stay {
    let errand = errand(&principal.user);
    let serial = Some("1".parse().unwrap());
    review.under_way.begin(RequestId::random(), Arc::new(principal), serial, Kind::Watch, Some(errand))
}

async fn allow(review: &Review, role: &str) {
    let new = json!({"name": "r", "spec": {"subjects": {"groups": ["dev"]}, "clusters": {"names": ["*"]}, "role": role}});
    let new: NewAccessRule = serde_json::from_value(new).unwrap();
    review.fleet.registry.put_rule(&new, "root", Timestamp::now()).await.unwrap();
    review.fleet.access.take_on();
}

async fn with_alpha() -> Review {
    let review = review();
    let new = NewCluster::named("alpha".parse().unwrap());
    let life = std::time::Duration::from_secs(60);
    let mut manifest = new.clone();
    manifest.manifest.groups = vec!["*".into()];
    review.fleet.registry.register(&manifest, "root", Timestamp::now(), life).await.unwrap();
    review
}

#[tokio::test]
async fn t15_what_is_under_way_ends_with_the_rule_it_stands_on() {
    let review = with_alpha().await;
    allow(&review, "viewer").await;
    let stay = begin(&review, Principal::for_test("jane", &["dev"]));
    assert_eq!(review.why_cut(stay.subject()), None);
    allow(&review, "operator").await;
    assert_eq!(review.why_cut(stay.subject()).unwrap().reason, "AccessChanged", "it would go on as another");
    review.fleet.registry.remove_rule(&"r".parse().unwrap()).await.unwrap();
    review.fleet.access.take_on();
    assert_eq!(review.why_cut(stay.subject()).unwrap().reason, "AccessRevoked");
}

#[tokio::test]
async fn t15_a_change_is_heard_of_and_those_concerned_are_told() {
    let review = with_alpha().await;
    allow(&review, "viewer").await;
    let tasks = trunkline_runtime::Tasks::new();
    tasks.spawn_until_stopped(review.clone().stand());
    let jane = begin(&review, Principal::for_test("jane", &["dev"]));
    let over = Principal { expires: Some(SystemTime::now()), ..Principal::for_session("s-over") };
    let over = begin(&review, Principal { groups: vec!["dev".into()], ..over });
    assert_eq!(over.leave().told().await.reason, "SignInExpired");
    review.fleet.registry.remove_rule(&"r".parse().unwrap()).await.unwrap();
    assert_eq!(jane.leave().told().await.reason, "AccessRevoked");
    assert_eq!(review.under_way.all().len(), 2);
    drop((jane, over));
    assert!(review.under_way.all().is_empty());
    tasks.shut_down().await;
}

#[tokio::test]
async fn t15_an_ended_session_and_a_revoked_certificate_end_what_is_under_way() {
    let review = with_alpha().await;
    allow(&review, "viewer").await;
    let stay = begin(&review, Principal { groups: vec!["dev".into()], ..Principal::for_session("s-1") });
    let other = begin(&review, Principal { groups: vec!["dev".into()], ..Principal::for_session("s-2") });
    let ended = trunkline_registry::EndedSession {
        session: "s-1".into(),
        user: "jane".into(),
        by: "root".into(),
        why: "lost".into(),
        ended: Timestamp::now(),
        until: Timestamp::MAX,
    };
    review.fleet.registry.end_session(ended).await.unwrap();
    let cut = review.why_cut(stay.subject()).unwrap();
    assert_eq!(cut.reason, "SessionEnded");
    assert!(cut.why.contains("by root (lost)"), "{}", cut.why);
    assert_eq!(review.why_cut(other.subject()), None);
    review.fleet.revoked_clients.replace(["1".parse().unwrap()].into());
    assert_eq!(review.why_cut(other.subject()).unwrap().reason, "Revoked");
}

#[tokio::test]
async fn the_first_reason_is_the_one_that_is_told() {
    let review = review();
    let stay = begin(&review, Principal::for_test("jane", &[]));
    stay.subject().cut(Cut::new("One", "first"));
    stay.subject().cut(Cut::new("Two", "second"));
    assert_eq!(stay.leave().told().await, Cut::new("One", "first"));
}

/// A cluster in pass-through mode or not, from here on.
async fn pass_through(review: &Review, audiences: &[&str]) {
    let patch = trunkline_api::ManifestPatch {
        pass_through: Some(audiences.iter().map(|one| (*one).to_owned()).collect()),
        ..Default::default()
    };
    let (id, life) = ("alpha".parse().unwrap(), std::time::Duration::from_secs(60));
    review.fleet.registry.renew_join(&id, "root", &patch, Timestamp::now(), life).await.unwrap();
}

#[tokio::test]
async fn t15_what_goes_through_ends_with_its_token_and_with_the_mode_it_began_in() {
    let review = with_alpha().await;
    allow(&review, "viewer").await;
    let impersonated = begin(&review, Principal::for_test("jane", &["dev"]));
    pass_through(&review, &["urn:alpha"]).await;
    assert_eq!(review.why_cut(impersonated.subject()).unwrap().reason, "AccessChanged");
    let passing = |ends| {
        let claimed = Claimed::for_test("urn:alpha", ends);
        // What an identity is made of by the rule is the same; it does not go on.
        let identity = Identity {
            user: "jane".into(),
            groups: vec!["dev".into(), "trunkline:viewers".into()],
            ..Identity::default()
        };
        let errand = Errand { passed: Some(claimed), identity, ..errand("jane") };
        let principal = Arc::new(Principal::for_test("jane", &["dev"]));
        review.under_way.begin(RequestId::random(), principal, None, Kind::Watch, Some(errand))
    };
    let later = SystemTime::now() + std::time::Duration::from_secs(3600);
    let (ended, good) = (passing(SystemTime::now()), passing(later));
    assert_eq!(review.why_cut(good.subject()), None);
    let tasks = trunkline_runtime::Tasks::new();
    tasks.spawn_until_stopped(review.clone().stand());
    assert_eq!(ended.leave().told().await.reason, "ClusterTokenEnded");
    pass_through(&review, &["urn:other"]).await;
    assert_eq!(good.leave().told().await.reason, "AccessChanged", "it is no longer for this cluster");
    tasks.shut_down().await;
}
