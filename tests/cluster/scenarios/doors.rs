//! What strangers' own tools say of the two doors: h2spec of the front door's HTTP/2, testssl.sh of both doors' TLS.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::command::Call;
use crate::papers::User;
use crate::stage::Stage;
use crate::wire::Door;

/// How long each tool may take on a busy machine.
const TOOL: Duration = Duration::from_secs(300);
/// All tests of h2spec, the strict ones included.
const TESTS: &str = "146 tests, 146 passed, 0 skipped, 0 failed";

/// h2spec has no client certificate to show, so it speaks to a port that puts TLS around its bytes, and does no more.
pub(crate) async fn t26_the_front_door_passes_h2spec_in_full(stage: &mut Stage) -> Result<String> {
    let door = Door::gateway(stage, User::Jane, true)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let tasks = stage.tasks.clone();
    let carrying = stage.tasks.spawn(async move {
        while let Ok((mut plain, _)) = listener.accept().await {
            let door = door.clone();
            tasks.spawn_until_stopped(async move {
                if let Ok(mut tls) = door.tls().await {
                    let _ = tokio::io::copy_bidirectional(&mut plain, &mut tls).await;
                }
            });
        }
    });
    // A path whose answer is longer than the windows that are tried.
    let asked = ["--strict", "--timeout", "5", "--path", "/clusters/alpha/version", "--port"];
    let said =
        Call::new(stage.parts.bin("h2spec")).args(asked).arg(port.to_string()).within(TOOL).run().await;
    carrying.abort();
    let outcome = said?;
    let said = String::from_utf8_lossy(&outcome.stdout).into_owned();
    let failures = said.find("Failures:").map_or("", |at| &said[at..]);
    ensure!(
        outcome.code == Some(0) && said.contains(TESTS),
        "{failures}{}",
        said.lines().last().unwrap_or_default()
    );
    Ok(TESTS.into())
}

/// The findings of testssl.sh, by their id.
async fn scanned(
    stage: &Stage,
    name: &str,
    port: u16,
    what: &[&str],
) -> Result<Vec<(String, String, String)>> {
    let report = stage.papers.file(&format!("testssl-{name}.json"));
    let usual = ["--quiet", "--color", "0", "--warnings", "batch", "--openssl-timeout", "5", "--jsonfile"];
    let call = Call::new("testssl").args(usual).arg(&report).args(what).arg(format!("localhost:{port}"));
    // Its status counts findings; what it found stands in the report.
    let outcome = call.env("HOME", stage.papers.file("")).within(TOOL).run().await?;
    let report = std::fs::read(&report)
        .with_context(|| format!("no report: {}", String::from_utf8_lossy(&outcome.stdout)))?;
    let report: Vec<Value> = serde_json::from_slice(&report)?;
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let all = report.iter().map(|one| (text(one, "id"), text(one, "severity"), text(one, "finding")));
    Ok(all.collect())
}

fn finding<'a>(findings: &'a [(String, String, String)], id: &str) -> &'a str {
    findings.iter().find(|(other, _, _)| other == id).map_or("no such finding", |(_, _, finding)| finding)
}

pub(crate) async fn t13_a_scanner_finds_tls_1_2_with_modern_suites_at_the_front_and_1_3_alone_at_the_tunnel_door(
    stage: &mut Stage,
) -> Result<String> {
    let front = scanned(stage, "front", stage.papers.ports.front, &["-p", "-s", "-f", "-U"]).await?;
    for old in [
        "SSLv2",
        "SSLv3",
        "TLS1",
        "TLS1_1",
        "cipherlist_NULL",
        "cipherlist_aNULL",
        "cipherlist_EXPORT",
        "cipherlist_LOW",
        "cipherlist_3DES_IDEA",
        "cipherlist_AVERAGE",
    ] {
        ensure!(finding(&front, old) == "not offered", "front: {old} is {}", finding(&front, old));
    }
    for new in ["TLS1_2", "TLS1_3", "cipherlist_STRONG", "PFS"] {
        ensure!(finding(&front, new).starts_with("offered"), "front: {new} is {}", finding(&front, new));
    }
    ensure!(
        finding(&front, "ticketbleed").contains("no session ticket"),
        "{}",
        finding(&front, "ticketbleed")
    );
    let bad: Vec<_> = front
        .iter()
        .filter(|(_, severity, _)| !matches!(severity.as_str(), "OK" | "INFO" | "WARN"))
        .collect();
    ensure!(bad.is_empty(), "front: {bad:?}");
    // A stranger's refusal may overtake the end of the scanner's own handshake, and then it takes the door for dead: it
    // comes as an agent does.
    let openssl = stage.papers.openssl_of_an_agent("alpha")?.display().to_string();
    let how = ["-p", "--openssl", &openssl];
    let tunnel = scanned(stage, "tunnel", stage.papers.ports.tunnel, &how).await?;
    for old in ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"] {
        ensure!(finding(&tunnel, old) == "not offered", "tunnel: {old} is {}", finding(&tunnel, old));
    }
    ensure!(finding(&tunnel, "TLS1_3").starts_with("offered"), "tunnel: {}", finding(&tunnel, "TLS1_3"));
    Ok(format!("{} findings at the front door, {} at the tunnel door, none bad", front.len(), tunnel.len()))
}
