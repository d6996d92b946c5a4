//! From a call that failed to words and an exit code.

use http::StatusCode;
use trunkline_api::{Problem, ProblemReason};

use crate::exit::{Exit, Failure};
use crate::sign_in::nobody;
use crate::words::{clip, quote};

/// The longest text of somebody else's that is shown, in characters.
const MOST: usize = 600;

/// The gateway answered with a no.
///
/// `asked` is who answered; `about` the cluster that was asked for, where it was one.
pub(crate) fn of_answer(asked: &str, about: Option<&str>, status: StatusCode, body: &[u8]) -> Failure {
    let Ok(problem) = serde_json::from_slice::<Problem>(body) else {
        // Something before the gateway, or a gateway that has no such API: a Status, a page, nothing.
        let status_message = serde_json::from_slice::<serde_json::Value>(body)
            .ok()
            .and_then(|value| value.get("message")?.as_str().map(str::to_owned))
            .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned());
        let what = format!("{asked} answered {status}: {}", clip(status_message.trim(), MOST));
        return Failure::new(exit(status), what).next("trunkline status");
    };
    let failure = Failure::new(exit(status), clip(&problem.detail, MOST));
    let show = match about {
        Some(name) => format!("trunkline clusters show {}", clip(name, MOST)),
        None => "trunkline clusters".into(),
    };
    match problem.reason {
        ProblemReason::Unauthorized => nobody(&failure.what),
        ProblemReason::NotFound if about.is_some() => failure.next("trunkline clusters list"),
        ProblemReason::Exists => failure.next(format!("{show}; or choose another name")),
        ProblemReason::Conflict => failure.next(format!("{show}, then change it again")),
        ProblemReason::Forbidden => failure.next("ask an administrator to let you into one of these groups"),
        ProblemReason::Unavailable | ProblemReason::Internal => failure.next("trunkline status"),
        _ => failure,
    }
}

fn exit(status: StatusCode) -> Exit {
    match status {
        StatusCode::UNAUTHORIZED => Exit::NotSignedIn,
        StatusCode::FORBIDDEN => Exit::Forbidden,
        StatusCode::NOT_FOUND => Exit::NotFound,
        StatusCode::GATEWAY_TIMEOUT => Exit::TimedOut,
        _ => Exit::Failed,
    }
}

/// Whoever was asked was not reached, or ended the link: `noun` is what it is.
pub(super) fn of_link(noun: &str, url: &str, error: &hyper_util::client::legacy::Error) -> Failure {
    let chain = trunkline_runtime::chain(error);
    let what = format!("cannot reach the {noun} {url}: {}", clip(&chain, MOST));
    let lower = chain.to_ascii_lowercase();
    if lower.contains("invalid peer certificate") {
        return Failure::new(Exit::Failed, what)
            .next("trunkline login with the --ca that the gateway's certificate stands under");
    }
    // The gateway says so by TLS's alerts: it does not take our certificate.
    if lower.contains("received fatal alert") {
        return nobody(&what);
    }
    if lower.contains("deadline has elapsed") || lower.contains("timed out") {
        return Failure::new(Exit::TimedOut, what).next(format!("curl -v {}", quote(url)));
    }
    Failure::new(Exit::Failed, what).next(format!("curl -v {}", quote(url)))
}
