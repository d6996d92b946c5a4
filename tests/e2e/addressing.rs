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
