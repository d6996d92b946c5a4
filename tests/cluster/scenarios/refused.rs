//! Agents that may not come in, and one that may no longer stay.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::command::until;
use crate::papers::Flaw;
use crate::stage::{SERVES_AGAIN, Stage};

const SHORT: Duration = Duration::from_secs(10);
/// The list is looked at twice a second, and acted on within one.
const CUT_OFF: Duration = Duration::from_millis(1_600);
const IN_FORCE: &str = "revoked serials are in force";

pub(crate) async fn agents_with_bad_papers_are_refused_in_both_logs(stage: &mut Stage) -> Result<String> {
    let mut words = Vec::new();
    for (flaw, reason, said) in [
        (Flaw::WrongRoot, "CertificateUnknownRoot", "does not know the root of this agent's certificate"),
        (Flaw::Revoked, "CertificateRevoked", "revoked"),
        (Flaw::Renamed, "IdentityMismatch", "its certificate is for gamma"),
    ] {
        let before = stage.gateway()?.log().len();
        let config = stage.flawed_agent("alpha", flaw)?;
        if flaw == Flaw::Revoked {
            logged(stage, before, IN_FORCE).await?;
        }
        let agent = stage.start_agent(&config, &format!("agent-{flaw:?}"))?;
        let refused = logged(stage, before, "link refused from=").await?;
        ensure!(refused.contains(&format!("reason=\"{reason}\"")), "{flaw:?}: the gateway says {refused}");
        let told = until("why the agent has no tunnel", SHORT, async || {
            Ok(agent.log().lines().find(|line| line.contains("no tunnel")).map(str::to_owned))
        });
        let told = told.await.with_context(|| agent.log())?;
        ensure!(told.contains(said), "{flaw:?}: the agent says {told}");
        ensure!(!agent.log().contains("tunnel is up"), "{flaw:?}: {}", agent.log());
        agent.kill().await?;
        words.push(format!("{flaw:?}: {reason}"));
    }
    stage.serves("alpha", SERVES_AGAIN).await?;
    Ok(words.join(", "))
}

pub(crate) async fn an_expired_agent_does_not_start_and_would_not_get_in(
    stage: &mut Stage,
) -> Result<String> {
    let config = stage.flawed_agent("alpha", Flaw::Expired)?;
    let mut agent = stage.start_agent(&config, "agent-expired")?;
    let ended = agent.ended(SHORT).await?;
    let said = agent.log();
    ensure!(!ended.success() && said.contains("expired on"), "{ended}: {said}");

    // One that does not look at its own certificate meets the gateway's no.
    let before = stage.gateway()?.log().len();
    let connector = TlsConnector::from(stage.papers.careless_link("alpha")?);
    let tcp = TcpStream::connect(("127.0.0.1", stage.papers.ports.tunnel)).await?;
    // With TLS 1.3 the no may come after the client's side of the handshake is done.
    let _link = connector.connect(ServerName::try_from("localhost")?, tcp).await;
    let refused = logged(stage, before, "link refused from=").await?;
    ensure!(refused.contains("CertificateExpired"), "{refused}");
    Ok(said.trim().lines().last().unwrap_or_default().to_owned())
}

pub(crate) async fn a_revoked_agent_is_cut_off_while_it_is_connected(stage: &mut Stage) -> Result<String> {
    let before = stage.gateway()?.log().len();
    stage.papers.revoke_agent("beta")?;
    let began = Instant::now();
    logged(stage, before, "link is down cluster=beta").await?;
    let took = began.elapsed();
    ensure!(took < CUT_OFF, "the link was cut after {took:?}");
    logged(stage, before, "CertificateRevoked").await?;
    let agent = &stage.agent("beta")?.process;
    let told = until("what the agent says", SHORT, async || {
        Ok(agent.log().contains("no tunnel").then(|| agent.log()))
    });
    let told = told.await?;
    ensure!(told.contains("revoked"), "{told}");
    stage.issue_agent("beta")?;
    stage.serves("beta", SERVES_AGAIN).await?;
    Ok(format!("cut {took:.1?} after the list changed"))
}

/// The first line with `words` that the gateway has logged after its first `before` bytes.
async fn logged(stage: &mut Stage, before: usize, words: &str) -> Result<String> {
    let gateway = stage.gateway()?;
    until(&format!("{words:?} in the gateway's log"), SHORT, async || {
        let log = gateway.log();
        Ok(log
            .get(before..)
            .and_then(|fresh| fresh.lines().find(|line| line.contains(words)))
            .map(str::to_owned))
    })
    .await
}
