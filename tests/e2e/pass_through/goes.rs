//! What goes through, and how it ends.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use trunkline_runtime::empty;
use trunkline_tests::{Logs, Rig, within};

use super::{FIELD, PATH, SOON, in_seconds, made_for, raised, signed, with_both};

#[tokio::test]
async fn t02_a_token_that_goes_through_arrives_alone_and_nothing_else_says_who() {
    let (rig, issuer) = raised().await;
    let (first, second) = (issuer.token(), made_for("urn:alpha"));
    let ways = [
        with_both(&rig, &first, &second),
        rig.client_showing(None).bearing(&first).with(FIELD, &second),
        rig.client().bearing(&format!("~{second}")),
        rig.client().with(FIELD, &second),
    ];
    let mut sent = 0;
    for client in &ways {
        for mut connection in [client.http1().await, client.http2().await] {
            let mut request = Request::get(format!("/clusters/alpha{PATH}"))
                .header("cookie", "session=1")
                .header("x-remote-user", "root")
                .header("x_forwarded_for", "10.0.0.1")
                .header("audit-id", "mine")
                .body(empty())
                .unwrap();
            request.headers_mut().extend(client.fields().clone());
            let reply = connection.whole(request).await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
            sent += 1;
        }
    }
    // An upgrade, once by field and once among the protocols.
    let both = URL_SAFE_NO_PAD.encode(format!("{first}~{second}"));
    let protocols =
        format!("sec-websocket-protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.{both}");
    let shown =
        format!("authorization: Bearer {first}~{second}\r\nsec-websocket-protocol: v5.channel.k8s.io");
    for said in [protocols, shown] {
        let mut raw = rig.client_showing(None).raw().await;
        raw.say_head(&[
            "GET /clusters/alpha/upgrade HTTP/1.1",
            "host: localhost",
            "connection: upgrade",
            "upgrade: websocket",
            &said,
        ])
        .await;
        let head = within("an answer", SOON, raw.hear_head()).await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        sent += 1;
    }
    let seen = rig.upstream("alpha").seen();
    assert_eq!(seen.len(), sent);
    for request in seen {
        assert_eq!(request.all("authorization"), [format!("Bearer {second}")]);
        assert_eq!(request.all("audit-id").len(), 1);
        for name in request.headers.keys() {
            let folded = name.as_str().replace('_', "-");
            let ours = ["impersonate-", "x-trunkline-", "x-remote-", "x-forwarded-", "cookie"];
            assert!(!ours.iter().any(|begin| folded.starts_with(begin)), "{name}");
        }
        let values: Vec<_> = request.headers.values().map(|value| value.to_str().unwrap()).collect();
        assert!(!values.iter().any(|value| value.contains(&first)), "what signs in here goes no further");
        let protocols = request.all("sec-websocket-protocol");
        assert!(protocols.is_empty() || protocols == ["v5.channel.k8s.io"], "{protocols:?}");
    }
    assert_eq!(rig.upstream("beta").count() + rig.upstream("gamma").count(), 0);
}

#[tokio::test]
async fn who_asks_is_who_signed_in_and_the_clusters_token_gives_no_right_at_the_gateway() {
    let (rig, issuer) = raised().await;
    // Good for the cluster, and of nobody here.
    let alone =
        rig.client_showing(None).bearing(&made_for("urn:alpha")).get(&format!("/clusters/alpha{PATH}")).await;
    assert_eq!(alone.status, 401, "{}", alone.text());
    let alone = rig
        .client_showing(None)
        .with(FIELD, &made_for("urn:alpha"))
        .get(&format!("/clusters/alpha{PATH}"))
        .await;
    assert_eq!(alone.status, 401, "{}", alone.text());
    let bad = with_both(&rig, "a.b.c", &made_for("urn:alpha")).get(&format!("/clusters/alpha{PATH}")).await;
    assert_eq!(bad.status, 401, "{}", bad.text());
    assert_eq!(rig.upstream("alpha").count(), 0);
    // The rules decide on who signed in, and whoever they name nowhere learns nothing of the cluster.
    let rule = json!({"name": "one", "spec": {"subjects": {"users": ["jane@example.com"]}, "clusters": {"names": ["alpha"]}}});
    let authn = trunkline_gateway::AuthnConfig { issuers: vec![issuer.config()], ..Default::default() };
    let rig = Rig::builder().authn(authn).access(&[rule]).passing_through("alpha", "urn:alpha").start().await;
    let joe = rig.client_as("joe", &[]).with(FIELD, &made_for("urn:alpha"));
    for client in [joe, rig.client_as("joe", &[])] {
        let reply = client.get(&format!("/clusters/alpha{PATH}")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.reason().as_str()),
            (403, "AccessDenied"),
            "{}",
            reply.text()
        );
        assert!(!reply.text().contains("urn:alpha"), "{}", reply.text());
    }
    let jane = with_both(&rig, &issuer.token(), &made_for("urn:alpha"));
    assert_eq!(jane.get(&format!("/clusters/alpha{PATH}")).await.status, 200);
    // A viewer reads, whatever their token may do there.
    let reply = jane.post("/clusters/alpha/api/v1/namespaces/d/pods", &json!({})).await;
    assert_eq!(reply.reason(), "AccessDenied", "{}", reply.text());
    assert_eq!(rig.upstream("alpha").count(), 1);
}

