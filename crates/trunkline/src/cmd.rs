//! The commands, one module each. Data goes to standard output, the rest to standard error.

pub(crate) mod gateway;
pub(crate) mod agent;
pub(crate) mod demo;
pub(crate) mod pki;
pub(crate) mod config;
pub(crate) mod version;

use std::io::Write as _;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use trunkline_runtime::{LogFormat, init_logging};

use crate::cli::{Format, LogArgs};

/// A line for people, on standard error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// A line of data, on standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("standard output is closed")
}

/// Sets logging up and makes the runtime that everything of a long-running command runs on.
pub(crate) fn start(log: &LogArgs) -> anyhow::Result<Runtime> {
    let format = match log.log_format {
        Format::Text => LogFormat::Text,
        Format::Json => LogFormat::Json,
    };
    init_logging(format, &log.log)
        .map_err(|error| anyhow::anyhow!("--log {:?} is not a log filter: {error}", log.log))?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}
