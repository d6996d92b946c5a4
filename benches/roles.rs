//! The parts of a bench, each a process: an upstream, a gateway, an agent.
//!
//! With `TRUNKLINE_BENCH_FAR` and `TRUNKLINE_BENCH_NEAR` set (by `benches/line`) the agent and its upstream are behind a line: the
//! first is the command that starts something there, the second the gateway's address as it is seen from there.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio_rustls::TlsAcceptor;
use trunkline_agent::{Agent, AgentConfig, Credentials, WayConfig};
use trunkline_gateway::{
    ClusterConfig, EnrolmentConfig, FrontConfig, Gateway, GatewayConfig, LimitsConfig, LogsConfig,
    TunnelConfig,
};
use trunkline_pki::dev::DevPki;
use trunkline_pki::{AgentName, CertifiedFiles, Validity, crypto_provider};
use trunkline_proto::{ClusterUid, Slot};
use trunkline_runtime::{Body, Door, Tasks, full};
use trunkline_tests::intake_config;
use trunkline_upstream::UpstreamConfig;

/// The command that starts something behind the line.
const FAR: &str = "TRUNKLINE_BENCH_FAR";
/// The gateway's address as it is seen from there.
const NEAR: &str = "TRUNKLINE_BENCH_NEAR";
/// What a gateway is told that keeps logs.
const LOGS: &str = "logs";
/// How much a spool of the agent's may hold.
const MAX_MIB: u64 = 16 * 1024;
/// The longest wait for a part to come up.
const UP: Duration = Duration::from_secs(20);

/// A part at work; dropping it ends the process.
#[derive(Debug)]
pub struct Part {
    child: tokio::process::Child,
    /// Its process.
    pub pid: u32,
    /// Where it listens; for an agent, its upstream.
    pub address: SocketAddr,
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
    }
}

/// How much one user may have of the bench's gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadLimits {
    /// As by default.
    Default,
    /// One user is all the load: what is measured is the way, and not how many requests a second one user may begin.
    Unhurried,
}

/// Everything a bench needs, and the certificates of its client.
#[derive(Debug)]
pub struct Rig {
    /// An API server's shape.
    pub upstream: Part,
    /// The gateway; its address is the front door's.
    pub gateway: Part,
    /// The agent of cluster alpha.
    pub agent: Part,
    /// TLS settings of a client that may come in.
    pub client: Arc<rustls::ClientConfig>,
    pki: DevPki,
    folder: tempfile::TempDir,
}

impl Rig {
    /// Starts upstream, gateway and agent. `management` is the same upstream, reached directly: the same two TLS hops
    /// without a tunnel.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(LoadLimits::Unhurried).await
    }

    /// Starts the agent again, with this folder for the spools of its log intake.
    pub async fn start_agent_anew(&mut self, spools: &Path) -> anyhow::Result<()> {
        let dir = self.folder.path();
        self.agent.child.kill().await?;
        std::fs::remove_file(dir.join("agent.up"))?;
        let tunnel = std::fs::read_to_string(dir.join("tunnel.address"))?;
        let arguments = [self.upstream.address.to_string(), tunnel, spools.display().to_string()];
        self.agent = start("agent", dir, &arguments).await?;
        Ok(())
    }

    /// Where the agent's intake listens; it has one after [`Rig::start_agent_anew`].
    pub fn intake(&self) -> anyhow::Result<SocketAddr> {
        Ok(std::fs::read_to_string(self.folder.path().join("intake.address"))?.parse()?)
    }

    /// The same with other limits.
    pub async fn start_with(limits: LoadLimits) -> anyhow::Result<Self> {
        Self::start_at(&[format!("{limits:?}")]).await
    }

    /// The same with a gateway that keeps logs, in the embedded store.
    pub async fn start_with_logs() -> anyhow::Result<Self> {
        Self::start_at(&[format!("{:?}", LoadLimits::Unhurried), LOGS.to_owned()]).await
    }

    async fn start_at(ways: &[String]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dir = folder.path();
        let pki = DevPki::in_memory()?;
        write_certificates(&pki, dir)?;
        let upstream = start("upstream", dir, &[]).await?;
        let gateway = start("gateway", dir, &[&[upstream.address.to_string()], ways].concat()).await?;
        let tunnel = std::fs::read_to_string(dir.join("tunnel.address"))?;
        let agent = start("agent", dir, &[upstream.address.to_string(), tunnel]).await?;
        let client = client_tls(&pki, "bench")?;
        Ok(Self { upstream, gateway, agent, client, pki, folder })
    }

    /// TLS settings of a client by another name.
    pub fn client_as(&self, user: &str) -> anyhow::Result<Arc<rustls::ClientConfig>> {
        client_tls(&self.pki, user)
    }
}

