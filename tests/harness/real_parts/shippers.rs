//! Real shippers: each follows a file and ships every line as `message`, with what it adds of its own.
//!
//! Each knows in its folder how far it has come. Started again with the same folder, it goes on there.

mod rsyslog;
mod filebeat;
mod collector;

use std::path::Path;
use std::time::Duration;

use crate::command::Process;
use anyhow::Result;

pub use collector::{Collector, Encoding};
pub use filebeat::Filebeat;
pub use rsyslog::Rsyslog;

/// How long one may take to send what it holds when it is asked to stop.
const STOPS: Duration = Duration::from_secs(20);

/// What a shipper is told.
#[derive(Clone, Copy, Debug)]
pub struct Shipping<'a> {
    /// Its own, for its configuration and what it remembers.
    pub folder: &'a Path,
    /// What it follows, from the beginning.
    pub file: &'a Path,
    /// Whereto, as `http://HOST:PORT`.
    pub url: &'a str,
    /// User and password of basic authentication, which all of them can.
    pub login: Option<(&'a str, &'a str)>,
}

/// Asks a shipper to stop, and waits until it has.
async fn stopped(mut process: Process) -> Result<()> {
    process.signal("TERM").await?;
    process.ended(STOPS).await?;
    Ok(())
}
