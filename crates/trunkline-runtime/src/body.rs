//! The one body type that travels through our processes, and small ready-made bodies.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, LengthLimitError, Limited};

/// Why a body ended before its end.
///
/// A type of its own and no bare box: the compiler cannot see that a future holding the box's conversions may move
/// between threads (rust-lang/rust#102211).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BodyError(Box<dyn std::error::Error + Send + Sync>);

impl BodyError {
    /// Any error as the one error of bodies.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// A streamed body, wherever it comes from.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body of nothing.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is all there.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Any body as the one body type.
pub fn boxed<B>(body: B) -> Body
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    body.map_err(BodyError::new).boxed_unsync()
}

/// Reads a whole body of at most `limit` bytes; `None` when it is longer.
pub async fn limited(body: Body, limit: usize) -> Result<Option<Bytes>, BodyError> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(Some(whole.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(None),
        Err(error) => Err(BodyError(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_over_its_limit_is_not_read_to_the_end() {
        assert_eq!(limited(full("12345"), 5).await.unwrap().unwrap(), "12345");
        assert_eq!(limited(full("123456"), 5).await.unwrap(), None);
    }
}
