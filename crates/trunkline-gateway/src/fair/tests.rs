use super::*;
use crate::config::{ClusterLimitsConfig, UserLimitsConfig};
use tokio::sync::OwnedSemaphorePermit;

/// Places for requests, and requests that take them as the front door does.
struct Scene {
    fair: Fair,
    requests: Arc<Semaphore>,
}

type Held = (OwnedSemaphorePermit, Share);

impl Scene {
    fn new(places: usize, limits: LimitsConfig) -> Self {
        let requests = Arc::new(Semaphore::new(places));
        Self { fair: Fair::new(&limits, requests.clone(), places, Metrics::default()), requests }
    }

    /// None when there is no place at all.
    fn begin(&self, user: &str) -> Option<Result<Held, Excess>> {
        let place = self.requests.clone().try_acquire_owned().ok()?;
        Some(self.fair.begin(user).map(|share| (place, share)))
    }

    /// Begins as many as it can.
    fn flood(&self, user: &str) -> (Vec<Held>, Limit) {
        let mut held = Vec::new();
        loop {
            match self.begin(user).expect("a place") {
                Ok(one) => held.push(one),
                Err(excess) => return (held, excess.limit),
            }
        }
    }

    fn reach(&self, user: &str, cluster: &str, streams: usize) -> Result<Held, Excess> {
        let (place, mut share) = self.begin(user).expect("a place")?;
        share.reach(&id(cluster), streams)?;
        Ok((place, share))
    }
}

fn id(cluster: &str) -> ClusterId {
    cluster.parse().unwrap()
}

