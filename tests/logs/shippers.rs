//! Real shippers: each follows a file and ships every line as `message`, with what it adds of its own.
//!
//! Each knows in its folder how far it has come. Started again with the same folder, it goes on there.

mod rsyslog;
mod filebeat;
mod collector;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use trunkline_tests::command::Process;

pub(crate) use collector::{Collector, Encoding};
pub(crate) use filebeat::Filebeat;
pub(crate) use rsyslog::Rsyslog;

/// How long one may take to send what it holds when it is asked to stop.
const STOPS: Duration = Duration::from_secs(20);

/// What a shipper is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shipping<'a> {
    /// Its own, for its configuration and what it remembers.
    pub(crate) folder: &'a Path,
    /// What it follows, from the beginning.
    pub(crate) file: &'a Path,
    /// Whereto, as `http://HOST:PORT`.
    pub(crate) url: &'a str,
    /// User and password of basic authentication, which all of them can.
    pub(crate) login: Option<(&'a str, &'a str)>,
}

/// Asks a shipper to stop, and waits until it has.
async fn stopped(mut process: Process) -> Result<()> {
    process.signal("TERM").await?;
    process.ended(STOPS).await?;
    Ok(())
}
