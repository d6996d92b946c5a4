//! port-forward and `kubectl proxy`: local ports that lead into a cluster.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::callers::Way;
use crate::command::Call;
use crate::papers::User::Jane;
use crate::scenarios::streams::{kubectl, random_bytes};
use crate::stage::Stage;

const SHORT: Duration = Duration::from_secs(10);
/// Connections through one forward at the same time, and what each sends and wants back.
const ECHOES: usize = 4;
const ECHO_BYTES: usize = 300_000;

pub(crate) async fn port_forward_carries_several_connections(stage: &mut Stage) -> Result<String> {
    for (transport, websockets) in [("WebSocket", "true"), ("SPDY", "false")] {
        for way in Way::USUAL {
            let name = format!("forward-{transport}-{way:?}");
            let call =
                kubectl(stage, way, websockets).args(["port-forward", "--address=127.0.0.1", "pod/demo"]);
            let forward = call.args([":8080", ":7"]).start(stage.folder(), &name)?;
            let said = forward.printed("-> 7\n", SHORT).await.context(name.clone())?;
            let port = |target: &str| {
                let line = said.lines().find_map(|line| line.strip_suffix(&format!(" -> {target}")));
                line.and_then(|line| line.rsplit_once(':'))
                    .map(|(_, port)| port.to_owned())
                    .context("no port")
            };
            let page = Call::new("curl").args(["-sf", "--max-time", "5"]);
            let page = page
                .arg(format!("http://127.0.0.1:{}/", port("8080")?))
                .text()
                .await
                .context(name.clone())?;
            ensure!(page == "hello from busybox httpd\n", "{name}: {page:?}");
            let echo: u16 = port("7")?.parse()?;
            let echoes = (0..ECHOES).map(|_| echoed(echo));
            let echoes = tokio::time::timeout(SHORT, futures_util::future::try_join_all(echoes)).await;
            echoes.with_context(|| format!("{name}: no echo in time"))?.context(name)?;
            forward.kill().await?;
        }
    }
    Ok(format!("a page and {ECHOES} echoes of {ECHO_BYTES} bytes at once, over WebSocket and SPDY"))
}

/// Sends bytes to an echo port while reading them back.
async fn echoed(port: u16) -> Result<()> {
    let sent = random_bytes(ECHO_BYTES);
    let (mut from, mut to) = TcpStream::connect(("127.0.0.1", port)).await?.into_split();
    let mut back = vec![0; ECHO_BYTES];
    let (written, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut back));
    written?;
    read?;
    ensure!(back == sent, "other bytes came back");
    Ok(())
}

pub(crate) async fn kubectl_proxy_leads_to_the_cluster(stage: &mut Stage) -> Result<String> {
    let mut pages = Vec::new();
    for way in Way::USUAL {
        // With a server that has a path, kubectl proxy wants to be told that the path counts.
        let call = stage.kubectl(Jane, "alpha", way).args(["proxy", "--port=0", "--append-server-path"]);
        let proxy = call.start(stage.folder(), &format!("proxy-{way:?}"))?;
        let said = proxy.printed("Starting to serve on 127.0.0.1:", SHORT).await?;
        let address = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        let mut seen = Vec::new();
        for path in
            ["/version", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/default/pods/demo:8080/proxy/"]
        {
            let curl = Call::new("curl").args(["-s", "--max-time", "5", "-w", "%{http_code}"]);
            seen.push(curl.arg(format!("http://{address}{path}")).text().await?);
        }
        pages.push(seen);
        proxy.kill().await?;
    }
    ensure!(pages.iter().flatten().all(|page| page.ends_with("200")), "{pages:?}");
    ensure!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    Ok(String::new())
}
