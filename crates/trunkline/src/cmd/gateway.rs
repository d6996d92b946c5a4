//! `trunkline gateway`

use std::path::PathBuf;
use std::time::Duration;

use tracing::{error, info};
use trunkline_gateway::{FleetHandle, Gateway, GatewayConfig};
use trunkline_runtime::{chain, shutdown_signal};

use crate::cli::{LogArgs, RunArgs};
use crate::cmd::start;
use crate::config;

/// How often the configuration file is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &RunArgs, log: &LogArgs) -> anyhow::Result<()> {
    let text = config::read(&args.config)?;
    let gateway: GatewayConfig = config::parse(&text, &args.config)?;
    let runtime = start(log)?;
    runtime.block_on(async {
        let running = Gateway::bind(gateway).await?.serve()?;
        running.tasks().spawn_until_stopped(follow(args.config.clone(), text, running.fleet()));
        shutdown_signal().await?;
        running.drain().await;
        info!("gateway stopped");
        Ok(())
    })
}

/// Follows the clusters and revoked serials of the file. What else changes in it needs a restart.
///
/// A text counts once it was read twice alike: a file that is being written must not cut the fleet.
async fn follow(path: PathBuf, mut text: String, fleet: FleetHandle) {
    let mut draft = None;
    loop {
        tokio::time::sleep(FOLLOW_EVERY).await;
        let Ok(newest) = config::read(&path) else { continue };
        if newest == text {
            draft = None;
            continue;
        }
        if draft.as_ref() != Some(&newest) {
            draft = Some(newest);
            continue;
        }
        text = newest;
        let followed = config::parse::<GatewayConfig>(&text, &path)
            .and_then(|newest| fleet.follow(&newest).map_err(Into::into));
        match followed {
            Ok(()) => info!("the configuration's clusters and revoked serials are in force"),
            Err(error) => {
                error!(
                    error = chain(error.as_ref()),
                    "the configuration changed and is not usable; the old one stays"
                );
            }
        }
    }
}
