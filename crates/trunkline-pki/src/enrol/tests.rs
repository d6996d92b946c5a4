//! The link on which an agent enrols, held by whole handshakes in memory.
