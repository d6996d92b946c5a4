//! No private key and no token anywhere at the gateway: not in its folder, its logs at their loudest, or its process.
//!
//! Real processes: what a log or a command line holds is theirs alone.

mod needles;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use trunkline_pki::{ClusterKey, KeyPin, LinkTls};
use trunkline_proto::EnrolReason;
use trunkline_runtime::Tasks;
use trunkline_tests::{Client, Enrolling, FakeUpstream, FarEnd, Paper, Process, SignedWith, Wire, count};

use needles::Needles;

const SOON: Duration = Duration::from_secs(60);
/// A cluster in pass-through mode.
const PASSING: &str = "passing";

/// A gateway with everything that it and its agents write in one folder.
struct Scene {
    paper: Paper,
    tasks: Tasks,
    client: Client,
    gateway: Process,
    tunnel: std::net::SocketAddr,
}

impl Scene {
    async fn raise(certificate_seconds: u64) -> Self {
        let (paper, tasks) = (Paper::new(), Tasks::new());
        let path = |name: &str| paper.path(name).display().to_string();
        let config = format!(
            "data: {}\nfront:\n  listen: 127.0.0.1:0\n  certificate: {{certificate: {}, key: {}}}\n  client_roots: {}\n\
             tunnel:\n  listen: 127.0.0.1:0\nenrolment: {{certificate_seconds: {certificate_seconds}}}\n",
            path("data"),
            path("front.pem"),
            path("front.key"),
            path("front-ca.pem"),
        );
        let config = paper.write("gateway.yaml", config);
        let arguments = ["gateway", "--log", "trace", "--config", config.to_str().unwrap()];
        let mut gateway = Process::start(&arguments, &paper.path("gateway.log"));
        let (front, tunnel) = gateway.doors().await;
        let root = paper.client("root", &["trunkline:admins", "dev"]);
        let client = Client::new(front, paper.client_tls(Some(&root)), &tasks);
        Self { paper, tasks, client, gateway, tunnel }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let reply = self.client.post(&format!("/trunkline/v1/{path}"), &body).await;
        assert!(reply.status.is_success(), "{path}: {} {}", reply.status, reply.text());
        reply.json()
    }

    /// Registers a cluster, or gives a registered one a new token; the token and the pin.
    async fn token(&self, path: &str, body: Value, needles: &mut Needles) -> (String, KeyPin) {
        let registered = self.post(path, body).await;
        let manifest = registered["join"]["manifest"].as_str().unwrap();
        let at = manifest.find("tlj_").expect("the token is in the manifest");
        let token = manifest[at..at + 47].to_owned();
        needles.token(&token);
        (token, registered["join"]["pin"].as_str().unwrap().parse().unwrap())
    }

    fn start_agent(&self, cluster: &str, slot: u16, pin: &KeyPin, upstream: &FakeUpstream) -> Process {
        let path = |name: &str| self.paper.path(name).display().to_string();
        let config = format!(
            "cluster: {cluster}\ngateway:\n  addresses: ['{}']\n  enrol:\n    pin: {pin}\n    token_file: {}\n    \
             identity: {{folder: {}}}\n    slot: {slot}\nupstream:\n  server: https://{}\n  ca: {}\n  token_file: {}\n  \
             identity: {}\n",
            self.tunnel,
            path(&format!("token-{cluster}")),
            path(&format!("identity-{cluster}")),
            upstream.address(),
            path("upstream-ca.pem"),
            path("token"),
            if cluster == PASSING { "pass-through" } else { "impersonate" },
        );
        let name = format!("agent-{cluster}-{slot}");
        let config = self.paper.write(&format!("{name}.yaml"), config);
        let arguments = ["agent", "--log", "trace", "--config", config.to_str().unwrap()];
        Process::start(&arguments, &self.paper.path(&format!("{name}.log")))
    }

