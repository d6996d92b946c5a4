//! Asks the API server which of its rights in the cluster this agent has: `SelfSubjectAccessReview` (authorization.k8s.io/v1),
//! which every service account may create about itself.
//!
//! What is asked about follows from the configuration: with no list of groups any may come, so any must be allowed.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tracing::{info, warn};
use trunkline_proto::{IdentityMode, MAX_RIGHTS, Right, RightsReport};
use trunkline_runtime::chain;
use trunkline_upstream::Upstream;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// How long asking about all of them may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How often they are asked about when all that are needed are there. While one is missing, with every look at the API server:
/// a right that is given is noticed.
const EVERY: Duration = Duration::from_secs(600);
/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Which rights there are, by the last answer.
#[derive(Debug, Default)]
pub(crate) struct Rights {
    last: Option<RightsReport>,
    next: Option<Instant>,
}

impl Rights {
    /// What the API server said last, after asking it again if that is due.
    pub(crate) async fn look(&mut self, upstream: &Upstream) -> Option<RightsReport> {
        if self.next.is_some_and(|next| Instant::now() < next) {
            return self.last.clone();
        }
        let needed = needed(upstream.mode(), upstream.groups());
        let asked = u16::try_from(needed.len()).unwrap_or(u16::MAX);
        let missing = tokio::time::timeout(DEADLINE, missing(upstream, needed)).await;
        let silent = || Err(format!("the API server did not say so within {} s", DEADLINE.as_secs()));
        let report = match missing.unwrap_or_else(|_| silent()) {
            Ok(missing) => RightsReport { asked, missing, fault: String::new() },
            Err(fault) => RightsReport { asked, missing: Vec::new(), fault },
        };
        if self.last.as_ref() != Some(&report) {
            tell(&report);
        }
        let settled = report.fault.is_empty() && !report.missing.iter().any(|right| right.needed);
        self.next = settled.then(|| Instant::now() + EVERY);
        self.last = Some(report);
        self.last.clone()
    }
}

fn tell(report: &RightsReport) {
    let missing: Vec<String> = report.missing.iter().map(ToString::to_string).collect();
    match (report.fault.as_str(), missing.is_empty()) {
        ("", true) => info!(rights = report.asked, "this agent has its rights in the cluster"),
        ("", false) => warn!(
            missing = missing.join(", "),
            "this agent lacks rights in the cluster; apply its newest manifest"
        ),
        (fault, _) => info!(fault, "this agent could not find out which rights it has"),
    }
}

/// What an agent in this mode needs that takes these groups, or any if there are none.
fn needed(mode: IdentityMode, groups: &[String]) -> Vec<Right> {
    let right = |verb: &str, resource: &str, name: &str, needed| Right {
        verb: verb.into(),
        resource: resource.into(),
        name: name.into(),
        needed,
    };
    if mode == IdentityMode::PassThrough {
        return Vec::new();
    }
    let mut rights = vec![right("impersonate", "users", "", true)];
    match groups {
        [] => rights.push(right("impersonate", "groups", "", true)),
        // One place is kept for what follows.
        groups => rights.extend(
            groups.iter().take(MAX_RIGHTS - 2).map(|group| right("impersonate", "groups", group, true)),
        ),
    }
    rights.push(right("list", "nodes", "", false));
    rights
}

async fn missing(upstream: &Upstream, needed: Vec<Right>) -> Result<Vec<Right>, String> {
    let mut missing = Vec::new();
    for right in needed {
        if !is_allowed(upstream, &right).await? {
            missing.push(right);
        }
    }
    Ok(missing)
}

async fn is_allowed(upstream: &Upstream, right: &Right) -> Result<bool, String> {
    let Right { verb, resource, name, .. } = right;
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "resource": resource, "name": name}},
    });
    let request = Request::post(REVIEWS)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(review.to_string()))
        .map_err(|error| error.to_string())?;
    let answer = upstream.ask(request, MAX_ANSWER).await.map_err(|error| chain(&error))?;
    read(answer.status(), answer.body())
}

/// What a review says.
fn read(status: StatusCode, body: &[u8]) -> Result<bool, String> {
    #[derive(Deserialize)]
    struct Review {
        status: Verdict,
    }
    #[derive(Deserialize)]
    struct Verdict {
        allowed: bool,
    }
    if !status.is_success() {
        return Err(format!("the API server answers {status} to a SelfSubjectAccessReview"));
    }
    let review: Result<Review, _> = serde_json::from_slice(body);
    review
        .map(|review| review.status.allowed)
        .map_err(|_| "what the API server answers is no SelfSubjectAccessReview".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mode: IdentityMode, groups: &[&str]) -> Vec<String> {
        let groups: Vec<String> = groups.iter().map(|&group| group.into()).collect();
        needed(mode, &groups).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_needed_follows_from_the_configuration() {
        let impersonates = IdentityMode::Impersonate;
        assert_eq!(words(impersonates, &[]), ["impersonate users", "impersonate groups", "list nodes"]);
        assert_eq!(
            words(impersonates, &["dev", "ops"]),
            ["impersonate users", "impersonate groups \"dev\"", "impersonate groups \"ops\"", "list nodes"]
        );
        assert!(words(IdentityMode::PassThrough, &["dev"]).is_empty());
        assert!(needed(impersonates, &[]).iter().all(|right| right.needed == (right.verb == "impersonate")));
        let many = vec!["g"; 500];
        assert_eq!(words(impersonates, &many).len(), MAX_RIGHTS);
    }

    #[test]
    fn only_a_review_says_whether_a_right_is_there() {
        let yes = br#"{"kind":"SelfSubjectAccessReview","status":{"allowed":true,"reason":"RBAC"}}"#;
        let no = br#"{"kind":"SelfSubjectAccessReview","status":{"allowed":false}}"#;
        assert_eq!(read(StatusCode::CREATED, yes), Ok(true));
        assert_eq!(read(StatusCode::CREATED, no), Ok(false));
        assert!(read(StatusCode::OK, b"{}").unwrap_err().contains("no SelfSubjectAccessReview"));
        assert!(read(StatusCode::NOT_FOUND, yes).unwrap_err().contains("404"));
    }
}
