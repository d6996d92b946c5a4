//! Clusters under the Manager's path: the same way as every request's, with a session, and nothing that a browser runs.

use http::Method;
use serde_json::json;
use trunkline_tests::{Browser, Reply, Rig};

use super::{ALPHA, raised};

/// What every answer to a page carries.
fn assert_sealed(reply: &Reply) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
    ] {
        assert_eq!(reply.field(name), value, "{name} of {}", reply.text());
    }
}

#[tokio::test]
async fn a_page_reaches_a_cluster_as_who_is_signed_in() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let reply = browser.get(&format!("{ALPHA}/api/v1/pods?limit=5")).await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "{}"));
    assert_sealed(&reply);
    let seen = rig.upstream("alpha").seen_with("/api/v1/pods?limit=5").pop().unwrap();
    assert_eq!(seen.path, "/api/v1/pods?limit=5");
    assert_eq!(seen.all("impersonate-user"), ["jane@example.com"]);
    assert!(seen.all("cookie").is_empty(), "the session goes to no cluster");
    let reply = browser.act(Method::POST, &format!("{ALPHA}/echo"), Some(json!({"kind": "Pod"}))).await;
    assert_eq!(reply.reason(), "AnswerRefused", "an echo has no content type: {}", reply.text());
    assert!(rig.upstream("alpha").seen_with("/echo")[0].all("x-trunkline-csrf").is_empty());
    // A token and a certificate work the same, and both need no CSRF token.
    let client = rig.client();
    assert_eq!(client.get(&format!("{ALPHA}/api")).await.status, 200);
    let reply = client.post(&format!("{ALPHA}/api/v1/namespaces/d/pods"), &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn a_page_is_told_no_as_every_client_is() {
    let (_rig, _, mut browser) = raised(Rig::builder()).await;
    let none = "/trunkline/v1/clusters";
    for (path, status, reason) in [
        (format!("{none}/nowhere/k8s/api"), 404, "ClusterNotFound"),
        (format!("{none}/NOWHERE/k8s/api"), 404, "NotFound"),
        (format!("{ALPHA}/api/../../../pki"), 400, "BadPath"),
        (format!("{ALPHA}//api"), 400, "BadPath"),
        (format!("{ALPHA}/api/%2e%2e/x"), 400, "BadPath"),
    ] {
        let reply = browser.get(&path).await;
        let told = (reply.status.as_u16(), reply.json()["kind"].as_str().map(str::to_owned));
        assert_eq!(told, (status, Some("Status".to_owned())), "{path}: {}", reply.text());
        assert!(reason == "NotFound" || reply.reason() == reason, "{path}: {}", reply.text());
        assert_sealed(&reply);
    }
    let fields = [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")];
    let reply = browser.send(Method::GET, &format!("{none}/nowhere/k8s/api"), &fields, None).await;
    assert_eq!(reply.json()["kind"], "Status", "a page reads a Status");
    browser.cookies.clear();
    let reply = browser.get(&format!("{ALPHA}/api")).await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (401, "Unauthorized"));
    assert_sealed(&reply);
}

#[tokio::test]
async fn t19_a_page_gets_json_and_plain_text_and_nothing_that_a_browser_runs() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    for (kind, fits) in [
        ("application/json", true),
        ("application/json;stream=watch", true),
        ("Application/JSON; charset=utf-8", true),
        ("text/plain", true),
        ("text/plain;version=0.0.4", true),
        ("text/html", false),
        ("text/html;application/json", false),
        ("text/xml", false),
        ("image/svg+xml", false),
        ("application/javascript", false),
        ("application/vnd.kubernetes.protobuf", false),
        ("application/jsonx", false),
        ("text/plain,text/html", false),
        ("", false),
        ("application/json&content-type=text/html", false),
    ] {
        let path = format!("{ALPHA}/fields?content-type={}", kind.replace(' ', ""));
        let reply = browser.get(&path).await;
        assert_sealed(&reply);
        if fits {
            assert_eq!(reply.status, 200, "{kind}: {}", reply.text());
        } else {
            assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (502, "AnswerRefused"), "{kind}");
            assert!(!reply.text().contains("<script>"), "{kind}");
        }
    }
    // kubectl and the others get what the cluster says, as ever.
    assert_eq!(rig.client().get("/clusters/alpha/fields?content-type=text/html").await.status, 200);
    // What is empty needs no type.
    assert_eq!(browser.get(&format!("{ALPHA}/status/204")).await.status, 204);
    assert_eq!(browser.get(&format!("{ALPHA}/status/404")).await.status, 404);
}

