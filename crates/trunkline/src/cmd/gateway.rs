//! `trunkline gateway`

use std::path::PathBuf;
use std::time::Duration;

use tracing::{error, info};
use trunkline_gateway::{FirstRun, FleetHandle, Gateway, GatewayConfig};
use trunkline_runtime::{chain, shutdown_signal};

use crate::cli::{LogArgs, RunArgs};
use crate::cmd::start;
use crate::config;
use crate::words::say;

/// How often the configuration file is looked at.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &RunArgs, log: &LogArgs) -> anyhow::Result<()> {
    let text = config::read(&args.config)?;
    let gateway: GatewayConfig = config::parse(&text, &args.config)?;
    let runtime = start(log)?;
    runtime.block_on(async {
        let gateway = Gateway::bind(gateway).await?;
        if let Some(first_run) = gateway.first_run() {
            tell(first_run);
        }
        let running = gateway.serve()?;
        running.tasks().spawn_until_stopped(follow(args.config.clone(), text, running.fleet()));
        shutdown_signal().await?;
        running.drain().await;
        info!("gateway stopped");
        Ok(())
    })
}

/// Tells the first-run code to whoever started the gateway: in plain lines, whatever the log's form.
fn tell(first_run: &FirstRun) {
    say("");
    say("  Nobody can sign in here yet. This code makes the first admin, once, and is shown only now:");
    say("");
    say(&format!("      {}", first_run.reveal()));
    say("");
    say(&format!(
        "  It is good until {:.0}:  trunkline login https://GATEWAY --ca CA.pem --setup",
        first_run.until
    ));
    say(
        "  Or make yourself a certificate:  trunkline pki client --data DIR --user NAME --group trunkline:admins",
    );
    say("");
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
