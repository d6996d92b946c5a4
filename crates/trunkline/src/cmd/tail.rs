//! `trunkline tail`

use anyhow::bail;
use tracing::info;
use trunkline_runtime::shutdown_signal;
use trunkline_tail::{Tail, TailConfig};

use crate::cli::{LogArgs, RunArgs};
use crate::cmd::start;
use crate::config;

pub(crate) fn run(args: &RunArgs, log: &LogArgs) -> anyhow::Result<()> {
    let tail: TailConfig = config::load(&args.config)?;
    let runtime = start(log)?;
    runtime.block_on(async {
        let mut running = Tail::bind(tail).await?.serve();
        tokio::select! {
            signal = shutdown_signal() => signal?,
            () = running.ended() => bail!("following files ended by a mistake of ours; its log says which"),
        }
        running.drain().await;
        info!("tail stopped");
        Ok(())
    })
}
