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
use trunkline_agent::{Agent, AgentConfig, Credentials, EnrolConfig, IdentityConfig, SlotSource, WayConfig};
use trunkline_gateway::{AuthnConfig, EnrolmentConfig, FrontConfig, Gateway, GatewayConfig, TunnelConfig};
use trunkline_pki::dev::DevPki;
use trunkline_pki::{Authority, CertifiedFiles, Issued, Validity};
use trunkline_proto::Slot;
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
    let gateway = Gateway::bind(gateway_config(args, folder, management.as_ref())?).await?.serve()?;
    let mut agents = Vec::new();
    for cluster in &managed {
        agents.push(join(&gateway, cluster, folder).await?);
    }
    for agent in &agents {
        tokio::time::timeout(std::time::Duration::from_secs(20), agent.up())
            .await
            .context("a tunnel did not come up within 20 s; run with --log info to see why")?;
    }
    let fleet = gateway.fleet();
    let papers = fleet.papers().context("the demo's gateway has no papers")?;
    let root = papers.front_authority();
    let client = root.client(USER, &[GROUP], Validity::days(7))?;
    let signed_in = SignedIn::write(root, &client, folder)?;
    let contexts: Vec<&DemoCluster> = management.iter().chain(&managed).collect();
    let text = kubeconfig::text(
        gateway.front(),
        &root.certificate_pem(),
        &client,
        contexts.iter().map(|cluster| &cluster.id),
    );
    let written = folder.write("kubeconfig", text.as_bytes())?;
    tell(&written, &gateway, &signed_in, &managed, management.is_some())?;
    shutdown_signal().await?;
    for agent in agents {
        agent.drain().await;
    }
    gateway.drain().await;
    tasks.shut_down().await;
    Ok(())
}

/// A gateway with papers and a registry of its own, in the demo's folder.
fn gateway_config(
    args: &DemoArgs,
    folder: &Folder,
    management: Option<&DemoCluster>,
) -> anyhow::Result<GatewayConfig> {
    Ok(GatewayConfig {
        logs: None,
        audit: Default::default(),
        data: Some(folder.subfolder("data")?),
        // Its papers are at hand; nobody is to set anything up.
        authn: AuthnConfig { local_users: Some(false), ..AuthnConfig::default() },
        enrolment: EnrolmentConfig::default(),
        front: FrontConfig {
            listen: args.listen,
            address: Some(format!("localhost:{}", args.listen.port())),
            certificate: None,
            client_roots: None,
            revoked: Vec::new(),
            host_suffix: Some(HOST_SUFFIX.into()),
            allow_node_proxy: false,
            max_connections: 1_000,
            max_requests: 1_000,
            proxy_from: Vec::new(),
        },
        tunnel: TunnelConfig {
            listen: (args.listen.ip(), 0).into(),
            addresses: Vec::new(),
            certificate: None,
            roots: None,
            revoked: Vec::new(),
            max_links: 100,
        },
        clusters: Vec::new(),
        management: management.map(|cluster| cluster.upstream.clone()),
        access: Vec::new(),
        limits: Default::default(),
        admin: Some((args.listen.ip(), 0).into()),
        drain_seconds: 2,
    })
}

/// Registers a cluster and starts an agent that joins as any would: by a token, once, and a key it makes itself.
async fn join(
    gateway: &trunkline_gateway::Running,
    cluster: &DemoCluster,
    folder: &Folder,
) -> anyhow::Result<trunkline_agent::Running> {
    let fleet = gateway.fleet();
    let pin = fleet.papers().context("the demo's gateway has no papers")?.pin();
    let token = fleet.register(&cluster.id, USER).await?;
    let pki = folder.subfolder("pki")?;
    let token_file = folder.write(&format!("pki/{}.join", cluster.id), token.reveal().as_bytes())?;
    let agent = Agent::bind(AgentConfig {
        cluster: cluster.id.clone(),
        gateway: WayConfig {
            addresses: vec![gateway.tunnel().to_string()],
            credentials: Credentials::Enrol(EnrolConfig {
                pin,
                token_file: Some(token_file),
                identity: IdentityConfig::Folder(pki.join(format!("agent-{}", cluster.id))),
                slot: SlotSource::Is(Slot(0)),
            }),
            server_name: Some("localhost".into()),
            proxy: None,
        },
        upstream: cluster.upstream.clone(),
        logs: None,
        admin: None,
        drain_seconds: 2,
    })
    .await?;
    Ok(agent.serve())
}

/// What `trunkline login` is given.
struct SignedIn {
    root: PathBuf,
    files: CertifiedFiles,
}

impl SignedIn {
    fn write(root: &Authority, client: &Issued, folder: &Folder) -> anyhow::Result<Self> {
        let files = client.write_to(&folder.subfolder("pki")?, USER)?;
        Ok(Self { root: folder.root("front-ca.pem", root)?, files })
    }
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
    gateway: &trunkline_gateway::Running,
    signed_in: &SignedIn,
    managed: &[DemoCluster],
    samples: bool,
) -> anyhow::Result<()> {
    let front = gateway.front();
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
    print("\nThe fleet itself, by the command line:\n")?;
    print(&format!(
        "  trunkline login https://localhost:{} --ca {} --certificate {} --key {}",
        front.port(),
        signed_in.root.display(),
        signed_in.files.certificate.display(),
        signed_in.files.key.display()
    ))?;
    print("  trunkline clusters")?;
    print(&format!("  trunkline status {first}"))?;
    if let Some(admin) = gateway.admin() {
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
