//! What goes nowhere, and who is told why.

use http::Request;
use serde_json::{Value, json};
use trunkline_runtime::empty;

use super::{FIELD, PATH, arrived, in_seconds, made_for, raised, signed, with_both};

#[tokio::test]
async fn t07_a_token_for_another_cluster_for_the_gateway_or_for_two_goes_nowhere() {
    let (rig, issuer) = raised().await;
    let first = issuer.token();
    let mut for_both = issuer.claims();
    for_both["aud"] = json!(["gw", "urn:alpha"]);
    for_both["azp"] = "gw".into();
    let claims = |aud: Value| signed(&json!({"aud": aud, "exp": in_seconds(600)}));
    for (what, second) in [
        ("another cluster's", made_for("urn:gamma")),
        ("the gateway's", {
            let mut other = issuer.claims();
            other["jti"] = "2".into();
            issuer.sign(&other)
        }),
        ("the gateway's as well", issuer.sign(&for_both)),
        ("two clusters'", claims(json!(["urn:alpha", "urn:gamma"]))),
        ("somebody's unknown as well", claims(json!(["urn:alpha", "urn:delta"]))),
        ("in another spelling", claims(json!("URN:alpha"))),
        ("nobody's", claims(json!([]))),
        ("no text", claims(json!({"urn:alpha": true}))),
        ("without an end", signed(&json!({"aud": "urn:alpha"}))),
        ("with an end that is none", signed(&json!({"aud": "urn:alpha", "exp": "never"}))),
    ] {
        let reply = with_both(&rig, &first, &second).get(&format!("/clusters/alpha{PATH}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (403, "ClusterTokenNeeded"),
            "{what}: {}",
            reply.text()
        );
        let text = reply.text();
        assert!(
            text.contains("urn:alpha") && text.contains("trunkline clusters token alpha"),
            "{what}: {text}"
        );
        assert!(
            !text.contains(&second) && !text.contains(second.rsplit('.').next().unwrap()),
            "{what}: {text}"
        );
    }
    let ended = signed(&json!({"aud": "urn:alpha", "exp": in_seconds(0) - 1}));
    let reply = with_both(&rig, &first, &ended).get(&format!("/clusters/alpha{PATH}")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (401, "ClusterTokenEnded"),
        "{}",
        reply.text()
    );
    // Without any: told what to bring.
    let reply = rig.client().get(&format!("/clusters/alpha{PATH}")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (403, "ClusterTokenNeeded"),
        "{}",
        reply.text()
    );
    assert!(reply.text().contains("brings no token"), "{}", reply.text());
    assert_eq!(arrived(&rig), 0);
}

#[tokio::test]
async fn t02_no_spelling_of_a_second_token_is_united_with_another_or_left_out() {
    let (rig, issuer) = raised().await;
    let (first, second) = (issuer.token(), made_for("urn:alpha"));
    let both = format!("Bearer {first}~{second}");
    let one = format!("Bearer {first}");
    let same = format!("Bearer {second}~{second}");
    let thrice = format!("Bearer {first}~{second}~{second}");
    for fields in [
        vec![("authorization", both.as_str()), (FIELD, &second)],
        vec![("authorization", &one), (FIELD, &second), (FIELD, &second)],
        vec![("authorization", &one), (FIELD, &second), ("x_trunkline_cluster_token", &second)],
        vec![("authorization", &one), ("x_trunkline_cluster_token", &second)],
        vec![("authorization", &one), ("x-trunkline_cluster-token", &second)],
        vec![("authorization", &one), (FIELD, "not a token")],
        vec![("authorization", &one), (FIELD, "")],
        vec![("authorization", &thrice)],
        vec![("authorization", &same)],
        vec![("authorization", "Bearer ~")],
        vec![("authorization", &both), ("authorization", &both)],
    ] {
        for mut connection in [rig.client().http1().await, rig.client().http2().await] {
            let mut request = Request::get(format!("/clusters/alpha{PATH}"));
            for (name, value) in &fields {
                request = request.header(*name, *value);
            }
            let reply = connection.whole(request.body(empty()).unwrap()).await.unwrap();
            let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
            assert!(
                matches!(reply.status.as_u16(), 400 | 401),
                "{names:?}: {} {}",
                reply.status,
                reply.text()
            );
            assert!(!reply.text().contains(&second), "{names:?}");
        }
    }
    assert_eq!(arrived(&rig), 0);
}

#[tokio::test]
async fn a_cluster_that_impersonates_and_the_gateway_itself_take_no_second_token() {
    let (rig, issuer) = raised().await;
    for audience in ["urn:alpha", "urn:beta"] {
        let client = with_both(&rig, &issuer.token(), &made_for(audience));
        let reply = client.get(&format!("/clusters/beta{PATH}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (400, "ClusterTokenUnwanted"),
            "{}",
            reply.text()
        );
        assert!(reply.text().contains("leave it out"), "{}", reply.text());
        assert_eq!(client.get("/trunkline/v1/clusters").await.status, 401);
    }
    assert_eq!(arrived(&rig), 0);
    assert_eq!(rig.client().get(&format!("/clusters/beta{PATH}")).await.status, 200, "as ever");
}

#[tokio::test]
async fn t02_acting_as_somebody_is_refused_where_a_token_says_who_one_is() {
    let (rig, issuer) = raised().await;
    let client = with_both(&rig, &issuer.token(), &made_for("urn:alpha"));
    for fields in [
        &[("impersonate-user", "bob")][..],
        &[("impersonate-user", "bob"), ("impersonate-group", "ops")],
        &[("impersonate-group", "ops")],
        &[("impersonate_user", "bob")],
        &[("impersonate-uid", "1")],
    ] {
        let mut request = Request::get(format!("/clusters/alpha{PATH}"));
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let reply = client.send(request.body(empty()).unwrap()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (403, "AccessDenied"),
            "{fields:?} {}",
            reply.text()
        );
    }
    let plain = Request::get(format!("/clusters/alpha{PATH}")).header("impersonate-user", "bob");
    let told = client.send(plain.body(empty()).unwrap()).await.text();
    assert!(told.contains("--as is not carried"), "{told}");
    assert_eq!(arrived(&rig), 0);
}
