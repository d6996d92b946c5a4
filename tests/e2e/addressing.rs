//! How a client names a cluster, and what of its request arrives.

use http::Request;
use trunkline_runtime::empty;
use trunkline_tests::Rig;

#[tokio::test]
async fn path_host_and_header_lead_to_the_same_upstream_request() {
    let rig = Rig::start().await;
    let client = rig.client();
    let path = "/api/v1/namespaces/default/pods?limit=5";
    let by_path = client.get(&format!("/clusters/alpha{path}")).await;
    assert_eq!(by_path.status, 200, "{}", by_path.text());
    let by_host = Request::get(path).header("host", "alpha.clusters.test").body(empty()).unwrap();
    assert_eq!(client.send(by_host).await.status, 200);
    let by_header = Request::get(path).header("x-cluster-id", "alpha").body(empty()).unwrap();
    assert_eq!(client.send(by_header).await.status, 200);
    assert_eq!(client.clone().named("alpha.clusters.test").get(path).await.status, 200);
    let by_host = Request::get(path).header("host", "alpha.clusters.test").body(empty()).unwrap();
    assert_eq!(client.http2().await.whole(by_host).await.unwrap().status, 200);

    let mut seen = rig.upstream("alpha").seen();
    assert_eq!(seen.len(), 5);
    for request in &mut seen {
        // Each request has an id of its own; else they are alike.
        assert!(request.headers.remove("audit-id").is_some());
    }
    for request in &seen {
        assert_eq!(request.path, path);
        assert_eq!(request.headers, seen[0].headers);
        assert!(!request.headers.contains_key("x-cluster-id"));
    }
}

#[tokio::test]
async fn path_and_query_travel_byte_for_byte() {
    let rig = Rig::start().await;
    let mut connection = rig.client().http1().await;
    for path in [
        "/",
        "/api/",
        "/api/v1/namespaces/d/configmaps/a%3Ab?x=%2F&y=a+b&z=//",
        "/apis/x/v1/things?labelSelector=a%3Db%2Cc%21%3Dd&empty=&&",
        "/version?",
        "/api/v1/namespaces/d/services/web/proxy/a%2fb;c//d?q=%00",
    ] {
        let before = rig.upstream("alpha").count();
        let reply = connection.get(&format!("/clusters/alpha{path}")).await.unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert_eq!(rig.upstream("alpha").seen()[before].path, path);
    }
}

#[tokio::test]
async fn t06_two_names_that_disagree_reach_no_cluster() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").start().await;
    let client = rig.client();
    let both = Request::get("/clusters/alpha/api").header("x-cluster-id", "beta").body(empty()).unwrap();
    let reply = client.send(both).await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (400, "AmbiguousCluster"));
    let coalesced = Request::get("/api").header("host", "beta.clusters.test").body(empty()).unwrap();
    let reply = client.named("alpha.clusters.test").http2().await.whole(coalesced).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (421, "Misdirected"));
    assert_eq!(rig.upstream("alpha").count() + rig.upstream("beta").count(), 0);
}

#[tokio::test]
async fn t06_each_cluster_is_reached_by_its_own_name_only() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").start().await;
    let mut connection = rig.client().http2().await;
    for at in 0..50 {
        let name = if at % 2 == 0 { "alpha" } else { "beta" };
        let reply = connection.get(&format!("/clusters/{name}/api/{name}/{at}")).await.unwrap();
        assert_eq!(reply.status, 200);
    }
    for (name, other) in [("alpha", "beta"), ("beta", "alpha")] {
        assert_eq!(rig.upstream(name).seen_with(name).len(), 25);
        assert_eq!(rig.upstream(name).seen_with(other).len(), 0);
    }
}
