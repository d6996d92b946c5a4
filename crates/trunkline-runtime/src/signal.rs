//! Being asked to stop.

use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::Tasks;

/// Waits for SIGTERM or SIGINT. From then on a second one ends the process at once.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn shutdown_signal() -> std::io::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let name = tokio::select! {
        _ = term.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    info!(signal = name, "asked to stop; a second signal ends at once");
    // A family of its own, which nobody stops: this task is for the case that stopping hangs.
    Tasks::new().spawn(async move {
        tokio::select! { _ = term.recv() => {}, _ = interrupt.recv() => {} }
        warn!("second signal: ending at once");
        std::process::exit(130);
    });
    Ok(())
}
