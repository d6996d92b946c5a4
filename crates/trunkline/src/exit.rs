//! How a command ends: a stable number for scripts, words for people, and what to run next.
//!
//! The numbers are promised in `docs/cli.md` and never change their meaning.

/// What a command ends with, when it does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed.
    Failed = 1,
    /// It was typed wrongly.
    Usage = 2,
    /// Nobody is signed in, or the certificate has ended.
    NotSignedIn = 3,
    /// Somebody is, and may not.
    Forbidden = 4,
    /// There is no such thing.
    NotFound = 5,
    /// The cluster is not connected.
    Disconnected = 6,
    /// It took too long.
    TimedOut = 7,
    /// It was done for some and not for all.
    Partial = 8,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// The process's status.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Failure {
    /// For scripts.
    pub(crate) exit: Exit,
    /// What happened and why.
    pub(crate) what: String,
    /// What to run next; empty where there is nothing to say.
    pub(crate) next: String,
}

impl Failure {
    /// A failure without a next command.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: String::new() }
    }

    /// The same, and what to run next.
    pub(crate) fn next(self, command: impl Into<String>) -> Self {
        Self { next: command.into(), ..self }
    }
}

/// How `error` ends the process, and what to run next.
pub(crate) fn of(error: &anyhow::Error) -> (Exit, &str) {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>())
        .map_or((Exit::Failed, ""), |failure| (failure.exit, &failure.next))
}

/// Whether somebody closed standard output, as `| head` does.
pub(crate) fn is_closed_output(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
