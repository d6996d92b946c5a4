//! `trunkline agent`

use tracing::info;
use trunkline_agent::{Agent, AgentConfig, ProxyConfig};
use trunkline_runtime::shutdown_signal;

use crate::cli::{LogArgs, RunArgs};
use crate::cmd::start;
use crate::config;

pub(crate) fn run(args: &RunArgs, log: &LogArgs) -> anyhow::Result<()> {
    let mut agent: AgentConfig = config::load(&args.config)?;
    take_proxy_from_environment(&mut agent);
    let runtime = start(log)?;
    runtime.block_on(async {
        let running = Agent::bind(agent).await?.serve();
        shutdown_signal().await?;
        running.drain().await;
        info!("agent stopped");
        Ok(())
    })
}

/// The usual variables count where the file names no proxy.
pub(crate) fn take_proxy_from_environment(agent: &mut AgentConfig) {
    if agent.gateway.proxy.is_some() {
        return;
    }
    let variable = |names: [&str; 2]| names.iter().find_map(|name| std::env::var(name).ok());
    let Some(url) = variable(["HTTPS_PROXY", "https_proxy"]).filter(|url| !url.is_empty()) else { return };
    let no_proxy = variable(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    agent.gateway.proxy = Some(ProxyConfig { url: Some(url), url_file: None, no_proxy, ca: None });
}
