//! A rig whose agents take logs, and whose gateway keeps them.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::Value;
use trunkline_gateway::LogsConfig;
use trunkline_intake::{DatasetConfig, IntakeConfig};

use super::{Rig, RigBuilder};
use crate::shipper::hand_in;

impl RigBuilder {
    /// The gateway keeps logs, and every agent takes them: of the datasets `logs` and `audit`.
    #[must_use]
    pub fn logs(mut self, logs: LogsConfig) -> Self {
        self.logs = Some(logs);
        self
    }
}

impl Rig {
    /// Where an agent's records lie until the gateway has them.
    pub fn spool(&self, name: &str, slot: u16) -> PathBuf {
        self.paper.path(&format!("spool-{name}-{slot}"))
    }

    /// What an agent's log intake is, in a rig that keeps logs.
    pub(super) fn intake_config(&self, name: &str, slot: u16) -> Option<IntakeConfig> {
        self.logs.as_ref().map(|_| intake_config(self.spool(name, slot)))
    }

    /// Where log shippers of a cluster come in.
    pub fn intake(&self, name: &str) -> SocketAddr {
        self.clusters[name].pods[&0].intake()[0]
    }

    /// Hands records in as a shipper does, to a cluster's own intake or the management cluster's; gives the answer.
    pub async fn ship(&self, name: &str, path: &str, records: &[Value]) -> Value {
        let intake = if name == "management" { self.gateway().intake()[0] } else { self.intake(name) };
        let bulk: String = records.iter().map(|record| format!("{{\"create\":{{}}}}\n{record}\n")).collect();
        let answer = hand_in(intake, path, "application/x-ndjson", bulk.as_bytes()).await;
        let (status, answer) = answer.expect("an answer");
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Asks for records as `jane`.
    pub async fn logs(&self, query: &str) -> Value {
        let reply = self.client().get(&format!("/trunkline/v1/logs{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text());
        reply.json()
    }

    /// The messages of the records that are found, the oldest first; at most 1,000.
    pub async fn messages(&self, query: &str) -> Vec<String> {
        let found = self.logs(&format!("?limit=1000&order=oldest&{query}")).await;
        let items = found["items"].as_array().unwrap();
        items.iter().map(|item| item["message"].as_str().unwrap().to_owned()).collect()
    }
}

/// An intake on a port of the kernel's choice, with two datasets.
pub fn intake_config(folder: PathBuf) -> IntakeConfig {
    let config = serde_json::json!({"listen": ["127.0.0.1:0"], "spool": {"folder": folder}});
    let mut config: IntakeConfig = serde_json::from_value(config).unwrap();
    config.datasets =
        ["logs", "audit"].map(|name| DatasetConfig { name: name.parse().unwrap(), listen: None }).into();
    config
}
