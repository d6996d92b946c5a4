//! `trunkline demo`: the product on one machine, in one process tree, on loopback.
//!
//! Everything is the real thing (mTLS, tunnels, impersonation) but for the clusters, which are samples unless
//! contexts of a kubeconfig are given. What it writes goes away when it ends.

mod clusters;
mod folder;
mod kubeconfig;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use trunkline_agent::{Agent, AgentConfig, WayConfig};
use trunkline_gateway::{ClusterConfig, FrontConfig, Gateway, GatewayConfig, TunnelConfig};
use trunkline_pki::dev::DevPki;
use trunkline_pki::{AgentName, CertifiedFiles, Validity};
use trunkline_proto::{ClusterId, ClusterUid, Slot};
use trunkline_runtime::{Tasks, shutdown_signal};
use trunkline_upstream::UpstreamConfig;

use crate::cli::{DemoArgs, LogArgs};
use crate::cmd::{print, start};
use clusters::DemoCluster;
use folder::Folder;

/// Host addressing works with names that resolve to loopback by themselves.
const HOST_SUFFIX: &str = "clusters.localhost";
/// The user of the demo's kubeconfig, and the group that may do everything.
const USER: &str = "operator";
const GROUP: &str = "trunkline:admins";

pub(crate) fn run(args: &DemoArgs, log: &LogArgs) -> anyhow::Result<()> {
    if !args.listen.ip().is_loopback() {
        bail!("--listen {} is not a loopback address: the demo's keys lie open in its folder", args.listen);
    }
    // The demo's own words should not drown in log lines.
    let quiet = LogArgs {
        log: if log.log == "info" { "warn".into() } else { log.log.clone() },
        log_format: log.log_format,
    };
    let runtime = start(&quiet)?;
    let folder = Folder::open(args.dir.as_deref())?;
    runtime.block_on(show(args, &folder))
}

async fn show(args: &DemoArgs, folder: &Folder) -> anyhow::Result<()> {
    let tasks = Tasks::new();
    let pki = DevPki::in_memory()?;
    let kubeconfig = match &args.kubeconfig {
        Some(path) => path.clone(),
        None => default_kubeconfig(),
    };
    let (managed, management) = if args.use_context.is_empty() {
        let sample_tls = clusters::sample_tls(&pki, folder)?;
        let alpha = clusters::sample("alpha", folder, sample_tls.clone(), &tasks).await?;
        let beta = clusters::sample("beta", folder, sample_tls.clone(), &tasks).await?;
        let management = clusters::sample("management", folder, sample_tls, &tasks).await?;
        (vec![alpha, beta], Some(management))
    } else {
        (clusters::of_contexts(&args.use_context, &kubeconfig)?, None)
    };
    let front = write(&pki.front.front_server(&names(), Validity::days(7))?, folder, "front")?;
    let tunnel = write(&pki.tunnel.tunnel_server(&["localhost"], Validity::days(7))?, folder, "tunnel")?;
    let front_roots = folder.root("front-ca.pem", &pki.front)?;
    let tunnel_roots = folder.root("tunnel-ca.pem", &pki.tunnel)?;
    let uids: Vec<ClusterUid> = managed.iter().map(|_| ClusterUid::random()).collect();
    let gateway = Gateway::bind(GatewayConfig {
        front: FrontConfig {
            listen: args.listen,
            certificate: front,
            client_roots: front_roots,
            revoked: Vec::new(),
            host_suffix: Some(HOST_SUFFIX.into()),
            allow_node_proxy: false,
            max_connections: 1_000,
            max_requests: 1_000,
        },
        tunnel: TunnelConfig {
            listen: (args.listen.ip(), 0).into(),
            certificate: tunnel,
            roots: tunnel_roots.clone(),
            revoked: Vec::new(),
            max_links: 100,
        },
        clusters: managed
            .iter()
            .zip(&uids)
            .map(|(cluster, uid)| ClusterConfig { id: cluster.id.clone(), uid: Some(*uid) })
            .collect(),
        management: management.as_ref().map(|cluster| cluster.upstream.clone()),
        admin: Some((args.listen.ip(), 0).into()),
        drain_seconds: 2,
    })
    .await?
    .serve()?;
    let mut agents = Vec::new();
    for (cluster, uid) in managed.iter().zip(&uids) {
        let certificate = agent_certificate(&pki, folder, &cluster.id, *uid)?;
        let agent = Agent::bind(AgentConfig {
            cluster: cluster.id.clone(),
            gateway: WayConfig {
                addresses: vec![gateway.tunnel().to_string()],
                roots: tunnel_roots.clone(),
                certificate,
                server_name: Some("localhost".into()),
                proxy: None,
            },
            upstream: cluster.upstream.clone(),
            admin: None,
            drain_seconds: 2,
        })
        .await?;
        agents.push(agent.serve());
    }
    for agent in &agents {
        tokio::time::timeout(std::time::Duration::from_secs(20), agent.up())
            .await
            .context("a tunnel did not come up within 20 s; run with --log info to see why")?;
    }
    let client = pki.front.client(USER, &[GROUP], Validity::days(7))?;
    let contexts: Vec<&DemoCluster> = management.iter().chain(&managed).collect();
    let text = kubeconfig::text(
        gateway.front(),
        &pki.front.certificate_pem(),
        &client,
        contexts.iter().map(|cluster| &cluster.id),
    );
    let written = folder.write("kubeconfig", text.as_bytes())?;
    tell(&written, gateway.front(), gateway.admin(), &managed, management.is_some())?;
    shutdown_signal().await?;
    for agent in agents {
        agent.drain().await;
    }
    gateway.drain().await;
    tasks.shut_down().await;
    Ok(())
}

