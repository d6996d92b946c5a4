//! Why the indexes are not written at the moment. All of it is tried again, from what was committed last.

use super::ledger::LedgerError;

/// Why.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the index cannot be written")]
    Index(#[from] tantivy::TantivyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Spool(#[from] trunkline_spool::ReadError),
    #[error("a chunk of the spool cannot be read")]
    Chunk(#[from] trunkline_spool::BadChunk),
    #[error("the spool does not know what was committed")]
    Acknowledged(#[from] trunkline_spool::NeverWritten),
    #[error("the folders of the index cannot be changed")]
    Folder(#[from] std::io::Error),
    #[error("no index is open")]
    NoWriter,
    #[error("the writer of the index ended by itself")]
    Ended(#[from] tokio::task::JoinError),
}
