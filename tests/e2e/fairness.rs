//! Noisy neighbours: one user, or one cluster, that takes what it can, and all others, who are served all the same.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use trunkline_gateway::LimitsConfig;
use trunkline_runtime::empty;
use trunkline_tests::{Client, Reply, Rig, count, eventually, within};

const SOON: Duration = Duration::from_secs(60);

/// Limits of a small gateway.
fn limits(requests: usize, opens: u64) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    limits.user.requests = requests;
    (limits.user.opens_per_second, limits.user.opens_burst) = (opens, 2 * opens);
    (limits.cluster.opens_per_second, limits.cluster.opens_burst) = (100_000, 100_000);
    limits
}

/// Which limit a refusal names.
fn limit(reply: &Reply) -> String {
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (429, "TooManyRequests"),
        "{}",
        reply.text()
    );
    let status = reply.json();
    let seconds: u64 = reply.field("retry-after").parse().unwrap();
    assert!(seconds >= 1);
    assert_eq!(status["details"]["retryAfterSeconds"], seconds);
    let causes = status["details"]["causes"].as_array().unwrap();
    let named = causes.iter().find(|cause| cause["reason"] == "Limit").unwrap();
    named["message"].as_str().unwrap().to_owned()
}

/// Asks for so many answers at once and keeps those that begin; counts the refusals by their limit.
async fn take(client: &Client, path: &str, times: usize) -> (Vec<Incoming>, BTreeMap<String, usize>) {
    let (mut held, mut refused) = (Vec::new(), BTreeMap::new());
    let mut left = times;
    while left > 0 {
        let shared = client.http2().await;
        let now = left.min(200);
        let asking = (0..now).map(|_| {
            let mut connection = shared.another();
            async move { connection.send(Request::get(path).body(empty()).unwrap()).await.unwrap() }
        });
        for answer in within("answers that begin", SOON, join_all(asking)).await {
            let (parts, body) = answer.into_parts();
            if parts.status == 200 {
                held.push(body);
                continue;
            }
            let body = body.collect().await.unwrap().to_bytes();
            let reply = Reply { status: parts.status, headers: parts.headers, body };
            *refused.entry(limit(&reply)).or_default() += 1;
        }
        left -= now;
    }
    (held, refused)
}

