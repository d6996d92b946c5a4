//! The log lane, whole: a shipper at an agent's intake, the spool, the tunnel, the embedded store, the search.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_gateway::LogsConfig;
use trunkline_tests::{Rig, hand_in, wait_until};

const SOON: Duration = Duration::from_secs(60);

/// Canaries of a cluster: each says whose it is.
fn canaries(of: &str, many: usize) -> Vec<Value> {
    (0..many)
        .map(|at| json!({"message": format!("canary {of} {at}"), "level": "info", "app": "web"}))
        .collect()
}

/// Waits until so many records are found.
async fn found(rig: &Rig, query: &str, many: usize) -> Vec<String> {
    wait_until(&format!("{many} records of {query}"), SOON, async || {
        let messages = rig.messages(query).await;
        (messages.len() >= many).then_some(messages)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_two_clusters_are_found_once_each_under_their_own_cluster_only() {
    let rig = Rig::builder().cluster("eu").cluster("prod-eu").logs(LogsConfig::default()).start().await;
    for cluster in ["eu", "prod-eu"] {
        let answer = rig.ship(cluster, "/_bulk", &canaries(cluster, 300)).await;
        assert_eq!(
            (answer["errors"].as_bool(), answer["items"].as_array().unwrap().len()),
            (Some(false), 300)
        );
    }
    for (cluster, other) in [("eu", "prod-eu"), ("prod-eu", "eu")] {
        let messages = found(&rig, &format!("clusters={cluster}"), 300).await;
        assert_eq!(messages.len(), 300);
        assert_eq!(messages.iter().collect::<BTreeSet<_>>().len(), 300);
        assert!(messages.iter().all(|message| message.starts_with(&format!("canary {cluster} "))), "{other}");
    }
    let top = rig.logs("/top?field=cluster").await;
    assert_eq!(top["with"], 600);
    let histogram = rig.logs("/histogram?slices=10&by=cluster&q=canary").await;
    let slices = histogram["slices"].as_array().unwrap();
    assert_eq!(slices.iter().map(|slice| slice["count"].as_u64().unwrap()).sum::<u64>(), 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_shipper_says_of_index_pipeline_or_cluster_changes_nothing() {
    let rig = Rig::builder().cluster("eu").cluster("us").logs(LogsConfig::default()).start().await;
    let foreign = [
        json!({"message": "one", "cluster": {"id": "us", "uid": rig.cluster("us").uid}}),
        json!({"message": "two", "cluster.id": "us", "trunkline": {"dataset": "audit"}}),
    ];
    rig.ship("eu", "/trunkline-logs.audit.2026-01-01/_bulk?pipeline=x&routing=us", &foreign).await;
    let messages = found(&rig, "clusters=eu&q=dataset:logs", 2).await;
    assert_eq!(messages.into_iter().collect::<BTreeSet<_>>(), ["one", "two"].map(str::to_owned).into());
    assert!(rig.messages("clusters=us").await.is_empty());
    rig.ship("eu", "/datasets/audit/_bulk", &[json!({"message": "three"})]).await;
    assert_eq!(found(&rig, "q=dataset:audit", 1).await, ["three"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_enrols_under_the_name_of_one_that_went_sees_none_of_its_records() {
    let mut rig =
        Rig::builder().cluster("eu").cluster("us").enrolling().logs(LogsConfig::default()).start().await;
    let under_an_id =
        |of: &str| format!("{{\"create\":{{\"_id\":\"the-same\"}}}}\n{{\"message\":\"{of}\"}}\n");
    for cluster in ["eu", "us"] {
        rig.ship(cluster, "/_bulk", &canaries(cluster, 50)).await;
    }
    let said = under_an_id("of the one before");
    assert_eq!(
        hand_in(rig.intake("eu"), "/_bulk", "application/json", said.as_bytes()).await.unwrap().0,
        200
    );
    found(&rig, "clusters=eu", 51).await;
    let (id, before) = (rig.cluster("eu").id.clone(), rig.cluster("eu").uid);
    rig.cut_pod("eu", 0).await;
    rig.registry().remove(&id).await.unwrap();
    // It is another cluster: it has neither a key nor records yet.
    std::fs::remove_dir_all(rig.identity("eu")).unwrap();
    std::fs::remove_dir_all(rig.spool("eu", 0)).unwrap();
    rig.register("eu").await;
    rig.start_pod("eu", 0).await;
    assert_ne!(rig.cluster("eu").uid, before);
    assert!(rig.messages("clusters=eu").await.is_empty());
    // Under the id that the one before gave it is no record of the one before.
    let said = under_an_id("of the new one");
    assert_eq!(
        hand_in(rig.intake("eu"), "/_bulk", "application/json", said.as_bytes()).await.unwrap().0,
        200
    );
    assert_eq!(found(&rig, "clusters=eu", 1).await, ["of the new one"]);
    assert_eq!(rig.messages("").await.len(), 51, "fifty of the other cluster, and one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_that_was_restored_from_an_older_copy_loses_no_new_record_and_brings_no_old_one_twice() {
    let mut rig = Rig::builder().cluster("eu").logs(LogsConfig::default()).start().await;
    let (spool, copy) = (rig.spool("eu", 0), rig.data(0).join("copy of the spool"));
    let ship = async |rig: &Rig, of: &str, all: usize| {
        rig.ship("eu", "/_bulk", &canaries(of, 20)).await;
        found(rig, "clusters=eu", all).await;
    };
    ship(&rig, "before", 20).await;
    rig.cut_pod("eu", 0).await;
    copy_folder(&spool, &copy);
    rig.start_agent("eu").await;
    // These have sequences that the copy does not know of.
    ship(&rig, "since", 40).await;
    rig.cut_pod("eu", 0).await;
    std::fs::remove_dir_all(&spool).unwrap();
    copy_folder(&copy, &spool);
    rig.start_agent("eu").await;
    ship(&rig, "after", 60).await;
    let messages = rig.messages("clusters=eu").await;
    let once: BTreeSet<&String> = messages.iter().collect();
    assert_eq!((messages.len(), once.len()), (60, 60));
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_arrives_once_whatever_is_cut_meanwhile() {
    let mut rig = Rig::builder().cluster("eu").logs(LogsConfig::default()).start().await;
    let mut sent = 0;
    for round in 0..6 {
        let records: Vec<Value> =
            (0..200).map(|at| json!({"message": format!("record {}", sent + at)})).collect();
        rig.ship("eu", "/_bulk", &records).await;
        sent += records.len();
        match round % 3 {
            0 => {
                rig.cut_agent("eu").await;
                rig.start_agent("eu").await;
            }
            1 => {
                rig.cut_gateway(0).await;
                rig.start_gateway(0).await;
            }
            _ => {}
        }
    }
    let mut all = BTreeSet::new();
    wait_until("all of them", SOON, async || {
        all = rig.messages("q=record").await.into_iter().collect();
        let count = rig.logs("/histogram?slices=1&q=record").await["slices"][0]["count"].as_u64();
        (count >= Some(sent as u64)).then_some(())
    })
    .await;
    let count = rig.logs("/histogram?slices=1&q=record").await["slices"][0]["count"].as_u64();
    assert_eq!(count, Some(sent as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_can_be_no_document_is_a_dead_letter_and_holds_nothing_up() {
    let rig = Rig::builder().cluster("eu").logs(LogsConfig::default()).start().await;
    let answer = rig
        .ship(
            "eu",
            "/_bulk",
            &[json!({"message": "before"}), json!("no object"), json!({"message": "after"})],
        )
        .await;
    assert_eq!(answer["errors"], true, "{answer}");
    let items = answer["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|item| item["create"]["status"].as_u64().unwrap()).collect::<Vec<_>>(),
        [201, 400, 201]
    );
    let messages = found(&rig, "clusters=eu", 2).await;
    assert_eq!(messages.into_iter().collect::<BTreeSet<_>>(), ["after", "before"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_decides_whose_records_are_read_and_of_which_namespaces() {
    let rules = [
        json!({"name": "eu", "spec": {"subjects": {"users": ["eva"]}, "clusters": {"names": ["eu"]}, "role": "viewer"}}),
        json!({"name": "shop", "spec": {
            "subjects": {"users": ["sam"]}, "clusters": {"names": ["us"]}, "role": "viewer", "namespaces": ["shop"],
        }}),
        json!({"name": "mia-eu", "spec": {"subjects": {"users": ["mia"]}, "clusters": {"names": ["eu"]}, "role": "viewer"}}),
        json!({"name": "mia-us", "spec": {
            "subjects": {"users": ["mia"]}, "clusters": {"names": ["us"]}, "role": "viewer", "namespaces": ["bank"],
        }}),
        json!({"name": "all", "spec": {"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "admin"}}),
        json!({"name": "config", "spec": {
            "subjects": {"users": ["carl"]}, "clusters": {"names": ["*"]}, "role": "custom", "verbs": ["get"], "resources": ["configmaps"],
        }}),
    ];
    let rig =
        Rig::builder().cluster("eu").cluster("us").access(&rules).logs(LogsConfig::default()).start().await;
    for cluster in ["eu", "us"] {
        let of = |namespace: &str| json!({"message": format!("{cluster} {namespace}"), "kubernetes": {"namespace": namespace}});
        rig.ship(cluster, "/_bulk", &[of("shop"), of("bank")]).await;
    }
    found(&rig, "", 4).await;
    for (user, sees) in [
        ("eva", vec!["eu bank", "eu shop"]),
        ("sam", vec!["us shop"]),
        ("mia", vec!["eu bank", "eu shop", "us bank"]),
        ("carl", vec![]),
    ] {
        for query in ["", "?q=-x", "?q=shop OR bank OR cluster:us OR cluster:eu"] {
            let path = format!("/trunkline/v1/logs{}", query.replace(' ', "%20"));
            let reply = rig.client_as(user, &[]).get(&path).await;
            assert_eq!(reply.status, 200, "{user}: {}", reply.text());
            let items = reply.json()["items"].as_array().unwrap().clone();
            let mut seen: Vec<_> =
                items.iter().map(|item| item["message"].as_str().unwrap().to_owned()).collect();
            seen.sort();
            let sees: Vec<_> = if query.contains("OR") || query.is_empty() || query.contains("-x") {
                sees.clone()
            } else {
                vec![]
            };
            assert_eq!(seen, sees, "{user} {query}");
        }
        let top = rig.client_as(user, &[]).get("/trunkline/v1/logs/top?field=cluster").await.json();
        assert_eq!(top["with"], sees.len(), "{user}");
    }
    let no = rig.client_as("eva", &[]).get("/trunkline/v1/logs?clusters=us").await;
    assert_eq!((no.status.as_u16(), no.reason().as_str()), (403, "Forbidden"), "{}", no.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn which_machines_the_store_is_on_is_told_to_who_sees_all_of_the_fleet() {
    let rules = [
        json!({"name": "eu", "spec": {"subjects": {"users": ["eva"]}, "clusters": {"names": ["eu"]}, "role": "viewer"}}),
        json!({"name": "all", "spec": {"subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "admin"}}),
    ];
    let nobody = "127.0.0.1:9";
    let store = json!({"store": {"elasticsearch": {"urls": [format!("http://{nobody}")]}}});
    let logs: LogsConfig = serde_json::from_value(store).unwrap();
    let rig = Rig::builder().cluster("eu").access(&rules).logs(logs).start().await;
    rig.ship("eu", "/_bulk", &canaries("eu", 3)).await;
    let paths =
        ["/logs/status", "/clusters/eu/status", "/logs", "/logs/top?field=cluster", "/logs/histogram"];
    let told = async |user: &str, path: &str| {
        rig.client_as(user, &["trunkline:admins"][..usize::from(user == "jane")])
            .get(&format!("/trunkline/v1{path}"))
            .await
            .text()
    };
    for path in paths {
        wait_until(&format!("{path} says what is wrong"), SOON, async || {
            told("jane", path).await.contains(nobody).then_some(())
        })
        .await;
        let less = told("eva", path).await;
        assert!(less.contains("the log store takes or answers nothing now"), "{path}: {less}");
        assert!(!less.contains(nobody), "{path}: {less}");
    }
}
