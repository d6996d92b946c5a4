//! Clusters and datasets whose names join to the same text: their records never meet.
//!
//! Where names are put together without a separator, or with one that a name's own character could be taken for, `eu` and `prodx` are
//! `euprod` and `x`. Each of these clusters has records in each of these datasets, under the same id of the shipper's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use trunkline_tests::fleet::{Fleet, Plan, store_at};
use trunkline_tests::hand_in;
use trunkline_tests::real_parts::OpenSearch;

use crate::stage::Stage;

const CLUSTERS: [&str; 5] = ["eu", "euprod", "eu-prod", "prodeu", "prod-eu"];
const DATASETS: [&str; 5] = ["x", "prodx", "prod_x", "xprod", "x_prod"];
const SOON: Duration = Duration::from_secs(180);

/// The pairs that read alike in one way of putting them together.
fn alike(way: impl Fn(&str, &str) -> String) -> Vec<BTreeSet<(&'static str, &'static str)>> {
    let mut by_text: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
    for cluster in CLUSTERS {
        for dataset in DATASETS {
            by_text.entry(way(cluster, dataset)).or_default().insert((cluster, dataset));
        }
    }
    by_text.into_values().filter(|pairs| pairs.len() > 1).collect()
}

/// What becomes of names where a separator is a character that they may have, or is taken for one.
fn folded(one: &str, other: &str) -> String {
    format!("{one}_{other}").replace('-', "_")
}

#[test]
fn the_names_do_join_to_the_same_text() {
    let none = alike(|cluster, dataset| format!("{cluster}{dataset}"));
    assert!(none.contains(&BTreeSet::from([("eu", "prodx"), ("euprod", "x")])), "{none:?}");
    let none = alike(|cluster, dataset| format!("{dataset}{cluster}"));
    assert!(none.contains(&BTreeSet::from([("eu", "xprod"), ("prodeu", "x")])), "{none:?}");
    let one = alike(folded);
    assert!(one.contains(&BTreeSet::from([("eu", "prod_x"), ("eu-prod", "x")])), "{one:?}");
    let one = alike(|cluster, dataset| folded(dataset, cluster));
    assert!(one.contains(&BTreeSet::from([("eu", "x_prod"), ("prod-eu", "x")])), "{one:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_names_that_join_to_the_same_text_never_meet_in_the_embedded_store() {
    never_meet(json!({"embedded": {}})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_names_that_join_to_the_same_text_never_meet_in_opensearch_in_either_layout() -> Result<()> {
    let Some(stage) = Stage::set().await else { return Ok(()) };
    let opensearch = OpenSearch::start(&stage.folder("opensearch")?).await?;
    for layout in ["shared", "per_cluster"] {
        let mut store = store_at(opensearch.url());
        store["elasticsearch"]["indices"] = layout.into();
        never_meet(store).await;
    }
    opensearch.stop().await?;
    stage.passed()
}

async fn never_meet(store: Value) {
    let fleet = Plan::new(store, &CLUSTERS).datasets(&DATASETS).raise().await;
    for cluster in CLUSTERS {
        for dataset in DATASETS {
            let record = json!({"message": text(cluster, dataset)});
            let body = format!("{}\n{record}\n", json!({"create": {"_id": "the-same"}}));
            let path = format!("/datasets/{dataset}/_bulk");
            let answer = hand_in(fleet.intake(cluster), &path, "application/x-ndjson", body.as_bytes()).await;
            assert_eq!(answer.unwrap().0, 200);
        }
    }
    fleet.finds("", CLUSTERS.len() * DATASETS.len(), SOON).await;
    for cluster in CLUSTERS {
        for dataset in DATASETS {
            let query = format!("clusters={cluster}&q=dataset:{dataset}");
            assert_eq!(fleet.messages(&query).await, [text(cluster, dataset)], "{query}");
        }
    }
    assert_nothing_more(&fleet).await;
}

/// Each has as many as it has datasets, and all of them together no more.
async fn assert_nothing_more(fleet: &Fleet) {
    for cluster in CLUSTERS {
        assert_eq!(fleet.count(&format!("clusters={cluster}")).await, DATASETS.len(), "{cluster}");
    }
    assert_eq!(fleet.count("").await, CLUSTERS.len() * DATASETS.len());
}

fn text(cluster: &str, dataset: &str) -> String {
    format!("{dataset} of {cluster}")
}