async fn all_over(rig: &Rig) {
    eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_of_fifty_users_one_floods_and_all_others_are_served() {
    let times = count(4, 100);
    let rig = Rig::builder().max_requests(400).limits(limits(200, 50)).start().await;
    let hostile = rig.client_as("hostile", &[]);
    let others: Vec<_> = (0..49).map(|at| rig.client_as(&format!("user {at}"), &[])).collect();
    let mut others: Vec<_> = join_all(others.iter().map(Client::http2)).await;
    let flooding = async {
        // Opens without end, answers that are held, answers that are never read.
        let (opens, held, unread) = tokio::join!(
            take(&hostile, "/clusters/alpha/api", 500 * times.times),
            take(&hostile, "/clusters/alpha/held", 500),
            take(&hostile, "/clusters/alpha/stream/1000000000", 500),
        );
        [opens, held, unread]
    };
    let serving = join_all(others.iter_mut().map(|other| async {
        for at in 0..times.times {
            let reply = other.get(&format!("/clusters/alpha/api?{at}")).await.unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }));
    let (flood, _) =
        within("the flood and all others", 4 * SOON, async { tokio::join!(flooding, serving) }).await;
    let held: usize = flood.iter().map(|(held, _)| held.len()).sum();
    let refused: usize = flood.iter().flat_map(|(_, refused)| refused.values()).sum();
    println!("{times}: the hostile user got {held} answers and {refused} refusals");
    assert_eq!(held + refused, 500 * times.times + 1000);
    assert!(refused > held, "{held} answers, {refused} refusals");
    let metrics = rig.metrics(0).await;
    assert!(
        metrics.contains("trunkline_gateway_over_limit_total{limit=\"user.opens_per_second\"}"),
        "{metrics}"
    );
    assert!(!metrics.contains("hostile"), "no label is a user's name");
    drop(flood);
    rig.upstream("alpha").release();
    all_over(&rig).await;
    assert_eq!(hostile.get("/clusters/alpha/api").await.status, 200, "who rests is served again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_a_user_who_takes_what_there_is_leaves_places_for_all_others() {
    let rig = Rig::builder().max_requests(200).limits(limits(2000, 5000)).start().await;
    let (held, refused) = take(&rig.client_as("hostile", &[]), "/clusters/alpha/held", 600).await;
    assert!((148..=151).contains(&held.len()), "three quarters of 200 places: {}", held.len());
    // Of two that arrive at once, one may find the places of its user free and those of the cluster just taken.
    let by_share = |limit: &str| refused.get(limit).copied().unwrap_or(0);
    assert_eq!(by_share("user.share") + by_share("cluster.share"), 600 - held.len(), "{refused:?}");
    assert!(by_share("cluster.share") <= 10, "{refused:?}");
    let others: Vec<_> = (0..49).map(|at| rig.client_as(&format!("user {at}"), &[])).collect();
    for reply in join_all(others.iter().map(|other| other.get("/clusters/alpha/api"))).await {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    drop(held);
    all_over(&rig).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_a_users_limits_hold_for_all_their_sessions_together_and_on_every_way_in() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").limits(limits(3, 1000)).start().await;
    // Another certificate is another sign-in.
    let (first, second) = (rig.client_as("jane", &["dev"]), rig.client_as("jane", &["ops"]));
    let (held, refused) = take(&first, "/clusters/alpha/held", 3).await;
    assert_eq!((held.len(), refused.len()), (3, 0));
    for path in ["/clusters/alpha/api", "/clusters/beta/api"] {
        assert_eq!(limit(&second.get(path).await), "user.requests", "{path}");
    }
    let reply = second.get("/trunkline/v1/clusters").await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (429, "TooManyRequests"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.field("retry-after"), "1");
    let text = second.get("/clusters/beta/api").await.text();
    assert!(
        text.contains("you have 3 requests under way") && text.contains("limits.user.requests"),
        "{text}"
    );
    assert_eq!(rig.client_as("joe", &[]).get("/clusters/alpha/api").await.status, 200);
    assert_eq!(rig.upstream("beta").count(), 0, "what is refused costs the cluster nothing");
    drop(held);
    all_over(&rig).await;
    assert_eq!(second.get("/clusters/beta/api").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_a_cluster_that_never_answers_takes_nobody_elses_places() {
    let rig = Rig::builder()
        .cluster("alpha")
        .cluster("beta")
        .max_requests(200)
        .limits(limits(50, 1000))
        .start()
        .await;
    let users: Vec<_> = (0..40).map(|at| rig.client_as(&format!("user {at}"), &[])).collect();
    let connections = join_all(users.iter().map(Client::http2)).await;
    let tasks = trunkline_runtime::Tasks::new();
    let stuck: Vec<_> = connections
        .iter()
        .flat_map(|shared| (0..5).map(|_| shared.another()))
        .map(|mut connection| {
            tasks.spawn(async move { connection.get("/clusters/alpha/stuck").await.unwrap() })
        })
        .collect();
    // Three quarters, and the first request of each user: they are not to pay for what others do there.
    let refused = || stuck.iter().filter(|one| one.is_finished()).count();
    eventually("each is there or refused", SOON, || refused() + rig.upstream("alpha").count() == 200).await;
    assert!((10..=50).contains(&refused()), "{} of 200 were refused", refused());
    for user in &users {
        let reply = user.get("/clusters/beta/api").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(rig.client().get("/clusters/alpha/api").await.status, 200, "one is everybody's");
    rig.upstream("alpha").release();
    for one in stuck {
        let reply = within("an answer", SOON, one).await.unwrap();
        if reply.status != 200 {
            // While they arrive all places are taken for a moment, by those that are refused in the next.
            let limit = limit(&reply);
            assert!(["cluster.share", "user.share"].contains(&limit.as_str()), "{limit}");
        }
    }
    all_over(&rig).await;
    assert_eq!(rig.client().get("/clusters/alpha/api").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_who_may_not_reach_a_cluster_uses_none_of_its_share_up() {
    let mut small = limits(1000, 1000);
    (small.cluster.opens_per_second, small.cluster.opens_burst) = (1, 5);
    let rule = serde_json::json!({
        "name": "jane-only",
        "spec": {
            "subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "custom", "verbs": ["*"],
        },
    });
    let rig = Rig::builder().limits(small).access(&[rule]).start().await;
    let outsider = rig.client_as("outsider", &[]);
    let mut connection = outsider.http2().await;
    for _ in 0..50 {
        assert_eq!(connection.get("/clusters/alpha/api").await.unwrap().status, 403);
    }
    let mut jane = rig.client().http2().await;
    for _ in 0..5 {
        assert_eq!(jane.get("/clusters/alpha/api").await.unwrap().status, 200);
    }
    assert_eq!(limit(&jane.get("/clusters/alpha/api").await.unwrap()), "cluster.opens_per_second");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_bytes_per_second_slow_who_carries_much_and_nobody_else() {
    let mut paced = limits(1000, 1000);
    paced.bytes.user_per_second = Some(4 * 1024 * 1024);
    let rig = Rig::builder().limits(paced).start().await;
    let (bulk, other) = (rig.client(), rig.client_as("joe", &[]));
    let stopped = std::sync::atomic::AtomicBool::new(false);
    let carrying = async {
        let reply = bulk.get("/clusters/alpha/bytes/16777216").await;
        stopped.store(true, std::sync::atomic::Ordering::Relaxed);
        reply.body.len()
    };
    let asking = async {
        let (mut own, mut others) = (bulk.http2().await, other.http2().await);
        let mut served = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            assert_eq!(own.get("/clusters/alpha/api").await.unwrap().status, 200);
            assert_eq!(others.get("/clusters/alpha/api").await.unwrap().status, 200);
            served += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        served
    };
    let (length, served) = within("bulk at its pace", SOON, async { tokio::join!(carrying, asking) }).await;
    assert_eq!(length, 16 * 1024 * 1024, "what is slowed is whole");
    assert!(served > 10, "{served} small answers beside the bulk");
}
