//! What every long-running process of ours needs: tasks with an owner, a place for work that may wait, doors that stay open, readiness, an
//! admin port, logging, signals.
//!
//! A process is made in three calls: *bind* holds every port and answers nothing, *serve* starts the tasks, and
//! *drain* stops accepting, waits for what is in flight, then cuts.
//!
//! Invariants:
//! - every task is spawned through [`Tasks`]: one place decides on which runtime it runs, and shutting down
//!   waits for it;
//! - an accept loop never ends on an error of one connection (CVE-2024-47609);
//! - nothing here knows of clusters.

mod tasks;
mod aside;
mod door;
mod ready;
mod admin;
mod body;
mod chain;
mod reload;
mod logging;
mod signal;
mod io;

pub use admin::{Admin, Metrics};
pub use aside::{Pieces, step_aside};
pub use body::{Body, BodyError, boxed, empty, full, limited};
pub use chain::chain;
pub use door::{BindError, Door, open_files_limit, tune};
pub use io::{Broken, Copied, copy_both_ways};
pub use logging::{LogFormat, init as init_logging};
pub use ready::{Gate, Readiness};
pub use reload::reload_for_ever;
pub use signal::shutdown_signal;
pub use tasks::Tasks;
