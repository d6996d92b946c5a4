//! Whether what is told of the records is true: the API's status, the command line's, the metrics of all processes.

use serde_json::Value;
use trunkline_tests::fleet::{Fleet, MANAGEMENT};

/// What is sent again under an `_id` may be counted as stored before the embedded store has looked whether it has it.
const AGAIN: u64 = 3;

/// Compares a status in which nothing waits with everything else that is told.
pub(crate) async fn agrees(fleet: &Fleet, status: &Value) {
    let items = status["items"].as_array().unwrap();
    let of = |cluster: &str, field: &str| -> u64 {
        let its = items.iter().filter(|item| item["cluster"] == cluster);
        its.map(|item| item[field].as_u64().unwrap_or_default()).sum()
    };
    for item in items.iter().filter(|item| item["records"].as_u64() > Some(0)) {
        let query = format!(
            "clusters={}&q=dataset:{}",
            item["cluster"].as_str().unwrap(),
            item["dataset"].as_str().unwrap()
        );
        let (there, told) = (fleet.count(&query).await as u64, item["records"].as_u64().unwrap());
        assert!((there..=there + AGAIN).contains(&told), "{there}: {item}");
        assert!(item["lagMs"].as_u64().is_some() && item["spoolCap"].as_u64() > Some(0), "{item}");
        assert_eq!((&item["why"], &item["lost"]), (&Value::Null, &0.into()), "{item}");
        println!("status: {item}");
    }
    assert!(items.iter().any(|item| item["rate"].as_f64() > Some(0.0)), "nothing has a rate: {status}");
    let clusters: Vec<&str> = items.iter().filter_map(|item| item["cluster"].as_str()).collect();
    let all: u64 = items.iter().map(|item| item["records"].as_u64().unwrap()).sum();
    assert_eq!(fleet.gateway_counts("trunkline_gateway_logs_records_total").await, all as f64);
    let own = of(MANAGEMENT, "records") as f64;
    assert_eq!(fleet.gateway_counts("trunkline_intake_records_total").await, own);
    for cluster in ["eu", "prod-eu"] {
        assert!(clusters.contains(&cluster), "{status}");
        let taken = fleet.agent_counts(cluster, "trunkline_intake_records_total").await;
        let shipped = fleet.agent_counts(cluster, "trunkline_agent_logs_records_shipped_total").await;
        let missing = fleet.agent_counts(cluster, "trunkline_agent_logs_records_missing_total").await;
        let stored = of(cluster, "records") as f64;
        println!("{cluster}: {taken} taken, {shipped} shipped, {stored} stored, {missing} missing");
        // What was sent again under its _id is shipped twice and stored once.
        assert!(taken == shipped && shipped >= stored && missing == 0.0, "{cluster}");
    }
    let told = fleet.trunkline(&["logs", "--status"]).await;
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    println!("trunkline logs --status\n{text}{}", told.stderr);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    for item in items {
        let its = [item["cluster"].as_str().unwrap(), item["dataset"].as_str().unwrap()];
        let row = text.lines().find(|line| line.split_whitespace().take(2).eq(its));
        assert!(row.is_some_and(|row| row.trim_end().ends_with("ok")), "{its:?}: {text}");
    }
    assert!(
        text.lines().next().is_some_and(|heads| heads.contains("RECORDS/S") && heads.contains("LAG")),
        "{text}"
    );
    let told = fleet.trunkline(&["logs", "--status", "-o", "json"]).await;
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["items"].as_array().unwrap().len(), items.len());
}
