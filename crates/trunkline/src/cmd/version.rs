//! `trunkline version`

use crate::cmd::print;

pub(crate) fn run() -> anyhow::Result<()> {
    print(&format!(
        "trunkline {} (tunnel protocol {})",
        env!("CARGO_PKG_VERSION"),
        trunkline_proto::PROTOCOL.0
    ))
}
