use super::*;
use crate::config::{ByteLimitsConfig, LimitsConfig};
use crate::fair::Share;
use crate::metrics::Metrics;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

const MIB: u64 = 1024 * 1024;

fn fair(user: Option<u64>, cluster: Option<u64>) -> Fair {
    let bytes = ByteLimitsConfig { user_per_second: user, cluster_per_second: cluster };
    let limits = LimitsConfig { bytes, ..LimitsConfig::default() };
    Fair::new(&limits, Arc::new(Semaphore::new(1000)), 1000, Metrics::default())
}

fn share(fair: &Fair, user: &str) -> Share {
    let mut share = fair.begin(user).unwrap();
    share.reach(&"alpha".parse().unwrap(), 0).unwrap();
    share
}

/// Reads so many MiB in frames of 16 KiB at the share's pace; says how long it took.
async fn read(share: &Share, mib: u64) -> Duration {
    let frames = (0..mib * 64)
        .map(|_| Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from(vec![0; 16 * 1024]))));
    let body = http_body_util::StreamBody::new(futures_util::stream::iter(frames));
    let began = Instant::now();
    let read = Paced::new(body, share.pace()).collect().await.unwrap().to_bytes();
    assert_eq!(read.len() as u64, mib * MIB);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_there_is_no_pace() {
    assert!(share(&fair(None, None), "jane").pace().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_body_goes_at_its_users_rate_after_a_burst_of_one_second() {
    let fair = fair(Some(MIB), None);
    let took = read(&share(&fair, "jane"), 11).await;
    assert!((Duration::from_millis(9_900)..Duration::from_millis(10_200)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn one_users_requests_share_a_budget_and_anothers_do_not() {
    let fair = fair(Some(MIB), None);
    let (one, two, other) = (share(&fair, "jane"), share(&fair, "jane"), share(&fair, "joe"));
    let (one, two, other) = tokio::join!(read(&one, 6), read(&two, 6), read(&other, 6));
    let seconds = [one.max(two), other].map(|took| took.as_secs_f64().round());
    assert_eq!(seconds, [11.0, 5.0]);
}

#[tokio::test(start_paused = true)]
async fn a_clusters_budget_is_all_its_users() {
    let fair = fair(None, Some(MIB));
    let (one, two) = (share(&fair, "jane"), share(&fair, "joe"));
    let (one, two) = tokio::join!(read(&one, 6), read(&two, 6));
    assert_eq!(one.max(two).as_secs_f64().round(), 11.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_small_waits_for_nothing_beside_bulk() {
    let fair = fair(Some(MIB), None);
    let (bulk, terminal) = (share(&fair, "jane"), share(&fair, "jane"));
    let typing = async {
        let (front, mut cluster) = tokio::io::duplex(1024);
        let mut front = Paced::new(front, terminal.pace());
        let mut worst = Duration::ZERO;
        for _ in 0..1000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let began = Instant::now();
            front.write_all(&[b'x'; 64]).await.unwrap();
            let mut heard = [0; 64];
            cluster.read_exact(&mut heard).await.unwrap();
            cluster.write_all(&heard).await.unwrap();
            front.read_exact(&mut heard).await.unwrap();
            worst = worst.max(began.elapsed());
        }
        worst
    };
    let (took, worst) = tokio::join!(read(&bulk, 11), typing);
    assert!(took >= Duration::from_millis(9_900), "{took:?}");
    assert_eq!(worst, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_goes_at_the_pace_in_both_directions_together() {
    let fair = fair(Some(MIB), None);
    let share = share(&fair, "jane");
    let (front, cluster) = tokio::io::duplex(64 * 1024);
    let (mut back, mut out) = tokio::io::split(Paced::new(front, share.pace()));
    let (mut heard, mut said) = tokio::io::split(cluster);
    let began = Instant::now();
    let bytes = vec![0; 16 * 1024];
    tokio::join!(
        async {
            for _ in 0..3 * 64 {
                out.write_all(&bytes).await.unwrap()
            }
        },
        async {
            for _ in 0..3 * 64 {
                said.write_all(&bytes).await.unwrap()
            }
        },
        async { heard.read_exact(&mut vec![0; 3 * MIB as usize]).await.unwrap() },
        async { back.read_exact(&mut vec![0; 3 * MIB as usize]).await.unwrap() },
    );
    let took = began.elapsed();
    assert!((Duration::from_millis(4_800)..Duration::from_millis(5_200)).contains(&took), "{took:?}");
}