/// No rate that a test would meet.
fn unhurried() -> LimitsConfig {
    LimitsConfig {
        user: UserLimitsConfig { opens_per_second: 1_000_000, opens_burst: 1_000_000, ..Default::default() },
        cluster: ClusterLimitsConfig {
            opens_per_second: 1_000_000,
            opens_burst: 1_000_000,
            ..Default::default()
        },
        ..LimitsConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_has_so_many_requests_under_way_and_not_one_more() {
    let scene = Scene::new(20_000, unhurried());
    let (mut held, limit) = scene.flood("jane");
    assert_eq!((held.len(), limit), (2048, Limit::UserRequests));
    assert!(scene.begin("joe").unwrap().is_ok());
    held.pop();
    assert!(scene.begin("jane").unwrap().is_ok(), "what is over gives its place back");
}

#[tokio::test(start_paused = true)]
async fn a_user_begins_so_many_requests_a_second_after_a_burst() {
    let scene = Scene::new(20_000, LimitsConfig::default());
    let begun = |user: &str| (0..5000).filter(|_| scene.begin(user).unwrap().is_ok()).count();
    assert_eq!(begun("jane"), 2000);
    assert_eq!(begun("joe"), 2000, "each user has a budget of their own");
    let excess = scene.begin("jane").unwrap().unwrap_err();
    assert_eq!((excess.limit, excess.most, excess.retry_after), (Limit::UserOpens, 1000, 1));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(begun("jane"), 1000);
}

#[tokio::test(start_paused = true)]
async fn one_user_alone_gets_three_quarters_and_newcomers_find_places() {
    let scene = Scene::new(1000, unhurried());
    let (held, limit) = scene.flood("hostile");
    assert_eq!(limit, Limit::UserShare);
    assert!((750..=751).contains(&held.len()), "{}", held.len());
    let others: Vec<_> = (0..50).map(|at| scene.begin(&format!("user {at}")).unwrap().unwrap()).collect();
    assert!(scene.begin("hostile").unwrap().is_err());
    drop((held, others));
    assert_eq!(scene.fair.tables().held(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn users_who_take_what_they_can_leave_places_for_the_next() {
    let scene = Scene::new(20_000, unhurried());
    let mut all = Vec::new();
    for at in 0..16 {
        let (held, _) = scene.flood(&format!("hostile {at}"));
        assert!(held.len() >= 8, "user {at} got {}", held.len());
        all.push(held);
    }
    assert!(scene.begin("newcomer").unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn when_requests_end_shares_become_even() {
    let scene = Scene::new(1000, unhurried());
    let mut all: Vec<Vec<Held>> = (0..4).map(|at| scene.flood(&format!("user {at}")).0).collect();
    assert!(all[0].len() > 5 * all[3].len());
    for _ in 0..2000 {
        for (at, held) in all.iter_mut().enumerate() {
            // Each lets an old one go and tries to begin two.
            held.pop();
            for _ in 0..2 {
                if let Some(Ok(one)) = scene.begin(&format!("user {at}")) {
                    held.push(one);
                }
            }
        }
    }
    let shares: Vec<usize> = all.iter().map(Vec::len).collect();
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(*most <= 2 * least, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_has_a_ceiling_a_rate_and_a_share_and_others_do_not_feel_it() {
    let scene = Scene::new(20_000, unhurried());
    let mut held = Vec::new();
    let excess = loop {
        match scene.reach(&format!("user {}", held.len() % 50), "alpha", 0) {
            Ok(one) => held.push(one),
            Err(excess) => break excess,
        }
    };
    assert_eq!((held.len(), excess.limit), (8192, Limit::ClusterRequests));
    assert_eq!(excess.cluster.as_ref().map(ClusterId::as_str), Some("alpha"));
    assert!(scene.reach("jane", "beta", 0).is_ok());
    drop(held);
    let scene = Scene::new(100, unhurried());
    let mut held = Vec::new();
    let excess = loop {
        match scene.reach(&format!("user {}", held.len() % 30), "alpha", 0) {
            Ok(one) => held.push(one),
            Err(excess) => break excess,
        }
    };
    assert_eq!(excess.limit, Limit::ClusterShare);
    assert!((75..=76).contains(&held.len()), "{}", held.len());
    assert!(scene.reach("user 1", "beta", 0).is_ok());
    assert!(scene.reach("newcomer", "alpha", 0).is_ok(), "one is everybody's");
    let scene = Scene::new(20_000, LimitsConfig::default());
    let limits = (0..15_000).filter_map(|at| scene.reach(&format!("user {at}"), "alpha", 0).err());
    let limits: Vec<_> = limits.map(|excess| excess.limit).collect();
    assert_eq!((limits.len(), limits[0]), (5000, Limit::ClusterOpens));
}

#[tokio::test(start_paused = true)]
async fn one_user_alone_gets_three_quarters_of_a_tunnels_streams() {
    let scene = Scene::new(20_000, unhurried());
    let mut held = Vec::new();
    let excess = loop {
        match scene.reach("hostile", "alpha", 1024) {
            Ok(one) => held.push(one),
            Err(excess) => break excess,
        }
    };
    assert_eq!(excess.limit, Limit::UserStreams);
    assert!((767..=769).contains(&held.len()), "{}", held.len());
    let others: Vec<_> =
        (0..250).map(|at| scene.reach(&format!("user {at}"), "alpha", 1024).unwrap()).collect();
    assert!(scene.reach("hostile", "beta", 1024).is_ok(), "another cluster's streams are others");
    drop((held, others));
    assert_eq!(scene.fair.tables().held(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_user_over_their_own_limits_hears_it_late_and_so_many_at_once() {
    let scene = Scene::new(20_000, unhurried());
    let began = Instant::now();
    let users = Excess::new(Limit::UserOpens, 1);
    scene.fair.hold_back(&users).await;
    assert_eq!(began.elapsed(), HELD_BACK);
    scene.fair.hold_back(&Excess::new(Limit::ClusterOpens, 1)).await;
    assert_eq!(began.elapsed(), HELD_BACK, "what others may have caused is said at once");
    let many: Vec<_> = (0..MOST_HELD_BACK + 10).map(|_| scene.fair.hold_back(&users)).collect();
    let mut many = futures_util::stream::FuturesUnordered::from_iter(many);
    let at_once = async {
        let mut count = 0;
        while futures_util::StreamExt::next(&mut many).await.is_some() && began.elapsed() == HELD_BACK {
            count += 1;
        }
        count
    };
    assert_eq!(at_once.await, 10);
}

#[tokio::test(start_paused = true)]
async fn who_has_nothing_under_way_is_forgotten_before_the_table_grows_without_end() {
    let scene = Scene::new(20_000, unhurried());
    let kept: Vec<_> = (0..100).map(|at| scene.begin(&format!("kept {at}")).unwrap().unwrap()).collect();
    for at in 0..100_000 {
        drop(scene.begin(&format!("user {at}")));
    }
    assert!(scene.fair.tables().remembered() <= 16_384 + 100);
    assert_eq!(scene.fair.tables().held().0, 100);
    drop(kept);
    assert_eq!(scene.fair.tables().held().0, 0);
}

#[test]
fn each_excess_says_whose_limit_it_is_how_much_there_may_be_and_where_it_is_set() {
    let cluster: ClusterId = "alpha".parse().unwrap();
    for limit in [
        Limit::UserRequests,
        Limit::UserOpens,
        Limit::UserShare,
        Limit::ClusterRequests,
        Limit::ClusterOpens,
        Limit::ClusterShare,
        Limit::UserStreams,
        Limit::UserQueue,
    ] {
        let excess = Excess::new(limit, 1234).at(&cluster).after(Duration::from_millis(2500));
        let words = excess.words();
        assert!(words.contains("1234"), "{words}");
        let whose = if limit.as_str().starts_with("user") { "you" } else { "cluster alpha" };
        assert!(words.contains(whose), "{words}");
        assert_eq!(excess.retry_after, 3);
    }
    assert_eq!(Excess::new(Limit::UserShare, 1).after(Duration::ZERO).retry_after, 1);
}
