//! Why an API server brought no answer.

use std::io;

use trunkline_proto::IdentityMode;
use trunkline_proto::path::PathFault;

use crate::allow::Forbidden;

/// Why an API server brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The identity may not be impersonated here.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The request says whose it is in another way than this upstream is configured for.
    #[error(
        "the request says whose it is by {asked}, and {configured} is what is configured here: the gateway has this cluster \
         registered in another way than its agent runs"
    )]
    OtherMode {
        /// How it says it.
        asked: IdentityMode,
        /// How it is to be said.
        configured: IdentityMode,
    },
    /// The request has no path, or its body cannot be sent.
    #[error("the request has no path that an API server could be asked for")]
    NoPath,
    /// The request's path is not let through.
    #[error(transparent)]
    Path(#[from] PathFault),
    /// No TCP connection.
    #[error("cannot connect to the API server {target}; is it up?")]
    Connect {
        /// Its URL.
        target: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No TLS.
    #[error("the TLS handshake with the API server {target} failed; is upstream.ca its root?")]
    Tls {
        /// Its URL.
        target: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A step took too long.
    #[error("the API server {target} did not finish {step} in time")]
    TimedOut {
        /// Its URL.
        target: String,
        /// What was under way.
        step: &'static str,
    },
    /// Only HTTP/2 is configured and it does not speak it.
    #[error("the API server {target} does not speak HTTP/2; set upstream.protocol to auto or http1")]
    NoHttp2 {
        /// Its URL.
        target: String,
    },
    /// The connection broke before an answer, and trying again was not safe or did not help.
    #[error("the connection to the API server {target} broke before an answer came")]
    Broken {
        /// Its URL.
        target: String,
        /// Why.
        #[source]
        source: hyper::Error,
    },
    /// What was asked for ourselves brought more than is read.
    #[error("the API server {target} answered with more than {limit} bytes; is it an API server?")]
    TooLong {
        /// Its URL.
        target: String,
        /// How much is read.
        limit: usize,
    },
    /// What was asked for ourselves broke off within the answer.
    #[error("the API server {target} broke off within its answer")]
    BrokenOff {
        /// Its URL.
        target: String,
    },
}

/// Whether the API server surely did not process the request that failed like this: it said so, by a GOAWAY that
/// leaves the stream out or by REFUSED_STREAM (RFC 9113 §6.8, §8.7).
pub(crate) fn surely_unprocessed(error: &hyper::Error) -> bool {
    find_h2(error).is_some_and(|h2| {
        (h2.is_go_away() && h2.is_remote() && h2.reason() == Some(h2::Reason::NO_ERROR))
            || (h2.is_reset() && h2.is_remote() && h2.reason() == Some(h2::Reason::REFUSED_STREAM))
    })
}

pub(crate) fn find_h2(error: &hyper::Error) -> Option<&h2::Error> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(h2) = inner.downcast_ref::<h2::Error>() {
            return Some(h2);
        }
        source = inner.source();
    }
    None
}
