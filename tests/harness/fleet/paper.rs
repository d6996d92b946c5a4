//! The configurations of a fleet's processes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Fleet, MANAGEMENT};

impl Fleet {
    pub(super) fn gateway_file(&self) -> PathBuf {
        let certificate = |name: &str| json!({"certificate": self.paper.path(&format!("{name}.pem")), "key": self.paper.path(&format!("{name}.key"))});
        let declared: Vec<Value> =
            self.clusters.iter().map(|(id, cluster)| json!({"id": id, "uid": cluster.uid})).collect();
        let everything = json!({
            "subjects": {"users": ["*"]}, "clusters": {"names": ["*", MANAGEMENT]}, "role": "custom", "verbs": ["*"],
        });
        // JSON is YAML.
        let config = json!({
            "data": self.paper.path("data"),
            "admin": self.doors.admin,
            "front": {
                "listen": self.doors.front, "certificate": certificate("front"),
                "client_roots": self.paper.path("front-ca.pem"),
            },
            "tunnel": {
                "listen": self.doors.tunnel, "certificate": certificate("tunnel"),
                "roots": self.paper.path("tunnel-ca.pem"),
            },
            "clusters": declared,
            "access": [{"name": "everything", "spec": everything}],
            "logs": {"store": self.plan.store, "intake": self.intake_of(self.doors.intake, &self.spool(MANAGEMENT))},
        });
        self.paper.write("gateway.yaml", config.to_string())
    }

    pub(super) fn agent_file(&self, name: &str) -> PathBuf {
        let cluster = &self.clusters[name];
        let (_, files) = self.paper.agent(&format!("agent-{name}"), &name.parse().unwrap(), cluster.uid, 0);
        let config = json!({
            "cluster": name,
            "gateway": {
                "addresses": [cluster.way], "server_name": "localhost", "roots": self.paper.path("tunnel-ca.pem"),
                "certificate": {"certificate": files.certificate, "key": files.key},
            },
            // Nobody listens there.
            "upstream": {
                "server": "https://127.0.0.1:1", "ca": self.paper.path("upstream-ca.pem"),
                "token_file": self.paper.path("token"),
            },
            "admin": cluster.admin,
            "logs": self.intake_of(cluster.intake, &self.spool(name)),
        });
        self.paper.write(&format!("agent-{name}.yaml"), config.to_string())
    }

    fn intake_of(&self, listen: SocketAddr, spool: &Path) -> Value {
        let tokens = if self.plan.wants_login { vec![self.paper.path("shippers")] } else { vec![] };
        json!({
            "listen": [listen],
            "token_files": tokens,
            "datasets": self.plan.datasets.iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
            "spool": {"folder": spool, "max_mib": self.plan.max_mib},
        })
    }
}