fn names() -> Vec<String> {
    ["localhost", "127.0.0.1", "::1", &format!("*.{HOST_SUFFIX}")].map(str::to_owned).to_vec()
}

fn write(issued: &trunkline_pki::Issued, folder: &Folder, name: &str) -> anyhow::Result<CertifiedFiles> {
    Ok(issued.write_to(&folder.subfolder("pki")?, name)?)
}

fn agent_certificate(
    pki: &DevPki,
    folder: &Folder,
    id: &ClusterId,
    uid: ClusterUid,
) -> anyhow::Result<CertifiedFiles> {
    let name = AgentName { trust_domain: "trunkline.local".into(), cluster: id.clone(), uid, slot: Slot(0) };
    write(&pki.tunnel.agent(&name, Validity::days(7))?, folder, &format!("agent-{id}"))
}

fn default_kubeconfig() -> PathBuf {
    match std::env::var_os("KUBECONFIG") {
        // The usual list of files: the first one counts here.
        Some(list) => std::env::split_paths(&list).next().unwrap_or_default(),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".kube/config"),
    }
}

fn tell(
    kubeconfig: &std::path::Path,
    front: std::net::SocketAddr,
    admin: Option<std::net::SocketAddr>,
    managed: &[DemoCluster],
    samples: bool,
) -> anyhow::Result<()> {
    let first = managed.first().map(|cluster| cluster.id.to_string()).unwrap_or_default();
    let last = managed.last().map(|cluster| cluster.id.to_string()).unwrap_or_default();
    print(&format!("A gateway at https://{front}, and behind it, dialled in by their agents:"))?;
    for cluster in managed {
        print(&format!("  {:<12} {}", cluster.id.to_string(), cluster.what))?;
    }
    print("\nTry, in another terminal:\n")?;
    print(&format!("  export KUBECONFIG={}", kubeconfig.display()))?;
    print(&format!("  kubectl --context {first} get pods -A"))?;
    print(&format!("  kubectl --context {last} get namespaces"))?;
    if samples {
        print("  kubectl --context alpha get tiers,networkpolicies.projectcalico.org -A")?;
        print("  kubectl --context alpha get pods -A --watch")?;
        let on = format!("  kubectl --context alpha -n {}", clusters::A_NAMESPACE);
        let workload = clusters::A_WORKLOAD;
        print(&format!("{on} logs -f {workload}"))?;
        print(&format!("{on} exec {workload} -- hostname"))?;
        print(&format!("{on} exec -it {workload} -- sh"))?;
        print(&format!("{on} port-forward {workload} 8080"))?;
        print("  kubectl --context management get pods -A")?;
    } else {
        print(
            "\nYou come as the user operator in the group trunkline:admins. If a cluster says \"forbidden\":\n",
        )?;
        for cluster in managed {
            print(&format!(
                "  kubectl --context {} create clusterrolebinding trunkline-admins --clusterrole=view --group={GROUP}",
                cluster.what.trim_start_matches("context ")
            ))?;
        }
    }
    if let Some(admin) = admin {
        print(&format!("  curl http://{admin}/metrics"))?;
    }
    print("\nCtrl-C ends it and leaves nothing behind.")
}

/// The TLS settings of the sample clusters.
pub(crate) type SampleTls = Arc<rustls::ServerConfig>;

/// How a demo's API server is reached.
pub(crate) fn upstream_with_token(server: String, ca: PathBuf, token_file: PathBuf) -> UpstreamConfig {
    UpstreamConfig {
        server: Some(server),
        ca: Some(ca),
        token_file: Some(token_file),
        ..UpstreamConfig::default()
    }
}
