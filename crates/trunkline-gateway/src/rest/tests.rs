//! A REST API over an empty fleet, for the tests of its parts; and what a body may be.

use axum::body::Body as RouteBody;
use jiff::Timestamp;
use serde_json::json;
use trunkline_api::NewCluster;
use trunkline_audit::AuditLog;
use trunkline_proto::RequestId;
use trunkline_registry::Registry;

use super::*;
use crate::authn::AuthnParts;
use crate::config::GatewayConfig;

/// An API and what it looks at.
pub(super) struct Desk {
    router: Router,
    pub(super) view: View,
    pub(super) tasks: Tasks,
}

impl Desk {
    /// An API over an empty fleet.
    pub(super) fn new() -> Self {
        let config = json!({"front": {"listen": "127.0.0.1:0"}, "tunnel": {"listen": "127.0.0.1:0"}});
        let config: GatewayConfig = serde_json::from_value(config).unwrap();
        let (tasks, metrics) = (Tasks::new(), Metrics::default());
        let fleet =
            Fleet::new(&config, Registry::in_memory().unwrap(), None, AuditLog::without_folder()).unwrap();
        let tunnels = Tunnels::new(metrics.clone(), &tasks);
        let nowhere = ([127, 0, 0, 1], 9).into();
        let about = config.about(nowhere, nowhere);
        let parts = AuthnParts {
            config: &config.authn,
            data: None,
            alone: false,
            management: None,
            front: &about.front,
            metrics: metrics.clone(),
            tasks: &tasks,
        };
        let (authn, _) = Authn::new(parts).unwrap();
        let rest = Rest::new(RestParts {
            fleet: fleet.clone(),
            tunnels: tunnels.clone(),
            enrolment: Enrolment::new(fleet.clone(), tunnels.clone(), metrics.clone()),
            authn,
            management: None,
            about,
            metrics,
            tasks: tasks.clone(),
            draining: CancellationToken::new(),
            under_way: UnderWay::default(),
            confirmations: Confirmations::default(),
            tickets: Tickets::default(),
            audited: Audited::new(fleet.audit.clone()),
            logs: None,
        });
        Self {
            router: rest.router,
            view: View { fleet, tunnels, management: None, doors: [].into(), keeps_logs: false },
            tasks,
        }
    }

    /// What shows the fleet to those who watch it.
    pub(super) fn board(&self) -> Board {
        Board::new(self.view.clone(), self.tasks.clone())
    }

    /// Registers a cluster with labels.
    pub(super) async fn register(&self, name: &str, labels: &[(&str, &str)]) {
        let labels = labels.iter().map(|&(key, value)| (key.into(), value.into())).collect();
        let new = NewCluster { labels, ..NewCluster::named(name.parse().unwrap()) };
        let life = Duration::from_secs(1800);
        self.view.fleet.registry.register(&new, "root", Timestamp::now(), life).await.unwrap();
    }

    /// Asks as somebody in a group, or as nobody.
    pub(super) async fn ask(&self, method: &str, path: &str, group: Option<&str>) -> Response<RouteBody> {
        let who = group.map(|group| Arc::new(Principal::for_test("jane", &[group])));
        let rules = self.view.fleet.access.rules();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .extension(Asker { who, request: RequestId::random(), rules })
            .body(RouteBody::empty())
            .unwrap();
        self.router.clone().oneshot(request).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_within_bounds() {
    let body = |length: usize| trunkline_runtime::full(vec![b' '; length]);
    assert_eq!(read(body(MAX_BODY), MAX_BODY).await.unwrap().len(), MAX_BODY);
    assert_eq!(read(body(MAX_BODY + 1), MAX_BODY).await.unwrap_err().word(), "TooLarge");
    let (_sender, waits) = tokio::sync::mpsc::channel::<Bytes>(1);
    assert_eq!(read(boxed(Waits(waits)), MAX_BODY).await.unwrap_err().word(), "Invalid");
}

/// A body that does not come.
struct Waits(tokio::sync::mpsc::Receiver<Bytes>);

impl http_body::Body for Waits {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

#[test]
fn the_api_is_what_stands_under_its_base() {
    for path in ["/trunkline/v1", "/trunkline/v1/", "/trunkline/v1/clusters"] {
        assert!(serves(path), "{path}");
    }
    for path in
        ["/", "/trunkline", "/trunkline/v10", "/trunkline/v1x/", "/clusters/trunkline/v1/", "//trunkline/v1/"]
    {
        assert!(!serves(path), "{path}");
    }
}
