//! `trunkline pki`: the tunnel's roots, their rotation, and client certificates from a gateway's own folder.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trunkline_api::{Root, RootRole, RotationCluster, RotationStatus};
use trunkline_pki::{PaperNames, Papers};

use crate::desk::Desk;

fn rotation(rotating: bool, clusters: &[(&str, bool)]) -> RotationStatus {
    let root = |pin: &str, role| Root {
        pin: format!("sha256:{pin}"),
        not_after: Timestamp::now() + SignedDuration::from_hours(1000),
        role,
    };
    let mut roots = vec![root("bb", RootRole::Issuing)];
    if rotating {
        roots.insert(0, root("aa", RootRole::Retiring));
    }
    let clusters = clusters
        .iter()
        .map(|(name, moved)| RotationCluster {
            name: (*name).into(),
            moved: *moved,
            detail: if *moved { String::new() } else { "not connected".into() },
        })
        .collect();
    RotationStatus::new(roots, clusters)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_followed_until_every_cluster_has_moved() {
    let desk = Desk::signed_in().await;
    desk.gateway.rotates([
        rotation(true, &[("alpha", false), ("beta", false)]),
        rotation(true, &[("alpha", true), ("beta", false)]),
        rotation(false, &[]),
    ]);
    let outcome = desk.run(&["pki", "rotate"]).await.well();
    assert_eq!(outcome.stdout, "every cluster has moved; the old root is dropped\n");
    let (alpha, beta) = (outcome.stderr.find("ok alpha").unwrap(), outcome.stderr.find("ok beta").unwrap());
    assert!(alpha < beta, "{}", outcome.stderr);
    assert_eq!(desk.gateway.asked(&Method::POST, "/pki/rotate").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_may_be_left_alone_shown_and_finished() {
    let desk = Desk::signed_in().await;
    desk.gateway.rotates([rotation(true, &[("alpha", true), ("beta", false)])]);
    assert!(desk.run(&["pki", "rotate", "--no-wait"]).await.well().stdout.contains("has begun"));
    let shown = desk.run(&["pki", "show"]).await.well();
    for words in ["sha256:aa", "retiring", "sha256:bb", "issuing", "beta", "not connected"] {
        assert!(shown.stdout.contains(words), "{words:?} is not in {}", shown.stdout);
    }
    let json: Value =
        serde_json::from_str(&desk.run(&["pki", "show", "-o", "json"]).await.well().stdout).unwrap();
    assert_eq!(json["rotating"], true);
    desk.run(&["pki", "rotate", "--finish"]).await.ended(2, &["are cut", "beta", "--yes"]);
    assert_eq!(desk.gateway.asked(&Method::POST, "/pki/finish").len(), 0);
    desk.run(&["pki", "rotate", "--finish", "--yes"]).await.well();
    assert_eq!(desk.gateway.asked(&Method::POST, "/pki/finish").len(), 1);
    desk.gateway.rotates([rotation(false, &[])]);
    assert!(desk.run(&["pki", "rotate", "--finish"]).await.well().stdout.contains("no rotation"));
    desk.run(&["pki", "rotate", "--yes"]).await.ended(2, &["--finish"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateways_folder_gives_client_certificates() {
    let desk = Desk::new().await;
    let names = PaperNames { front: vec!["gw.test".into()], tunnel: vec!["gw.test".into()] };
    let papers = Papers::open(&desk.path("data/pki"), &names).unwrap();
    let client = [
        "pki",
        "client",
        "--data",
        "data",
        "--user",
        "bob/../x",
        "--group",
        "trunkline:admins",
        "--out",
        "bob",
    ];
    let outcome = desk.run(&client).await.well();
    assert_eq!(outcome.stdout, "bob/ca.pem\nbob/bob-..-x.pem\nbob/bob-..-x.key\n");
    assert!(outcome.stderr.contains("valid for 90 days"));
    assert_eq!(desk.read("bob/ca.pem"), papers.front_authority().certificate_pem());
    desk.run(&client).await.ended(1, &["exists already", "--out"]);
    desk.run(&["pki", "client", "--data", "nothing", "--user", "bob", "--out", "x"])
        .await
        .ended(5, &["holds no papers"]);
    assert!(!desk.path("nothing").exists(), "and none are made");
    desk.run(&["pki", "client", "--data", "data", "--user", "bob", "--out", "x", "--days", "0"])
        .await
        .ended(2, &["--days"]);
}
