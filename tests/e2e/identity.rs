//! Who a request is made for: written once, by us, from the verified certificate. What becomes of tokens is in `sign_in`.

use http::Request;
use trunkline_runtime::empty;
use trunkline_tests::Rig;

#[tokio::test]
async fn t02_the_upstream_sees_the_users_identity_and_the_agents_credential_and_nothing_of_the_clients() {
    let rig = Rig::start().await;
    let client = rig.client();
    for mut connection in [client.http1().await, client.http2().await] {
        let request = Request::get("/clusters/alpha/api")
            .header("cookie", "session=1")
            .header("x-remote-user", "root")
            .header("x_remote_group", "system:masters")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x-trunkline-head", "e30")
            .header("audit-id", "mine")
            .header("user-agent", "kubectl/v1.35")
            .header("accept", "application/json")
            .body(empty())
            .unwrap();
        assert_eq!(connection.whole(request).await.unwrap().status, 200);
    }
    let seen = rig.upstream("alpha").seen();
    assert_eq!(seen.len(), 2);
    for request in seen {
        assert_eq!(request.all("impersonate-user"), ["jane"]);
        assert_eq!(request.all("impersonate-group"), ["dev", "ops"]);
        assert_eq!(request.all("authorization"), ["Bearer the-agents-own-token"]);
        assert_eq!(request.all("user-agent"), ["kubectl/v1.35"]);
        assert_eq!(request.all("audit-id").len(), 1);
        assert_ne!(request.all("audit-id"), ["mine"]);
        for name in ["cookie", "x-remote-user", "x_remote_group", "x-forwarded-for", "x-trunkline-head"] {
            assert!(request.all(name).is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn no_system_name_leaves_the_gateway() {
    let rig = Rig::start().await;
    let masters = rig.client_as("jane", &["dev", "system:masters", "System:Nodes"]);
    assert_eq!(masters.get("/clusters/alpha/api").await.status, 200);
    assert_eq!(rig.upstream("alpha").seen()[0].all("impersonate-group"), ["dev"]);
    let reply = rig.client_as("system:admin", &["dev"]).get("/clusters/alpha/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "AccessDenied"));
    assert_eq!(rig.upstream("alpha").count(), 1);
}

#[tokio::test]
async fn without_a_certificate_nobody_is_served() {
    let rig = Rig::start().await;
    let nobody = rig.client_showing(None);
    for path in ["/clusters/alpha/api", "/clusters/nowhere/api", "/", "/clusters/alpha/version"] {
        let reply = nobody.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (401, "Unauthorized"), "{path}");
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn t08_a_certificate_of_the_other_root_opens_no_door() {
    let rig = Rig::start().await;
    let cluster = rig.cluster("alpha");
    let (agents, _) = rig.paper.agent("borrowed", &cluster.id, cluster.uid, 0);
    let strangers =
        rig.paper.pki.stranger.client("jane", &["dev"], trunkline_pki::Validity::days(1)).unwrap();
    for shown in [&agents, &strangers] {
        // With TLS 1.3 the no comes after the client's side is done.
        if let Ok(mut stream) = rig.client_showing(Some(shown)).connect(b"http/1.1").await {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let _ = stream.write_all(b"GET /clusters/alpha/api HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard).await;
            assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
        }
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn the_agent_refuses_an_identity_that_its_allow_list_does_not_hold() {
    let mut rig = Rig::builder().without_agents().start().await;
    let mut config = rig.agent_config("alpha");
    config.upstream.allow.groups = vec!["dev".into()];
    rig.start_agent_with("alpha", config).await;
    assert_eq!(rig.client_as("jane", &["dev"]).get("/clusters/alpha/api").await.status, 200);
    let reply = rig.client_as("jane", &["dev", "ops"]).get("/clusters/alpha/api").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "IdentityForbidden"));
    assert!(reply.text().contains("ops"), "{}", reply.text());
    assert_eq!(rig.upstream("alpha").count(), 1);
}
