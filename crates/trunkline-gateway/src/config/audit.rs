//! The audit log's part of a gateway's configuration.

use std::time::Duration;

use serde::Deserialize;
use trunkline_audit::{AuditLog, Metrics, Options};

use super::{GatewayConfig, GatewayConfigError};

/// The folder of the audit log within the data folder.
const FOLDER: &str = "audit";

/// How long and how much of the audit log is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// For how many days records and recordings are kept. 90 by default.
    pub days: u64,
    /// How many bytes of records are kept, and as many of recordings. 10 GiB by default.
    pub bytes: u64,
    /// How many records may wait for the disk. 16,384 by default; over it, what cannot be recorded is refused.
    pub queue: usize,
}

impl Default for AuditConfig {
    fn default() -> Self {
        let Options { age, bytes, queue, .. } = Options::default();
        Self { days: age.as_secs() / (24 * 3600), bytes, queue }
    }
}

impl AuditConfig {
    pub(super) fn check(&self) -> Result<(), GatewayConfigError> {
        for (field, value, least, most) in [
            ("days", self.days, 1, 36_500),
            ("bytes", self.bytes, 256 * 1024 * 1024, 1 << 50),
            ("queue", self.queue as u64, 128, 1_000_000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(GatewayConfigError::AuditRange { field, value, least, most });
            }
        }
        Ok(())
    }

    fn options(&self) -> Options {
        let age = Duration::from_secs(self.days * 24 * 3600);
        Options { queue: self.queue, age, bytes: self.bytes, ..Options::default() }
    }
}

impl GatewayConfig {
    /// The audit log: in the data folder, or none that is kept without one.
    pub(crate) fn audit_log(&self, metrics: Metrics) -> Result<AuditLog, GatewayConfigError> {
        Ok(match &self.data {
            Some(data) => AuditLog::open(&data.join(FOLDER), self.audit.options(), metrics)?,
            None => AuditLog::without_folder(),
        })
    }
}
