use tempfile::TempDir;
use trunkline_proto::EnrolReason;
use trunkline_runtime::Tasks;

use super::*;
use crate::fake_gateway::FakeGateway;

struct Stage {
    tasks: Tasks,
    folder: TempDir,
    gateway: FakeGateway,
    pass: Pass,
    issued: Issued,
    metrics: Metrics,
}

impl Stage {
    async fn set() -> Self {
        let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
        let gateway = FakeGateway::start(&folder.path().join("gateway"), &tasks).await;
        let metrics = Metrics::default();
        let issued = Issued::new(gateway.enroller(folder.path(), &tasks), metrics.clone());
        Self { tasks, folder, gateway, pass: Pass::Issued(issued.clone()), issued, metrics }
    }

    async fn ready(&self) -> Result<Arc<ClientConfig>, EnrolError> {
        self.pass.ready(&self.gateway.address).await
    }

    fn asked(&self) -> usize {
        self.gateway.state().asked.len()
    }

    fn kept(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("identity").join(name)).ok()
    }
}

#[tokio::test]
async fn links_that_want_a_certificate_at_once_share_one_enrolment() {
    let stage = Arc::new(Stage::set().await);
    assert!(stage.pass.shown().is_none());
    let links: Vec<_> = (0..10)
        .map(|_| {
            let stage = stage.clone();
            stage.tasks.clone().spawn(async move { stage.ready().await.is_ok() })
        })
        .collect();
    for link in links {
        assert!(link.await.unwrap());
    }
    stage.ready().await.unwrap();
    assert_eq!((stage.asked(), stage.metrics.enrolments.get()), (1, 1));
    let shown = stage.pass.shown().unwrap();
    assert_eq!((shown.uid, stage.pass.slot()), (stage.gateway.state().uid, Slot(1)));
    assert_eq!(stage.metrics.certificate_not_after.get(), seconds(shown.not_after));
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_certificate_that_the_gateway_does_not_take_is_not_shown_again() {
    let stage = Stage::set().await;
    stage.ready().await.unwrap();
    stage.pass.spoil();
    stage.gateway.state().everybody = Some(EnrolReason::Unavailable);
    assert!(stage.ready().await.is_err());
    assert_eq!(stage.metrics.enrolments_failed.get(), 1);
    stage.gateway.state().everybody = None;
    stage.ready().await.unwrap();
    stage.ready().await.unwrap();
    assert_eq!(stage.asked(), 3);
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_renewed_certificate_takes_the_place_of_the_one_before() {
    let stage = Stage::set().await;
    stage.ready().await.unwrap();
    let serial = |stage: &Stage| stage.issued.held().unwrap().tls.identity().serial;
    let (before, mut changes) = (serial(&stage), stage.issued.changes());
    let key = SlotKey::generate().unwrap();
    stage.issued.take(stage.gateway.certified(&key, "alpha", 1), &key).unwrap();
    assert!(changes.has_changed().unwrap() && serial(&stage) != before);
    changes.mark_unchanged();
    let newest = serial(&stage);
    assert!(stage.issued.take(stage.gateway.certified(&key, "beta", 1), &key).is_err());
    assert!(!changes.has_changed().unwrap() && serial(&stage) == newest, "the good one stays");
    assert_eq!(stage.asked(), 1, "renewing is no enrolment");
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn roots_that_the_gateway_tells_are_trusted_and_kept_and_bring_a_renewal_when_it_says_so() {
    let stage = Stage::set().await;
    stage.ready().await.unwrap();
    stage.issued.keep().await;
    let own = stage.gateway.papers.roots_pem();
    assert_eq!(stage.kept("roots.pem").as_ref(), Some(&own));
    assert_eq!(stage.kept("uid").unwrap(), stage.gateway.state().uid.to_string());
    stage.gateway.papers.begin_rotation().unwrap();
    let both = stage.gateway.papers.roots_pem();
    assert!(both.len() > own.len());
    stage.issued.trust(&Trust { roots: both.clone(), renew: false }).await.unwrap();
    assert_eq!(stage.kept("roots.pem").as_ref(), Some(&both));
    let wanted = tokio::time::timeout(Duration::from_millis(1), stage.issued.wanted());
    assert!(wanted.await.is_err(), "nobody asked for a renewal");
    stage.issued.trust(&Trust { roots: both.clone(), renew: true }).await.unwrap();
    stage.issued.wanted().await;
    assert!(stage.issued.trust(&Trust { roots: "none".into(), renew: false }).await.is_err());
    assert_eq!(stage.kept("roots.pem").as_ref(), Some(&both), "the good ones stay");
    stage.tasks.shut_down().await;
}
