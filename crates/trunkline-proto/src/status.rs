//! The Kubernetes `Status` object: what every error of ours looks like to a Kubernetes client.

use http::StatusCode;
use serde::Serialize;

/// A Kubernetes `Status` (meta/v1) that reports a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    kind: &'static str,
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    metadata: Empty,
    status: &'static str,
    message: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details>,
    code: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Empty {}

/// What a program may want to know beside the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(rename = "retryAfterSeconds", skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Cause {
    reason: &'static str,
    message: String,
}

impl Status {
    /// A failure: `reason` is one CamelCase word for programs, `message` says what happened, where, why and what
    /// to do next.
    pub fn failure(code: StatusCode, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: "Status",
            api_version: "v1",
            metadata: Empty {},
            status: "Failure",
            message: message.into(),
            reason: reason.into(),
            details: None,
            code: code.as_u16(),
        }
    }

    /// Names the cluster it is about.
    pub fn about_cluster(mut self, cluster: impl Into<String>) -> Self {
        let details = self.details.get_or_insert_default();
        details.name = Some(cluster.into());
        details.kind = Some("cluster");
        self
    }

    /// Says when to try again, in seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.details.get_or_insert_default().retry_after_seconds = Some(seconds);
        self
    }

    /// Adds a fact, such as the request's id.
    pub fn cause(mut self, reason: &'static str, message: impl Into<String>) -> Self {
        let causes = &mut self.details.get_or_insert_default().causes;
        causes.push(Cause { reason, message: message.into() });
        self
    }

    /// The object as JSON.
    pub fn to_json(&self) -> String {
        // A struct of strings and numbers always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The object as the last event of a JSON watch, newline included.
    pub fn to_watch_event(&self) -> String {
        format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", self.to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_what_kubernetes_clients_parse() {
        let status = Status::failure(StatusCode::SERVICE_UNAVAILABLE, "ClusterDisconnected", "no tunnel")
            .about_cluster("alpha")
            .retry_after(5)
            .cause("RequestId", "r-1");
        let value: serde_json::Value = serde_json::from_str(&status.to_json()).unwrap();
        assert_eq!(value["kind"], "Status");
        assert_eq!(value["apiVersion"], "v1");
        assert_eq!(value["code"], 503);
        assert_eq!(value["details"]["retryAfterSeconds"], 5);
        assert_eq!(value["details"]["causes"][0]["message"], "r-1");
    }
}
