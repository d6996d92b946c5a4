//! Attacks, one module for each kind; docs/threat-model.md says which row of the threat table a test is for, by the number
//! at the beginning of its name.
//!
//! What reached an API server is judged by the harness's ledger: one for one what the front passed on, each with exactly one
//! user, the right one, at the right cluster.

mod headers;
mod smuggling;
mod paths;
mod upgrades;
mod floods;
mod silence;
mod starved;
mod hostile_agent;
mod mux;
mod canaries;
mod destinations;
mod revocation;
mod clocks;
mod scene;

use std::time::Duration;

use trunkline_tests::{Answer, Client, Raw};

/// How long what must happen may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// Asks on a connection that is kept while it can be; none when it was hung up on without an answer.
async fn ask(kept: &mut Option<Raw>, client: &Client, request: &[u8]) -> Option<Answer> {
    let mut raw = match kept.take() {
        Some(raw) => raw,
        None => client.raw().await,
    };
    raw.say(request).await;
    let answer = raw.answer().await?;
    if !answer.last {
        *kept = Some(raw);
    }
    Some(answer)
}