#[tokio::test]
async fn t15_what_is_under_way_ends_with_the_token_that_went_through() {
    let (rig, issuer) = raised().await;
    let brief = signed(&json!({"aud": "urn:alpha", "exp": in_seconds(3)}));
    let client = with_both(&rig, &issuer.token(), &brief);
    let mut connection = client.http2().await;
    let mut request = Request::get("/clusters/alpha/watch?watch=1").body(empty()).unwrap();
    request.headers_mut().extend(client.fields().clone());
    let mut body = connection.send(request).await.unwrap().into_body();
    let mut told = String::new();
    while let Some(frame) = within("its end", SOON, body.frame()).await {
        told.push_str(std::str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap());
    }
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["type"], &last["object"]["reason"]),
        (&json!("ERROR"), &json!("ClusterTokenEnded")),
        "{told}"
    );
    let again = client.get(&format!("/clusters/alpha{PATH}")).await;
    assert_eq!(
        (again.status.as_u16(), again.reason().as_str()),
        (401, "ClusterTokenEnded"),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn what_is_under_way_ends_with_whichever_token_ends_first() {
    let (rig, issuer) = raised().await;
    issuer.tokens_last(3);
    let mut raw = rig.client_showing(None).raw().await;
    raw.say_head(&[
        "GET /clusters/alpha/upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
        &format!("authorization: Bearer {}~{}", issuer.token(), made_for("urn:alpha")),
    ])
    .await;
    let head = within("an answer", Duration::from_secs(10), raw.hear_head()).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    within("the end", SOON, raw.hear_to_end()).await;
}

#[tokio::test]
async fn t35_a_redirect_takes_no_token_anywhere() {
    let (rig, issuer) = raised().await;
    let client = with_both(&rig, &issuer.token(), &made_for("urn:alpha"));
    let gamma = format!("https://{}/", rig.upstream("gamma").address());
    for to in [gamma.as_str(), "/../gamma/api", "//evil.example/"] {
        let request =
            Request::get("/clusters/alpha/redirect").header("x-requested-with", to).body(empty()).unwrap();
        let reply = client.send(request).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (502, "AnswerRefused"), "{to}");
    }
    assert_eq!((rig.upstream("alpha").count(), rig.upstream("gamma").count()), (3, 0));
}

#[tokio::test]
async fn an_api_server_that_does_not_believe_the_token_says_so_itself_and_keeps_the_agents_own() {
    let (rig, issuer) = raised().await;
    let client = with_both(&rig, &issuer.token(), &made_for("urn:alpha"));
    assert_eq!(client.get("/clusters/alpha/status/401").await.status, 401);
    assert_eq!(client.get("/clusters/alpha/status/403").await.status, 403);
    assert_eq!(rig.upstream("alpha").count(), 2, "each is asked once");
}

#[tokio::test]
async fn the_records_say_who_signed_in_and_that_a_token_went_through_and_hold_none() {
    let logs = Logs::capture();
    let issuer = trunkline_tests::FakeIssuer::start(&trunkline_runtime::Tasks::new()).await;
    let authn = trunkline_gateway::AuthnConfig { issuers: vec![issuer.config()], ..Default::default() };
    let rig = Rig::builder()
        .authn(authn)
        .enrolling()
        .passing_through("alpha", "urn:alpha")
        .cluster("beta")
        .start()
        .await;
    let (first, second) = (issuer.token(), made_for("urn:alpha"));
    assert_eq!(with_both(&rig, &first, &second).get(&format!("/clusters/alpha{PATH}")).await.status, 200);
    let request = rig.upstream("alpha").seen()[0].all("audit-id")[0].clone();
    let admin = rig.admin();
    let mut text = String::new();
    within("its records", SOON, async {
        while !text.contains("\"end\"") {
            text = admin.get(&format!("/trunkline/v1/audit?request={request}")).await.text();
        }
    })
    .await;
    let page: Value = serde_json::from_str(&text).unwrap();
    let decision = &page["records"][0]["event"];
    assert_eq!(
        (&decision["user"], &decision["identity"]),
        (&json!("jane@example.com"), &json!("pass-through"))
    );
    assert!(decision["as"].is_null(), "whose the token is, the API server's own log says: {decision}");
    assert_eq!(rig.client().get(&format!("/clusters/beta{PATH}")).await.status, 200);
    within("its record", SOON, async {
        let mut records = json!([]);
        while records[0].is_null() {
            let page = admin.get("/trunkline/v1/audit?cluster=beta&phase=decision").await.json();
            records = page["records"].clone();
        }
        assert_eq!(records[0]["event"]["identity"], "impersonate", "{records}");
    })
    .await;
    let lines: Vec<String> = logs.find(|_| true).iter().map(|line| line.text()).collect();
    assert!(!lines.is_empty());
    let written = lines.concat() + &page.to_string();
    for token in [&first, &second] {
        let signature = token.rsplit('.').next().unwrap();
        assert!(!written.contains(signature), "a token is in a log or a record");
    }
}
