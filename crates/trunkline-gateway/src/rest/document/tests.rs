//! The document says what is served, and what is served says no by one rule.

use std::collections::BTreeSet;

use http::StatusCode;
use serde_json::Value;

use super::*;
use crate::rest::auth::is_open;
use crate::rest::tests::Desk;

fn document() -> Value {
    serde_json::from_slice(&json()).unwrap()
}

/// Path and method of every operation of the document.
fn operations() -> BTreeSet<(String, String)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, operations)| {
            let methods = operations.as_object().unwrap().keys();
            methods.map(|method| (path.clone(), method.to_uppercase()))
        })
        .collect()
}

/// A path that can be asked for.
fn concrete(path: &str) -> String {
    let chart = concat!("trunkline-agent-", env!("CARGO_PKG_VERSION"), ".tgz");
    path.replace("{name}", "alpha")
        .replace("{chart}", chart)
        .replace("{rule}", "alpha")
        .replace("{session}", "s-1")
        .replace("{request}", "r-1")
}

#[tokio::test]
async fn what_is_served_is_in_the_document_and_the_other_way_round() {
    let desk = Desk::new();
    let mut served = BTreeSet::new();
    for (path, _) in routes() {
        let answer = desk.ask("BREW", &concrete(path), None).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed = answer.headers()["allow"].to_str().unwrap().to_owned();
        let methods = allowed.split(',').filter(|method| *method != "HEAD");
        served.extend(methods.map(|method| (path.to_owned(), method.to_owned())));
    }
    assert_eq!(served, operations());
}

#[test]
fn every_reference_of_the_document_resolves_and_every_operation_is_described() {
    let document = document();
    let mut references = 0;
    let mut left = vec![&document];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{reference}");
                    references += 1;
                }
                left.extend(fields.values());
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    assert!(references > 30, "{references}");
    for shape in
        ["Cluster", "ClusterList", "ClusterEvent", "ClusterState", "Registered", "HopReport", "Problem"]
    {
        assert!(document["components"]["schemas"][shape].is_object(), "{shape}");
    }
    let mut ids = BTreeSet::new();
    for (path, method) in operations() {
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
        assert!(operation["responses"]["4XX"].is_object(), "{method} {path}");
    }
}

#[tokio::test]
async fn who_may_is_asked_before_anything_else() {
    let desk = Desk::new();
    for (path, method) in operations() {
        let status = |group| {
            let (desk, path, method) = (&desk, concrete(&path), method.clone());
            async move { desk.ask(&method, &path, group).await.status() }
        };
        if path.contains("/charts/") {
            assert_eq!(status(None).await, StatusCode::OK);
            continue;
        }
        if is_open(&path) {
            assert_ne!(status(None).await, StatusCode::FORBIDDEN, "{method} {path}");
            continue;
        }
        assert_eq!(status(None).await, StatusCode::UNAUTHORIZED, "{method} {path}");
        // One's own sign-in is anybody's who has one.
        if path.ends_with("/session") || path.ends_with("/logout") {
            let own = status(Some("dev")).await;
            // By certificate nobody is signed out.
            let expected = if method == "GET" { StatusCode::OK } else { StatusCode::CONFLICT };
            assert_eq!(own, expected, "{method} {path}");
            continue;
        }
        assert_eq!(status(Some("dev")).await, StatusCode::FORBIDDEN, "{method} {path}");
        // What changes nothing of the fleet although it is posted: a question, and a word about oneself.
        let harmless =
            method == "GET" || ["/access/test", "/confirm", "/tickets"].iter().any(|end| path.ends_with(end));
        for group in ["trunkline:viewers", "trunkline:operators"] {
            let may = status(Some(group)).await;
            let may_not = !harmless || path.contains("/auth/users") || path.contains("/audit");
            assert_eq!(may == StatusCode::FORBIDDEN, may_not, "{method} {path} by {group}: {may}");
        }
        let admin = status(Some("trunkline:admins")).await;
        assert!(
            !matches!(admin, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED),
            "{method} {path}: {admin}"
        );
    }
}

#[tokio::test]
async fn a_query_that_a_route_does_not_know_is_refused_with_its_name() {
    let desk = Desk::new();
    // Issuers add to the query of the callback as they like.
    for (path, method) in operations().into_iter().filter(|(path, _)| !path.ends_with("/callback")) {
        let path = format!("{}?colour=red", concrete(&path));
        let answer = desk.ask(&method, &path, Some("trunkline:admins")).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{method} {path}");
        let no = answer.extensions().get::<crate::rest::problem::No>().unwrap();
        assert!(format!("{no:?}").contains("colour"), "{no:?}");
    }
}

#[test]
fn the_page_names_every_path() {
    let page = include_str!("../../../../../docs/api.md");
    for (path, method) in operations() {
        let line = format!("`{method} {}`", path.strip_prefix("/trunkline/v1").unwrap());
        assert!(page.contains(&line), "docs/api.md does not name {line}");
    }
}

/// The Manager's types are made from a copy. `TRUNKLINE_UPDATE=1` writes it anew, and `make ui-types` the types.
#[test]
fn the_managers_copy_is_the_document_that_is_served() {
    let copy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/openapi.json");
    let served = format!("{:#}\n", document());
    if std::env::var_os("TRUNKLINE_UPDATE").is_some() {
        std::fs::write(copy, &served).unwrap();
    }
    let kept = std::fs::read_to_string(copy).unwrap_or_default();
    assert!(kept == served, "ui/openapi.json is of another document: run this test with TRUNKLINE_UPDATE=1");
}
