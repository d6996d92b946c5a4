//! An agent's admin port: plain HTTP, no papers, one page.

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use trunkline_runtime::Tasks;

use super::{CALL, failure, read};
use crate::exit::{Exit, Failure};

/// What an agent says of itself at `/status` of its admin port.
///
/// # Errors
/// When the URL is none, nobody answers within 10 s, or what answers is no agent.
pub(crate) async fn agent_status(url: &str) -> anyhow::Result<Value> {
    let wrong = || Failure::new(Exit::Usage, format!("--agent {url:?} is not http://HOST:PORT"));
    let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let uri: Uri = full.parse().map_err(|_| wrong())?;
    if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/" | "/status") {
        return Err(wrong().into());
    }
    let authority = uri.authority().ok_or_else(wrong)?;
    let request = Request::get(format!("http://{authority}/status")).body(Full::<Bytes>::default())?;
    let asked = async {
        let client = Client::builder(Tasks::new()).build::<_, Full<Bytes>>(HttpConnector::new());
        let answer =
            client.request(request).await.map_err(|error| failure::of_link("agent", &full, &error))?;
        let status = answer.status();
        let body = read(answer.into_body()).await?;
        if !status.is_success() {
            return Err(failure::of_answer(&full, None, status, &body).into());
        }
        serde_json::from_slice(&body).with_context(|| format!("{full} is not an agent's admin port"))
    };
    tokio::time::timeout(CALL, asked).await.unwrap_or_else(|_| {
        let what = format!("{full} did not answer within {} s", CALL.as_secs());
        Err(Failure::new(Exit::TimedOut, what).into())
    })
}