fn client_tls(pki: &DevPki, user: &str) -> anyhow::Result<Arc<rustls::ClientConfig>> {
    let client = pki.front.client(user, &["trunkline:admins"], Validity::days(1))?;
    Ok(Arc::new(trunkline_pki::upstream_tls(
        Some(pki.front.certificate_pem().as_bytes()),
        Some((client.certificate_pem.as_bytes(), client.key_pem.as_bytes())),
        &[b"http/1.1"],
    )?))
}

/// Plays a role if the process was started for one.
pub fn play() -> Option<anyhow::Result<()>> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == "--role")?;
    let (role, rest) = arguments[at + 1..].split_first()?;
    let (dir, rest) = rest.split_first()?;
    let dir = PathBuf::from(dir);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Some(Err(error.into())),
    };
    Some(runtime.block_on(async {
        match role.as_str() {
            "upstream" => upstream(&dir).await,
            "gateway" => gateway(&dir, rest).await,
            "agent" => agent(&dir, rest).await,
            other => bail!("no role {other}"),
        }
    }))
}

async fn start(role: &str, dir: &Path, arguments: &[String]) -> anyhow::Result<Part> {
    let file = dir.join(format!("{role}.up"));
    let far = if role == "gateway" { String::new() } else { std::env::var(FAR).unwrap_or_default() };
    let program = std::env::current_exe()?;
    let mut words = far.split_whitespace().map(OsStr::new).chain([program.as_os_str()]);
    let mut command = tokio::process::Command::new(words.next().context("a program")?);
    command.args(words).arg("--role").arg(role).arg(dir).args(arguments).kill_on_drop(true);
    let child = command.spawn()?;
    let pid = child.id().context("the part ended at once")?;
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let up = tokio::time::timeout(UP, async {
        loop {
            look.tick().await;
            if let Ok(text) = std::fs::read_to_string(&file)
                && let Ok(address) = text.trim().parse()
            {
                return address;
            }
        }
    });
    let address = up.await.with_context(|| format!("the {role} did not come up"))?;
    Ok(Part { child, pid, address })
}

/// Tells the bench that this part is up: written beside and renamed, so that no half is read.
fn tell(dir: &Path, name: &str, address: SocketAddr) -> anyhow::Result<()> {
    let beside = dir.join(format!("{name}.tmp"));
    std::fs::write(&beside, address.to_string())?;
    Ok(std::fs::rename(beside, dir.join(name))?)
}

fn write_certificates(pki: &DevPki, dir: &Path) -> anyhow::Result<()> {
    let day = || Validity::days(1);
    pki.front.front_server(&["localhost", "127.0.0.1"], day())?.write_to(dir, "front")?;
    pki.front.write_certificate(&dir.join("front-ca.pem"))?;
    pki.tunnel.tunnel_server(&["localhost", &near().to_string()], day())?.write_to(dir, "tunnel")?;
    pki.tunnel.write_certificate(&dir.join("tunnel-ca.pem"))?;
    let agent = AgentName {
        trust_domain: "trunkline.local".into(),
        cluster: "alpha".parse()?,
        uid: ClusterUid::random(),
        slot: Slot(0),
    };
    pki.tunnel.agent(&agent, day())?.write_to(dir, "agent")?;
    pki.stranger.front_server(&["localhost", "127.0.0.1"], day())?.write_to(dir, "upstream")?;
    pki.stranger.write_certificate(&dir.join("upstream-ca.pem"))?;
    Ok(std::fs::write(dir.join("token"), "bench")?)
}

fn certified(dir: &Path, name: &str) -> CertifiedFiles {
    CertifiedFiles { certificate: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) }
}

fn to_upstream(dir: &Path, address: &str) -> UpstreamConfig {
    UpstreamConfig {
        server: Some(format!("https://{address}")),
        ca: Some(dir.join("upstream-ca.pem")),
        token_file: Some(dir.join("token")),
        ..UpstreamConfig::default()
    }
}

/// Where agents find the gateway.
fn near() -> IpAddr {
    let told = std::env::var(NEAR).ok().and_then(|address| address.parse().ok());
    told.unwrap_or(IpAddr::from([127, 0, 0, 1]))
}

