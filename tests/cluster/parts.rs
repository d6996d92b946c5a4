//! Real clusters: one cluster's start and end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use trunkline_tests::real_parts::is_free;
pub(crate) use trunkline_tests::real_parts::{Parts, free_port, scripts};

use crate::command::{Call, Process};

/// What cluster-up itself promises, and a little.
const UP_LIMIT: Duration = Duration::from_secs(100);
const DOWN_LIMIT: Duration = Duration::from_secs(30);
/// Ports are taken from below where Linux gives them out by itself, and where `free_port` does.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// The real parts, built where they are missing, for one who may have a node.
pub(crate) async fn find() -> Result<Parts> {
    let user = Call::new("id").arg("-u").text().await?;
    ensure!(user.trim() == "0", "a cluster's node needs root");
    Parts::find().await
}

/// One real cluster, on its way up or up.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) dir: PathBuf,
    coming: Process,
}

impl Cluster {
    /// Sets off. `extra` are flags for its API server.
    pub(crate) fn start(name: &str, node: bool, extra: &str, folder: &Path) -> Result<Self> {
        let port = free_base()?;
        let dir = folder.join(name);
        std::fs::create_dir_all(&dir)?;
        let coming = Call::new(scripts().join("cluster-up"))
            .args(node.then_some("--node"))
            .args([name, &port.to_string()])
            .arg(&dir)
            .env("APISERVER_EXTRA", extra)
            .start(folder, &format!("{name}-up"))?;
        Ok(Self { name: name.to_owned(), port, dir, coming })
    }

    /// Waits until it is up.
    pub(crate) async fn came_up(&mut self) -> Result<()> {
        let status = self.coming.ended(UP_LIMIT).await?;
        ensure!(status.success(), "cluster {} did not come up: {}", self.name, self.coming.log());
        Ok(())
    }

    /// Waits until it is up, and gives an agent its rights there.
    pub(crate) async fn up(&mut self) -> Result<()> {
        self.came_up().await?;
        let out = self.dir.join("agent");
        Call::new(scripts().join("agent-access")).arg(self.kubeconfig()).arg(out).bytes().await?;
        Ok(())
    }

    /// Takes it down, however far it has come.
    pub(crate) async fn down(mut self) -> Result<()> {
        if self.coming.pid().is_ok() {
            // It takes down what it has begun.
            let _ = self.coming.signal("TERM").await;
            self.coming.ended(DOWN_LIMIT).await?;
        }
        let down = Call::new(scripts().join("cluster-down")).arg(&self.name).arg(&self.dir);
        down.within(DOWN_LIMIT).bytes().await?;
        Ok(())
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// The address by which its pods reach what listens on this machine.
    pub(crate) fn pods_see_machine_at(&self) -> String {
        let block = self.port / 10;
        format!("10.{}.{}.1", 200 + block / 256, block % 256)
    }

    /// A file of its PKI.
    pub(crate) fn pki(&self, file: &str) -> PathBuf {
        self.dir.join("pki").join(file)
    }
}

/// A base port of which the ports that a cluster uses are free.
fn free_base() -> Result<u16> {
    let free = |base: &u16| (0..8).all(|offset| is_free(base + offset));
    (0..200)
        .map(|_| rand::random_range(PORTS.start / 10..PORTS.end / 10) * 10)
        .find(free)
        .context("no ports for a cluster are free")
}