#[tokio::test]
async fn t19_a_page_gets_into_no_application_and_upgrades_nothing() {
    let (rig, _, mut browser) = raised(Rig::builder().allow_node_proxy()).await;
    let (pod, node) = ("api/v1/namespaces/d/pods/p", "api/v1/nodes/n");
    for path in [
        format!("{pod}/proxy"),
        format!("{pod}/proxy/"),
        format!("{pod}/proxy/index.html"),
        "api/v1/namespaces/d/services/s:http/proxy/x".to_owned(),
        format!("{node}/proxy/run"),
        format!("{pod}/exec?command=sh"),
        format!("{pod}/portforward"),
        format!("{pod}/attach"),
    ] {
        for method in [Method::GET, Method::POST, Method::HEAD] {
            let reply = browser.act(method.clone(), &format!("{ALPHA}/{path}"), None).await;
            assert_eq!(reply.status, 403, "{method} {path}: {}", reply.text());
            assert!(method == Method::HEAD || reply.reason() == "AccessDenied", "{}", reply.text());
        }
    }
    let upgrade = [("connection", "upgrade"), ("upgrade", "SPDY/3.1"), ("origin", "https://localhost")];
    for path in ["api/v1/pods?watch=1", "upgrade", "api/v1/namespaces/d/pods/p/exec"] {
        let reply = browser.send(Method::GET, &format!("{ALPHA}/{path}"), &upgrade, None).await;
        assert_eq!(reply.status, 403, "{path}: {}", reply.text());
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
}

#[tokio::test]
async fn t18_nothing_is_changed_in_a_cluster_without_what_only_our_pages_can_read() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let csrf = browser.csrf().await;
    let (own, token) = (("origin", "https://localhost"), ("x-trunkline-csrf", csrf.as_str()));
    let path = format!("{ALPHA}/api/v1/namespaces/d/pods/p");
    for fields in Browser::forgeries(&csrf) {
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let reply = browser.send(method.clone(), &path, &fields, Some(json!({}))).await;
            assert_eq!(reply.status, 403, "{method} {fields:?}: {}", reply.text());
        }
    }
    assert_eq!(rig.upstream("alpha").count(), 0, "nothing reached the cluster");
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let reply = browser.send(method.clone(), &path, &[own, token], Some(json!({}))).await;
        assert_eq!(reply.status, 200, "{method}: {}", reply.text());
    }
}

#[tokio::test]
async fn t18_a_session_counts_for_a_cluster_on_the_managers_path_only() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    for path in ["/clusters/alpha/api", "/clusters/alpha/trunkline/v1/clusters/alpha/k8s/api"] {
        assert_eq!(browser.get(path).await.status, 401, "{path}");
    }
    for named in [("x-cluster-id", "alpha"), ("host", "alpha.clusters.test")] {
        let reply = browser.send(Method::GET, &format!("{ALPHA}/api"), &[named], None).await;
        assert_eq!(reply.status, 401, "what is named by {} is the cluster's: {}", named.0, reply.text());
    }
    assert_eq!(rig.upstream("alpha").count(), 0);
    let mut stranger = Browser::new(&rig);
    assert_eq!(stranger.get(&format!("{ALPHA}/api")).await.status, 401);
}

#[tokio::test]
async fn a_redirect_stays_on_the_managers_path_of_its_cluster() {
    let (_rig, _, mut browser) = raised(Rig::builder()).await;
    for (to, leads) in [
        ("/api/v1?x=1", Some("/trunkline/v1/clusters/alpha/k8s/api/v1?x=1")),
        ("https://evil.test/", None),
        ("//evil.test/", None),
        ("/../lock", None),
    ] {
        let fields = [("x-requested-with", to)];
        let reply = browser.send(Method::GET, &format!("{ALPHA}/redirect"), &fields, None).await;
        match leads {
            Some(leads) => assert_eq!((reply.status.as_u16(), reply.field("location")), (302, leads)),
            None => assert_eq!(reply.reason(), "AnswerRefused", "{to}"),
        }
    }
}
