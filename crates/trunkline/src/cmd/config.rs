//! `trunkline config`

use trunkline_agent::AgentConfig;
use trunkline_gateway::GatewayConfig;
use trunkline_tail::TailConfig;

use crate::cli::{CheckArgs, What};
use crate::cmd::agent::take_proxy_from_environment;
use crate::cmd::print;
use crate::config;

pub(crate) fn check(args: &CheckArgs) -> anyhow::Result<()> {
    match args.what {
        What::Gateway => config::load::<GatewayConfig>(&args.file)?.check_with_files()?,
        What::Tail => config::load::<TailConfig>(&args.file)?.check()?,
        What::Agent => {
            let mut agent: AgentConfig = config::load(&args.file)?;
            take_proxy_from_environment(&mut agent);
            agent.check_certificate()?;
            agent.upstream.check()?;
        }
    }
    print(&format!("{} is usable", args.file.display()))
}
