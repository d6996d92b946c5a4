//! What a fleet is asked: records by the search of the gateway's API, how they get on, metrics.

use std::time::Duration;

use crate::command::{Call, Outcome};
use crate::{binary, wait_until, within};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Fleet, LOGIN};

/// How long an answer may take on a machine that does other things.
const ANSWERED: Duration = Duration::from_secs(60);
/// Of the two last days.
const SINCE: Duration = Duration::from_secs(48 * 3600);

impl Fleet {
    /// Asks below `/trunkline/v1/logs`, as somebody who may read everything.
    pub async fn logs(&self, path: &str) -> Value {
        let path = format!("/trunkline/v1/logs{path}");
        let reply = within(&path, ANSWERED, self.client.get(&path)).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// What all the records say that are found, page by page.
    pub async fn messages(&self, query: &str) -> Vec<String> {
        let (mut messages, mut after, from) = (Vec::new(), String::new(), since());
        loop {
            let page =
                self.logs(&format!("?limit=1000&order=oldest&from={from}&{}{after}", escaped(query))).await;
            assert_eq!(page["partial"], Value::Null, "the search is whole");
            let items = page["items"].as_array().unwrap();
            messages.extend(items.iter().map(|item| item["message"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", escaped(next)),
                None => return messages,
            }
        }
    }

    /// How many records are found.
    pub async fn count(&self, query: &str) -> usize {
        self.counted(query).await.unwrap()
    }

    /// The same; none when the store cannot be asked now.
    async fn counted(&self, query: &str) -> Option<usize> {
        let path = format!("/trunkline/v1/logs/histogram?slices=1&from={}&{}", since(), escaped(query));
        let reply = within(&path, ANSWERED, self.client.get(&path)).await;
        if reply.status == 503 {
            return None;
        }
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        let answer = reply.json();
        let counts = answer["slices"].as_array()?.iter().map(|slice| slice["count"].as_u64());
        usize::try_from(counts.sum::<Option<u64>>()?).ok()
    }

    /// Waits until so many records are found.
    pub async fn finds(&self, query: &str, wanted: usize, limit: Duration) {
        let mut last = 0;
        let began = tokio::time::Instant::now();
        while last < wanted {
            assert!(began.elapsed() < limit, "{query}: {last} of {wanted} after {limit:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            // An index that is being made cannot be asked.
            last = self.counted(query).await.unwrap_or(last);
        }
    }

    /// Waits until nothing waits: not in the spools, as far as agents told, nor in the store.
    pub async fn nothing_waits(&self, limit: Duration) -> Value {
        wait_until("nothing waits any more", limit, async || {
            let status = self.logs("/status").await;
            let items = status["items"].as_array().unwrap();
            let waits = items.iter().any(|item| item["waiting"] != 0) || status["store"]["waiting"] != 0;
            (!waits && !items.is_empty()).then_some(status)
        })
        .await
    }

    /// A number that the gateway counts, over all its labels; 0 when it is not there.
    pub async fn gateway_counts(&self, name: &str) -> f64 {
        metric(self.doors.admin, name).await
    }

    /// A number that an agent counts.
    pub async fn agent_counts(&self, cluster: &str, name: &str) -> f64 {
        metric(self.clusters[cluster].admin, name).await
    }

    /// Runs the command line tool as somebody who may read everything.
    pub async fn trunkline(&self, arguments: &[&str]) -> Outcome {
        let file = |name: &str| self.paper.path(name).display().to_string();
        let gateway = format!("https://localhost:{}", self.doors.front.port());
        let call =
            Call::new(binary()).args(arguments).args(["--gateway", &gateway, "--ca", &file("front-ca.pem")]);
        let call = call.args(["--certificate", &file("jane.pem"), "--key", &file("jane.key")]);
        call.env("HOME", self.paper.folder()).run().await.unwrap()
    }
}

/// The field with the token, as shippers show it.
pub fn login_field() -> String {
    format!("authorization: Bearer {}\r\n", LOGIN.1)
}

fn since() -> String {
    (jiff::Timestamp::now() - SINCE).to_string()
}

fn escaped(text: &str) -> String {
    text.replace('+', "%2B").replace(' ', "%20").replace('"', "%22")
}

async fn metric(admin: std::net::SocketAddr, name: &str) -> f64 {
    let mut tcp = TcpStream::connect(admin).await.unwrap();
    tcp.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut heard = String::new();
    tcp.read_to_string(&mut heard).await.unwrap();
    let values = heard.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        // A name is not the beginning of another.
        let whole = rest.starts_with('{') || rest.starts_with(' ');
        whole.then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    });
    values.fold(0.0, |sum, value| sum + value)
}
