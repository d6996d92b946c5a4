//! What can go wrong with a provider, in words that say where.

/// Why a provider did not give what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// A URL that is not asked.
    #[error("{url:?} is not asked: {why}")]
    Endpoint {
        /// Its beginning.
        url: String,
        /// Why not.
        why: &'static str,
    },
    /// The file of roots is not usable.
    #[error("the roots of the issuer's certificate are not usable: {0}")]
    Roots(&'static str),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// It was not reached.
    #[error("{url} was not reached")]
    Unreached {
        /// What was asked.
        url: String,
        /// Why.
        source: hyper_util::client::legacy::Error,
    },
    /// It took too long.
    #[error("{url} did not answer within {seconds} s")]
    Slow {
        /// What was asked.
        url: String,
        /// The deadline.
        seconds: u64,
    },
    /// Its answer is too long, or broke off.
    #[error("the answer of {url} broke off, or is longer than {limit} bytes")]
    Body {
        /// What was asked.
        url: String,
        /// The limit.
        limit: usize,
    },
    /// It answered with something else than success.
    #[error("{url} answered {status}{}", redirect(*status))]
    Status {
        /// What was asked.
        url: String,
        /// What it answered.
        status: http::StatusCode,
    },
    /// Its answer is not what was asked for.
    #[error("the answer of {url} is not what was asked for: {why}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// It calls itself something else.
    #[error("{asked} calls itself {says:?}; the issuer's url must be exactly what it calls itself")]
    OtherIssuer {
        /// What it was asked as.
        asked: String,
        /// What it calls itself, at most 200 characters of it.
        says: String,
    },
    /// It does not offer this.
    #[error("the issuer {issuer} offers no {what}")]
    NotOffered {
        /// The issuer.
        issuer: String,
        /// What was wanted.
        what: &'static str,
    },
    /// It refused, in its own words.
    #[error("the issuer refused: {error}{}", described(description))]
    Refused {
        /// The OAuth error code, cleaned.
        error: String,
        /// What it says beside, cleaned; often empty.
        description: String,
    },
    /// There is no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

fn redirect(status: http::StatusCode) -> &'static str {
    if status.is_redirection() { ", a redirect, and redirects are not followed" } else { "" }
}

fn described(description: &str) -> String {
    if description.is_empty() { String::new() } else { format!(" ({description})") }
}

/// Somebody else's text, short and printable.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}