async fn gateway(dir: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let logs = arguments.get(2).is_some_and(|told| told == LOGS);
    let default = arguments.get(1).is_some_and(|limits| limits == "Default");
    let running = Gateway::bind(GatewayConfig {
        logs: logs.then(LogsConfig::default),
        audit: Default::default(),
        data: logs.then(|| dir.join("data")),
        authn: Default::default(),
        enrolment: EnrolmentConfig::default(),
        front: FrontConfig {
            listen: any,
            address: None,
            certificate: Some(certified(dir, "front")),
            client_roots: Some(dir.join("front-ca.pem")),
            revoked: Vec::new(),
            host_suffix: None,
            allow_node_proxy: false,
            max_connections: 10_000,
            max_requests: 20_000,
            proxy_from: Vec::new(),
        },
        tunnel: TunnelConfig {
            listen: SocketAddr::new(near(), 0),
            addresses: Vec::new(),
            certificate: Some(certified(dir, "tunnel")),
            roots: Some(dir.join("tunnel-ca.pem")),
            revoked: Vec::new(),
            max_links: 1_000,
        },
        clusters: vec![ClusterConfig { id: "alpha".parse()?, uid: None, pass_through: Vec::new() }],
        management: Some(to_upstream(dir, arguments.first().context("no upstream")?)),
        access: Vec::new(),
        limits: if default { LimitsConfig::default() } else { unhurried() },
        admin: None,
        drain_seconds: 1,
    })
    .await?
    .serve()?;
    tell(dir, "tunnel.address", running.tunnel())?;
    tell(dir, "gateway.up", running.front())?;
    std::future::pending().await
}

fn unhurried() -> LimitsConfig {
    let (mut limits, many) = (LimitsConfig::default(), 10_000_000);
    (limits.user.opens_per_second, limits.user.opens_burst) = (many, many);
    (limits.cluster.opens_per_second, limits.cluster.opens_burst) = (many, many);
    limits
}

async fn agent(dir: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let [upstream, tunnel, spools @ ..] = arguments else { bail!("an agent needs upstream and tunnel door") };
    let logs = spools.first().map(|folder| {
        let mut intake = intake_config(folder.into());
        intake.spool.max_mib = MAX_MIB;
        intake
    });
    let running = Agent::bind(AgentConfig {
        cluster: "alpha".parse()?,
        gateway: WayConfig {
            addresses: vec![tunnel.clone()],
            credentials: Credentials::Files {
                certificate: certified(dir, "agent"),
                roots: dir.join("tunnel-ca.pem"),
            },
            server_name: None,
            proxy: None,
        },
        upstream: to_upstream(dir, upstream),
        logs,
        admin: None,
        drain_seconds: 1,
    })
    .await?
    .serve();
    running.up().await;
    if let Some(intake) = running.intake().first() {
        tell(dir, "intake.address", *intake)?;
    }
    tell(dir, "agent.up", upstream.parse()?)?;
    std::future::pending().await
}

/// An API server's shape without its work: 1 KiB for `/small`, as many bytes as the path says for `/bulk/N`.
async fn upstream(dir: &Path) -> anyhow::Result<()> {
    let files = certified(dir, "upstream");
    let chain: Vec<_> =
        rustls_pki_types::pem::PemObject::pem_file_iter(&files.certificate)?.collect::<Result<_, _>>()?;
    let key = rustls_pki_types::pem::PemObject::from_pem_file(&files.key)?;
    let mut tls = rustls::ServerConfig::builder_with_provider(crypto_provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let door = Door::bind("upstream", ([127, 0, 0, 1], 0).into()).await?;
    let tasks = Tasks::new();
    tell(dir, "upstream.up", door.address()?)?;
    loop {
        let (tcp, _) = door.accept().await;
        let (acceptor, family) = (acceptor.clone(), tasks.clone());
        tasks.spawn(async move {
            let Ok(tls) = acceptor.accept(tcp).await else { return };
            let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
            let service = service_fn(|request| async move { Ok::<_, Infallible>(answer(&request)) });
            if http2 {
                let served = hyper::server::conn::http2::Builder::new(family)
                    .initial_connection_window_size(16 * 1024 * 1024)
                    .max_concurrent_streams(100)
                    .serve_connection(TokioIo::new(tls), service);
                let _ = served.await;
            } else {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(tls), service)
                    .await;
            }
        });
    }
}

fn answer(request: &Request<Incoming>) -> Response<Body> {
    let Some(bytes) = request.uri().path().strip_prefix("/bulk/").and_then(|n| n.parse::<u64>().ok()) else {
        return Response::new(full(vec![b'x'; 1024]));
    };
    let chunk = Bytes::from(vec![0; 64 * 1024]);
    let chunks = bytes / chunk.len() as u64;
    let frames = (0..chunks).map(move |_| Ok(Frame::data(chunk.clone())));
    Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync())
}
