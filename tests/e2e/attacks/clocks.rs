//! Certificates of another time (T39): not yet, no longer, and over while it is in use. And agents of another version (T43).

use std::time::{Duration, Instant, SystemTime};

use http::Request;
use http_body_util::BodyExt as _;
use trunkline_pki::{AgentName, Validity};
use trunkline_proto::{ProtocolVersion, RejectionReason, Slot};
use trunkline_runtime::empty;
use trunkline_tests::{FarEnd, Rig, Turned, within};

use super::SOON;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// So many seconds from now.
fn at(seconds: i64) -> SystemTime {
    let span = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { SystemTime::now() - span } else { SystemTime::now() + span }
}

/// From when to when, in seconds from now, and whether it is good now. What lies within two seconds of now is left out: a
/// certificate's seconds are whole.
fn matrix() -> Vec<(i64, i64, bool)> {
    let mut matrix = Vec::new();
    for begins in [-400 * DAY, -DAY, -HOUR, -600, -30, -3, 5, 30, 600, HOUR, DAY, 400 * DAY] {
        for lasts in [2, 30, 600, HOUR, DAY, 400 * DAY, 800 * DAY] {
            let ends = begins + lasts;
            if !(-3..=20).contains(&ends) {
                matrix.push((begins, ends, begins < 0 && ends > 0));
            }
        }
    }
    matrix
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t39_a_certificate_of_another_time_opens_neither_door() {
    let rig = Rig::start().await;
    let (id, uid) = (rig.cluster("alpha").id.clone(), rig.cluster("alpha").uid);
    let matrix = matrix();
    let (mut let_in, mut refused) = (0, 0);
    for (number, (begins, ends, good)) in matrix.iter().copied().enumerate() {
        let validity = Validity { not_before: at(begins), not_after: at(ends) };
        // A slot of its own each, so that none fences another.
        let slot = Slot(u16::try_from(100 + number).unwrap());
        let name = AgentName { trust_domain: "trunkline.test".into(), cluster: id.clone(), uid, slot };
        let agent = rig.paper.pki.tunnel.agent(&name, validity).unwrap();
        let tls = rig.paper.pki.careless_link(Some(&agent)).unwrap();
        let came = FarEnd::come(rig.tunnel_door(0), tls, "alpha", number as u64, &rig.tasks).await;
        assert_eq!(came.is_ok(), good, "an agent's certificate from {begins} s to {ends} s: {came:?}");
        if let Ok(far_end) = came {
            far_end.leave().await;
        }
        let issued = rig.paper.pki.front.client("jane", &["dev"], validity).unwrap();
        let client = rig.client_showing(Some(&issued));
        let answered = async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut tls = client.connect(b"http/1.1").await.ok()?;
            tls.write_all(b"GET /trunkline/v1/version HTTP/1.1\r\nhost: localhost\r\n\r\n").await.ok()?;
            let mut heard = [0; 12];
            tls.read_exact(&mut heard).await.ok()
        };
        let answered = within("an answer or the end", SOON, answered).await;
        assert_eq!(answered.is_some(), good, "a client's certificate from {begins} s to {ends} s");
        *if good { &mut let_in } else { &mut refused } += 2;
    }
    println!("{} certificates of other times: {let_in} let in, {refused} refused", matrix.len() * 2);
    assert!(let_in > 20 && refused > 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_t39_a_certificate_that_ends_while_in_use_ends_what_it_carries() {
    let rig = Rig::start().await;
    // Whole seconds, as a certificate has them.
    let ends = SystemTime::UNIX_EPOCH
        + Duration::from_secs(at(4).duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
    let validity = Validity { not_before: at(-600), not_after: ends };
    let cluster = rig.cluster("alpha");
    let name = AgentName {
        trust_domain: "trunkline.test".into(),
        cluster: cluster.id.clone(),
        uid: cluster.uid,
        slot: Slot(7),
    };
    let agent = rig.paper.pki.tunnel.agent(&name, validity).unwrap();
    let tls = rig.paper.pki.careless_link(Some(&agent)).unwrap();
    let far_end = FarEnd::come(rig.tunnel_door(0), tls, "alpha", 7, &rig.tasks).await.unwrap();
    let issued = rig.paper.pki.front.client("jane", &["dev"], validity).unwrap();
    let mut connection = rig.client_showing(Some(&issued)).http2().await;
    let request = Request::get("/clusters/alpha/watch?watch=1").body(empty()).unwrap();
    let body = connection.send(request).await.unwrap().into_body();
    let began = Instant::now();
    let (watch, _) =
        within("both ends", SOON, async { tokio::join!(body.collect(), far_end.session.ended()) }).await;
    let late = SystemTime::now().duration_since(ends).unwrap_or_default();
    println!("cut {late:?} after the end, after {:?}", began.elapsed());
    assert!(SystemTime::now() >= ends, "not before");
    assert!(late < Duration::from_secs(2), "{late:?}");
    drop(watch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t43_an_agent_of_another_version_is_met_where_it_can_be_and_told_where_not() {
    let rig = Rig::builder().without_agents().start().await;
    let cluster = rig.cluster("alpha");
    let (agent, _) = rig.paper.agent("skewed", &cluster.id, cluster.uid, 0);
    let tls = rig.paper.pki.careless_link(Some(&agent)).unwrap();
    let ours = trunkline_proto::PROTOCOL.0;
    let (mut met, mut told) = (0, 0);
    for newest in 0..=ours + 4 {
        for oldest in 0..=newest {
            let mut hello = FarEnd::hello("alpha", u64::from(newest) << 16 | u64::from(oldest)).unwrap();
            (hello.version, hello.oldest_version) = (ProtocolVersion(newest), ProtocolVersion(oldest));
            let came = FarEnd::come_saying(rig.tunnel_door(0), tls.clone(), hello, &rig.tasks).await;
            // Both must know one version, and nobody goes below what it says is its oldest.
            let agreed = newest.min(ours);
            let can = agreed >= oldest && agreed >= ours.saturating_sub(2).max(1);
            match came {
                Ok(far_end) => {
                    assert!(can, "{oldest} to {newest} was let in");
                    assert_eq!(far_end.welcome.version.0, agreed);
                    far_end.leave().await;
                    met += 1;
                }
                Err(Turned::Away(rejection)) => {
                    assert!(!can, "{oldest} to {newest}: {rejection}");
                    assert_eq!(rejection.reason, RejectionReason::VersionSkew);
                    told += 1;
                }
                Err(lost) => panic!("{oldest} to {newest}: {lost:?}"),
            }
        }
    }
    println!("{met} pairs of versions met, {told} were told");
    assert!(met > 0 && told > 0);
}
