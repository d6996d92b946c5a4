//! What one user and one cluster may have of the gateway.

use serde::Deserialize;

use super::GatewayConfigError;

/// The least number of bytes per second, so that pacing is by more than one frame a second.
const LEAST_BYTES: u64 = 64 * 1024;

/// What one user, and one cluster, may have, so that nobody takes it all.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// What one user may have, by all sessions and connections together.
    pub user: UserLimitsConfig,
    /// What may be under way to one cluster, by all users together.
    pub cluster: ClusterLimitsConfig,
    /// Bytes per second; not limited by default.
    pub bytes: ByteLimitsConfig,
}

/// What one user may have.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserLimitsConfig {
    /// Requests under way, long-lived and ordinary ones together. 2,048 by default.
    pub requests: usize,
    /// Requests that may begin each second. 1,000 by default.
    pub opens_per_second: u64,
    /// Requests that may begin at once after a rest. 2,000 by default.
    pub opens_burst: u64,
}

impl Default for UserLimitsConfig {
    fn default() -> Self {
        Self { requests: 2048, opens_per_second: 1000, opens_burst: 2000 }
    }
}

/// What may be under way to one cluster.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterLimitsConfig {
    /// Requests under way, long-lived and ordinary ones together. 8,192 by default.
    pub requests: usize,
    /// Requests that may begin each second. 5,000 by default.
    pub opens_per_second: u64,
    /// Requests that may begin at once after a rest. 10,000 by default.
    pub opens_burst: u64,
}

impl Default for ClusterLimitsConfig {
    fn default() -> Self {
        Self { requests: 8192, opens_per_second: 5000, opens_burst: 10_000 }
    }
}

/// Bytes per second, of bodies and upgrades in both directions together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByteLimitsConfig {
    /// Of one user. Not limited when not given.
    pub user_per_second: Option<u64>,
    /// To and from one cluster. Not limited when not given.
    pub cluster_per_second: Option<u64>,
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), GatewayConfigError> {
        let Self { user, cluster, bytes } = self;
        for (limit, name) in [
            (user.requests as u64, "limits.user.requests"),
            (user.opens_per_second, "limits.user.opens_per_second"),
            (user.opens_burst, "limits.user.opens_burst"),
            (cluster.requests as u64, "limits.cluster.requests"),
            (cluster.opens_per_second, "limits.cluster.opens_per_second"),
            (cluster.opens_burst, "limits.cluster.opens_burst"),
        ] {
            if limit == 0 {
                return Err(GatewayConfigError::Zero(name));
            }
        }
        for (limit, field) in [
            (bytes.user_per_second, "limits.bytes.user_per_second"),
            (bytes.cluster_per_second, "limits.bytes.cluster_per_second"),
        ] {
            if let Some(value) = limit.filter(|value| *value < LEAST_BYTES) {
                return Err(GatewayConfigError::TooLittle { field, value, least: LEAST_BYTES });
            }
        }
        Ok(())
    }
}