    /// Waits until what the API shows at `path` is as wanted.
    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = std::time::Instant::now();
        loop {
            let shown = self.client.get(&format!("/trunkline/v1/{path}")).await.json();
            if wanted(&shown) {
                return shown;
            }
            assert!(began.elapsed() < SOON, "{path}: {shown}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A request of a key that we know.
fn request_of(needles: &mut Needles) -> String {
    let key = KeyPair::generate().unwrap();
    needles.key(&format!("slot key {}", needles.secrets()), &key.serialize_pem());
    CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap()
}

/// All files of a folder and below.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t37_no_private_key_and_no_token_is_in_any_store_file_log_or_process_of_the_gateway() {
    let renewals = count(2, 10);
    let scene = Scene::raise(4).await;
    let mut needles = Needles::default();

    // Two pods that join, and renew.
    let upstream = FakeUpstream::start(&scene.paper, Wire::Tls, &scene.tasks).await;
    let (token, pin) = scene.token("clusters", json!({"name": "pods"}), &mut needles).await;
    scene.paper.write("token-pods", &token);
    let mut agents = Vec::new();
    for slot in [0, 1] {
        let mut agent = scene.start_agent("pods", slot, &pin, &upstream);
        agent.says(&["tunnel is up"]).await;
        agents.push(agent);
    }
    let cluster_key = std::fs::read_to_string(scene.paper.path("identity-pods").join("cluster.key")).unwrap();
    needles.key("the pods' cluster key", &cluster_key);
    scene.until("clusters/pods", |shown| shown["status"]["state"] == "connected").await;

    // A cluster in pass-through mode, and a token that goes through to it.
    let passes = FakeUpstream::start(&scene.paper, Wire::Tls, &scene.tasks).await;
    let registration = json!({"name": PASSING, "manifest": {"passThrough": ["urn:passing"]}});
    let (token_of_passing, pin) = scene.token("clusters", registration, &mut needles).await;
    scene.paper.write(&format!("token-{PASSING}"), &token_of_passing);
    let mut agent = scene.start_agent(PASSING, 0, &pin, &passes);
    agent.says(&["tunnel is up"]).await;
    agents.push(agent);
    let ends = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
    let through = SignedWith::es256("k").sign(&json!({"aud": "urn:passing", "exp": ends}));
    needles.cluster_token(&through);
    for shown in
        [("x-trunkline-cluster-token", through.clone()), ("authorization", format!("Bearer ~{through}"))]
    {
        for method in [http::Method::GET, http::Method::DELETE] {
            let request = http::Request::builder().method(method).header(shown.0, &shown.1);
            let request = request.uri(format!("/clusters/{PASSING}/api/v1/namespaces/d/pods/p"));
            let reply = scene.client.send(request.body(trunkline_runtime::empty()).unwrap()).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }
    assert!(passes.seen().iter().all(|seen| seen.all("authorization") == [format!("Bearer {through}")]));
    assert_eq!(passes.count(), 4);

    // By hand, with slot keys that we know: joins, renewals, and what is refused.
    let (first, pin) = scene.token("clusters", json!({"name": "hand"}), &mut needles).await;
    let (unused, _) = scene.token("clusters", json!({"name": "unused"}), &mut needles).await;
    let key = ClusterKey::generate().unwrap();
    needles.key("a cluster key", &key.to_pem());
    let asking = |key: &ClusterKey| {
        Enrolling::with_key(scene.tunnel, pin, "hand", ClusterKey::from_pem(&key.to_pem()).unwrap())
    };
    asking(&key).token(&first).csr(request_of(&mut needles)).ask(&scene.tasks).await.unwrap();
    let own = asking(&key);
    let certified = own.ask(&scene.tasks).await.unwrap();
    let tls = LinkTls::issued(&certified.certificate, &own.slot_key, &certified.roots).unwrap();
    let far_end = FarEnd::come(scene.tunnel, tls.current(), "hand", 1, &scene.tasks).await.unwrap();
    for _ in 0..3 {
        far_end.renew(request_of(&mut needles)).await.unwrap();
    }
    far_end.leave().await;
    let stranger = ClusterKey::generate().unwrap();
    needles.key("a stranger's key", &stranger.to_pem());
    let refused =
        |token: &str, needles: &mut Needles| asking(&stranger).token(token).csr(request_of(needles));
    assert_eq!(refused(&first, &mut needles).refused(&scene.tasks).await, EnrolReason::TokenUsed);
    assert_eq!(refused(&unused, &mut needles).refused(&scene.tasks).await, EnrolReason::TokenForOtherCluster);
    let made_up = format!("tlj_{}Zm8", "Zm9vYmFy".repeat(5));
    needles.token(&made_up);
    assert_eq!(refused(&made_up, &mut needles).refused(&scene.tasks).await, EnrolReason::TokenUnknown);
    // Who sends a private key, or a token, where it does not belong finds it nowhere again either.
    let misplaced = KeyPair::generate().unwrap().serialize_pem();
    needles.key("a key sent as a request", &misplaced);
    let wrong = asking(&stranger).token(&unused).csr(misplaced);
    assert_eq!(wrong.refused(&scene.tasks).await, EnrolReason::BadRequest);
    scene.token("clusters/hand/join", json!({}), &mut needles).await;
    scene.post("clusters/hand/lock", json!({"reason": "test"})).await;
    scene.post("clusters/hand/unlock", json!({})).await;
    for name in ["hand", "unused"] {
        let request = http::Request::delete(format!("/trunkline/v1/clusters/{name}"));
        assert_eq!(scene.client.send(request.body(trunkline_runtime::empty()).unwrap()).await.status, 200);
    }

    // A rotation, and renewals under the new root.
    scene.post("pki/rotate", json!({})).await;
    scene.until("pki", |shown| shown["rotating"] == false).await;
    for _ in 0..renewals.times {
        let end =
            |shown: &Value| shown["status"]["certificateNotAfter"].as_str().unwrap_or_default().to_owned();
        let before = end(&scene.until("clusters/pods", |shown| !end(shown).is_empty()).await);
        scene.until("clusters/pods", |shown| end(shown) > before).await;
    }

    let mut places = vec![("the gateway's process".to_owned(), scene.gateway.shown())];
    places.extend(agents.iter().map(|agent| ("an agent's process".to_owned(), agent.shown())));
    for agent in agents {
        agent.stop().await;
    }
    scene.gateway.stop().await;
    let data = files(&scene.paper.path("data"));
    assert!(data.iter().any(|(name, _)| name.ends_with("registry.redb")), "the registry is among them");
    for (name, _) in &data {
        let mode = std::fs::metadata(name).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} is for its owner only: {mode:o}");
    }
    let logs: Vec<_> =
        files(scene.paper.folder()).into_iter().filter(|(name, _)| name.ends_with(".log")).collect();
    assert_eq!(logs.len(), 4);
    assert!(logs.iter().all(|(_, log)| log.windows(5).any(|window| window == b"TRACE")), "at their loudest");
    // Beside what we know: keys have a look of their own.
    for (name, bytes) in data.iter().chain(&logs) {
        let keys = needles::private_keys(bytes);
        let roots = if name.ends_with("roots.pem") { 2 } else { 0 };
        assert_eq!(keys, roots, "private keys in {name}");
    }
    places.extend(data);
    places.extend(logs);
    let bytes: usize = places.iter().map(|(_, bytes)| bytes.len()).sum();
    let hits: Vec<_> = places.iter().flat_map(|(name, bytes)| needles.found_in(name, bytes)).collect();
    println!(
        "{} secrets in {} forms looked for in {} places of {bytes} bytes after {renewals} further renewals: {} hits",
        needles.secrets(),
        needles.forms(),
        places.len(),
        hits.len()
    );
    assert!(hits.is_empty(), "{hits:#?}");
    // The same eyes find what is there.
    let found = needles.found_in("the identity", cluster_key.as_bytes());
    assert!(!found.is_empty(), "the cluster key is seen where it belongs");
    assert!(!needles.found_in("the token's file", token.as_bytes()).is_empty());
    assert!(!needles.found_in("what went through", through.as_bytes()).is_empty());
}
