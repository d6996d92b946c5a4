//! How much a record may be: what the intake looks at before it says yes, and the gateway again.

/// The longest record, in bytes of its JSON text.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;
/// How deep objects and lists may lie in each other.
pub const MAX_DEPTH: usize = 32;
/// The most fields of a record, at all depths together.
pub const MAX_FIELDS: usize = 1000;
/// The most [terms](crate::Document::terms) of a document; what is beyond is kept but not found by its field.
pub const MAX_TERMS: usize = 64;
/// The longest term, path and value together, in bytes; a longer one is kept but not found by its field.
pub const MAX_TERM_BYTES: usize = 256;

/// The most bytes of all terms of a document together; what is beyond is kept but not found by its field.
pub const MAX_ALL_TERMS_BYTES: usize = 4 * 1024;

/// Which limit a record does not keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// Its text is longer than [`MAX_RECORD_BYTES`].
    #[error("the record is {0} bytes long, more than {MAX_RECORD_BYTES}")]
    Bytes(usize),
    /// Objects and lists lie deeper than [`MAX_DEPTH`].
    #[error("the record is nested deeper than {MAX_DEPTH}")]
    Depth,
    /// There are more fields than [`MAX_FIELDS`].
    #[error("the record has more than {MAX_FIELDS} fields")]
    Fields,
}
