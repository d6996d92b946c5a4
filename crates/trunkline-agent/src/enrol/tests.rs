use std::path::Path;

use tempfile::TempDir;
use trunkline_runtime::Tasks;

use super::*;
use crate::fake_gateway::FakeGateway;
use crate::identity::Brought;

/// A gateway, an agent's folder with a token in it, and what it takes to enrol.
struct Stage {
    tasks: Tasks,
    folder: TempDir,
    gateway: FakeGateway,
    enroller: Enroller,
}

impl Stage {
    async fn set() -> Self {
        let (tasks, folder) = (Tasks::new(), tempfile::tempdir().unwrap());
        let gateway = FakeGateway::start(&folder.path().join("gateway"), &tasks).await;
        let enroller = gateway.enroller(folder.path(), &tasks);
        std::fs::write(token_file(folder.path()), "tlj_secret\n").unwrap();
        Self { tasks, folder, gateway, enroller }
    }

    async fn enrol(&self) -> Result<Enrolled, EnrolError> {
        self.enroller.enrol(&self.gateway.address).await
    }

    /// Enrols and keeps what came, as the agent does once the certificate is in use.
    async fn enrol_and_keep(&self) -> Enrolled {
        let enrolled = self.enrol().await.unwrap();
        let certified = &enrolled.certified;
        let brought = Brought { roots: &certified.roots, uid: certified.uid, pin: self.enroller.pin };
        self.enroller.store.keep(brought).await.unwrap();
        enrolled
    }

    async fn says(&self) -> String {
        chain(&self.enrol().await.unwrap_err())
    }
}

fn token_file(folder: &Path) -> PathBuf {
    folder.join("join-token")
}

fn token() -> Option<String> {
    Some("tlj_secret".into())
}

#[tokio::test]
async fn the_token_is_sent_until_a_certificate_was_obtained_and_never_after() {
    let stage = Stage::set().await;
    let first = stage.enrol().await.unwrap();
    let again = stage.enrol_and_keep().await;
    std::fs::remove_file(token_file(stage.folder.path())).unwrap();
    stage.enrol().await.unwrap();
    assert_eq!(stage.gateway.tokens(), [token(), token(), None], "nothing was kept after the first");
    assert_eq!(again.tls.identity().slot, Slot(1));
    assert!(!format!("{:?}", stage.enroller).contains("tlj_"));
    let asked = stage.gateway.state().asked.clone();
    assert!(asked.iter().all(|(_, key)| *key == asked[0].1), "it is the cluster's key each time");
    assert!(asked[0].0.csr != asked[1].0.csr, "and another key of the slot");
    assert!(first.tls.identity().serial != again.tls.identity().serial);
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_gateway_that_does_not_know_the_key_is_shown_the_token() {
    let stage = Stage::set().await;
    stage.enrol_and_keep().await;
    for reason in [EnrolReason::KeyUnknown, EnrolReason::AwayTooLong] {
        stage.gateway.state().asked.clear();
        stage.gateway.state().without_token = Some(reason);
        stage.enrol().await.unwrap();
        assert_eq!(stage.gateway.tokens(), [None, token()]);
    }
    // For another reason it is not, and without one there is nothing to show.
    stage.gateway.state().asked.clear();
    stage.gateway.state().without_token = Some(EnrolReason::ClusterLocked);
    let error = stage.enrol().await.unwrap_err();
    assert!(error.will_last() && error.to_string().contains("ClusterLocked"), "{error}");
    std::fs::remove_file(token_file(stage.folder.path())).unwrap();
    stage.gateway.state().without_token = Some(EnrolReason::KeyUnknown);
    assert!(stage.says().await.contains("KeyUnknown"));
    assert_eq!(stage.gateway.tokens(), [None, None]);
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn roots_that_are_kept_count_before_the_pin_and_the_pin_helps_when_they_do_not() {
    let mut stage = Stage::set().await;
    stage.enrol_and_keep().await;
    let another = FakeGateway::start(&stage.folder.path().join("another"), &stage.tasks).await;
    // The pin of another gateway does not matter to one that stands under the roots.
    stage.enroller.pin = another.papers.pin();
    stage.enrol().await.unwrap();
    // A gateway that was set up anew has another root; the new manifest has its pin.
    stage.gateway = another;
    stage.enrol_and_keep().await;
    assert_eq!(stage.gateway.tokens(), [None]);
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_stranger_is_told_nothing_and_named() {
    let mut stage = Stage::set().await;
    let stranger = FakeGateway::start(&stage.folder.path().join("stranger"), &stage.tasks).await;
    let pin = stage.gateway.papers.pin().to_string();
    stage.gateway = stranger;
    let text = stage.says().await;
    assert!(text.contains("issued by") && text.contains("trunkline tunnel root"), "{text}");
    assert!(text.contains(&pin) && text.contains("intercepted"), "{text}");
    assert!(stage.gateway.tokens().is_empty());
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_certificate_for_somebody_else_is_not_taken() {
    let stage = Stage::set().await;
    for (cluster, slot) in [("beta", 1), ("alpha", 2)] {
        stage.gateway.state().instead = Some((cluster, slot));
        let text = stage.says().await;
        assert!(text.contains(&format!("it is for slot {slot} of {cluster}")), "{text}");
        assert!(text.contains("slot 1 of alpha was asked for"), "{text}");
    }
    let other = SlotKey::generate().unwrap();
    let certified = stage.gateway.certified(&other, "alpha", 1);
    assert!(stage.enroller.take(certified.clone(), &SlotKey::generate().unwrap()).is_err(), "of another key");
    let foreign = Certified { uid: trunkline_proto::ClusterUid::random(), ..certified.clone() };
    assert!(matches!(stage.enroller.take(foreign, &other), Err(Unfit::ForAnother { .. })));
    assert!(stage.enroller.take(certified, &other).is_ok());
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn a_token_file_that_holds_none_is_told_and_one_that_is_not_there_is_not_needed() {
    let stage = Stage::set().await;
    for bad in [&b"two words"[..], b"one\ntwo", b"\xff", &[b'x'; MAX_TOKEN + 1]] {
        std::fs::write(token_file(stage.folder.path()), bad).unwrap();
        let text = stage.says().await;
        assert!(text.contains("join-token") && text.contains("no usable token"), "{text}");
        assert!(!text.contains("two"), "nothing of it is repeated");
    }
    for nothing in ["", " \n"] {
        std::fs::write(token_file(stage.folder.path()), nothing).unwrap();
        stage.enrol().await.unwrap();
    }
    assert_eq!(stage.gateway.tokens(), [None, None]);
    stage.tasks.shut_down().await;
}

#[tokio::test]
async fn each_refusal_is_told_and_those_that_last_are_known() {
    let stage = Stage::set().await;
    for (reason, lasts) in [
        (EnrolReason::TokenUsed, true),
        (EnrolReason::TokenExpired, true),
        (EnrolReason::TokenUnknown, true),
        (EnrolReason::ClusterUnknown, true),
        (EnrolReason::NotIssuing, true),
        (EnrolReason::TooMany, false),
        (EnrolReason::Unavailable, false),
    ] {
        stage.gateway.state().everybody = Some(reason);
        let error = stage.enrol().await.unwrap_err();
        assert_eq!(error.will_last(), lasts, "{reason}");
        let text = error.to_string();
        assert!(text.contains(reason.as_str()) && text.contains("as it was told"), "{text}");
        assert!(!text.contains("tlj_"), "{text}");
    }
    stage.tasks.shut_down().await;
}
