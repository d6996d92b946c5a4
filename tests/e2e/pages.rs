//! The Manager's pages at the front door: for everybody, with what a browser must be told beside.

use http::{Method, Request, StatusCode};
use trunkline_runtime::empty;
use trunkline_tests::Rig;

const HTML: &str = "text/html,application/xhtml+xml";

#[tokio::test]
async fn the_root_leads_a_browser_to_the_pages_and_tells_others_that_no_cluster_is_named() {
    let rig = Rig::start().await;
    let stranger = rig.client_showing(None);
    let asks = Request::get("/").header("accept", HTML).body(empty()).unwrap();
    let reply = stranger.send(asks).await;
    assert_eq!((reply.status, reply.field("location")), (StatusCode::FOUND, "/ui/"));
    let reply = rig.client().get("/").await;
    assert_eq!((reply.status, reply.reason().as_str()), (StatusCode::NOT_FOUND, "NoCluster"));
}

#[tokio::test]
async fn every_address_under_ui_is_the_page_and_a_script_that_is_gone_is_not() {
    let rig = Rig::start().await;
    let stranger = rig.client_showing(None);
    for path in
        ["/ui/", "/ui/c/alpha/core/v1/pods?ns=shop", "/ui/clusters/new", "/ui/../etc/passwd", "/ui/%2e%2e/x"]
    {
        let reply = stranger.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.text().starts_with("<!doctype html>"), "{path}: {}", reply.text());
        assert_eq!(reply.field("cache-control"), "no-cache", "{path}");
    }
    assert_eq!(stranger.get("/ui/assets/gone-12345678.js").await.status, 404);
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let asks = Request::builder().method(method).uri("/ui/").body(empty()).unwrap();
        let reply = rig.client().send(asks).await;
        assert_eq!((reply.status, reply.field("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn t18_t19_a_page_is_in_nobodys_frame_and_runs_nothing_but_our_own_scripts() {
    let rig = Rig::start().await;
    let stranger = rig.client_showing(None);
    for path in ["/ui/", "/ui/assets/gone.js", "/ui"] {
        let reply = stranger.get(path).await;
        let policy = reply.field("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "style-src 'self';",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(part), "{path} lacks {part}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.field("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.field("x-frame-options"), "DENY", "{path}");
        assert_eq!(reply.field("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(reply.field("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(reply.field("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_names_a_cluster_otherwise_is_the_clusters_whatever_it_is() {
    let rig = Rig::start().await;
    let asks = Request::get("/ui/").header("x-cluster-id", "alpha").body(empty()).unwrap();
    rig.client().send(asks).await;
    assert_eq!(rig.upstream("alpha").count(), 1);
}

#[tokio::test]
async fn a_stranger_who_only_fetches_pages_holds_no_connection_for_ever() {
    let rig = Rig::start().await;
    let mut connection = rig.client_showing(None).http2().await;
    let mut served = 0;
    while served < 100 && connection.get("/ui/").await.is_ok_and(|reply| reply.status == 200) {
        served += 1;
    }
    assert!((16..=40).contains(&served), "{served} pages on one connection");
    let mut known = rig.client().http2().await;
    assert_eq!(known.get("/clusters/alpha/api").await.unwrap().status, 200);
    for at in 0..100 {
        assert_eq!(known.get("/ui/").await.unwrap().status, 200, "page {at} of who is known");
    }
}
