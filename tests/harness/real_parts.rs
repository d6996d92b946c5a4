//! The programs of others that tests need, at pinned versions: where they are (`tests/real-parts/README.md`).

mod opensearch;
mod pass_through;
mod shippers;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command::Call;

pub use opensearch::OpenSearch;
pub use pass_through::{Asked, OTLP_INDEX, PassThrough};
pub use shippers::{Collector, Encoding, Filebeat, Rsyslog, Shipping};

/// An install from nothing builds Kubernetes.
const INSTALL_LIMIT: Duration = Duration::from_secs(3600);
/// Ports from below where Linux gives them out by itself, and above those of clusters.
const PORTS: std::ops::Range<u16> = 32_000..32_700;

/// The folder with the scripts.
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("real-parts")
}

/// The real parts, all there.
#[derive(Clone, Debug)]
pub struct Parts {
    folder: PathBuf,
}

impl Parts {
    /// Has them built where they are missing.
    ///
    /// # Errors
    /// When one of them cannot be had: the words of `install`.
    pub async fn find() -> Result<Self> {
        Call::new(scripts().join("install")).within(INSTALL_LIMIT).bytes().await?;
        let folder = Call::new(scripts().join("install")).arg("--print-dir").text().await?;
        Ok(Self { folder: folder.trim().into() })
    }

    /// The same for a suite that does without them where they cannot be had: that is said, and gives none. In CI (`CI` is
    /// set) they must be there.
    pub async fn wanted_by(suite: &str) -> Option<Self> {
        match Self::find().await {
            Ok(parts) => Some(parts),
            Err(error) if std::env::var_os("CI").is_some() => panic!("{suite}: no real parts: {error:#}"),
            Err(error) => {
                // Past the test runner, which keeps what a test prints to itself.
                let words =
                    format!("{suite}: SKIPPED, NOTHING WAS TESTED: real parts cannot be had: {error:#}\n");
                std::io::stderr().write_all(words.as_bytes()).unwrap();
                None
            }
        }
    }

    /// A program.
    pub fn bin(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Python, with the client of Kubernetes.
    pub fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }
}

/// A port that is free now, for a program that cannot be told to take any.
///
/// # Errors
/// When none is found.
pub fn free_port() -> Result<u16> {
    (0..200).map(|_| rand::random_range(PORTS)).find(|port| is_free(*port)).context("no port is free")
}

/// Whether nobody listens at a port of 127.0.0.1.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
