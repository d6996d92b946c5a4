//! Following files that change: looked at again and again, the last good ones kept.

use std::error::Error;
use std::time::Duration;

use tracing::{error, info};

use crate::chain;

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Calls `refresh` for ever; it says whether what it read has changed. `what` names the files' use in the log.
pub async fn reload_for_ever<E: Error + 'static>(what: &'static str, refresh: impl Fn() -> Result<bool, E>) {
    loop {
        tokio::time::sleep(EVERY).await;
        match refresh() {
            Ok(true) => info!(of = what, "certificate files changed and are in use"),
            Ok(false) => {}
            Err(error) => {
                error!(
                    of = what,
                    error = chain(&error),
                    "certificate files are not usable; keeping the last good ones"
                );
            }
        }
    }
}
