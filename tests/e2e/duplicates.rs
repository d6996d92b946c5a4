//! One identity in two places: never two at work, noticed at once, and no flapping.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use trunkline_agent::{Credentials, IdentityConfig};
use trunkline_pki::{ClusterKey, LinkTls};
use trunkline_proto::{CloseReason, EnrolReason, Epoch, RejectionReason, Slot};
use trunkline_tests::{Enrolling, FarEnd, Logs, Rig, Turned, count, eventually, within};

const SOON: Duration = Duration::from_secs(15);
/// What is promised.
const ALERT: Duration = Duration::from_secs(5);

/// Looks at a cluster once; in no slot may there be two epochs.
fn look(rig: &Rig, name: &str) -> usize {
    let mut slots = BTreeMap::<Slot, BTreeSet<Epoch>>::new();
    for (slot, epoch) in rig.epochs(name) {
        slots.entry(slot).or_default().insert(epoch);
    }
    assert!(slots.values().all(|epochs| epochs.len() == 1), "two epochs live in one slot: {slots:?}");
    slots.len()
}

/// A slot's certificate, had by the cluster's key.
async fn certificate(rig: &Rig, name: &str, key: &ClusterKey, slot: u16) -> Result<LinkTls, EnrolReason> {
    let key = ClusterKey::from_pem(&key.to_pem()).unwrap();
    let asking = Enrolling::with_key(rig.tunnel_door(0), rig.pin(), name, key).slot(slot);
    let certified = asking.ask(&rig.tasks).await.map_err(|refusal| refusal.reason)?;
    Ok(LinkTls::issued(&certified.certificate, &asking.slot_key, &certified.roots).unwrap())
}

/// A cluster whose key is in our hands, joined by hand.
async fn by_hand(rig: &Rig, name: &str) -> ClusterKey {
    let token = std::fs::read_to_string(rig.token_file(name)).unwrap();
    let asking = Enrolling::new(rig.tunnel_door(0), rig.pin(), name).token(&token).slot(1);
    asking.ask(&rig.tasks).await.unwrap();
    asking.key
}

async fn come(rig: &Rig, name: &str, tls: &LinkTls, instance: u64) -> Result<FarEnd, Turned> {
    FarEnd::come(rig.tunnel_door(0), tls.current(), name, instance, &rig.tasks).await
}

fn contentions(logs: &Logs, name: &str) -> Vec<trunkline_tests::Line> {
    let told = |line: &trunkline_tests::Line| line.message.contains("two agents contend");
    logs.find(|line| line.target == "audit" && line.field("cluster") == name && told(line))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t09_an_agent_with_a_copied_identity_is_noticed_and_never_works_beside_the_other() {
    let logs = Logs::capture();
    let mut rig = Rig::registered("copied").await;
    let (from, to) = (rig.identity("copied"), rig.paper.path("stolen"));
    std::fs::create_dir(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        // What begins with a dot is being written, and will have moved.
        if !file.file_name().to_string_lossy().starts_with('.') {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
    let mut config = rig.pod_config("copied", 0);
    if let Credentials::Enrol(enrol) = &mut config.gateway.credentials {
        enrol.identity = IdentityConfig::Folder(to);
    }
    assert_eq!(look(&rig, "copied"), 1);
    let began = Instant::now();
    // Kept aside from the rig's pods: it is not one of the cluster's own.
    let thief = trunkline_agent::Agent::bind(config).await.unwrap().serve();
    let admin = rig.admin();
    let mut looks = 0;
    let shown = loop {
        for _ in 0..20 {
            look(&rig, "copied");
            looks += 1;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let shown = admin.get("/trunkline/v1/clusters/copied").await.json();
        if shown["status"]["state"] == "duplicate-identity" {
            break shown;
        }
        assert!(began.elapsed() < ALERT, "no alert: {shown}");
    };
    let alerted = began.elapsed();
    let contention = &contentions(&logs, "copied")[0];
    let (one, other) = (contention.field("one").to_owned(), contention.field("other").to_owned());
    assert_ne!(one, other);
    let reason = shown["status"]["reason"].as_str().unwrap();
    assert!(reason.contains(&one) && reason.contains(&other), "both addresses: {reason}");
    let metrics = rig.metrics(0).await;
    let counted =
        metrics.lines().find(|line| line.starts_with("trunkline_gateway_duplicate_identities_total"));
    assert!(counted.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
    // For a while after: one at most at any moment, and requests are answered.
    let until = Instant::now() + Duration::from_secs(3);
    let (mut asked, mut good) = (0, 0);
    while Instant::now() < until {
        for _ in 0..20 {
            look(&rig, "copied");
            looks += 1;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        asked += 1;
        good += usize::from(rig.client().get("/clusters/copied/api").await.status == 200);
    }
    println!(
        "noticed after {alerted:?}; {looks} looks saw one epoch at the most; {good} of {asked} requests answered"
    );
    assert!(good * 10 >= asked * 8, "{good} of {asked}");
    thief.cut().await;
    rig.cut_pod("copied", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t09_of_processes_that_race_for_a_slot_at_most_one_is_live_at_any_moment() {
    const PER_CLUSTER: usize = 30;
    let races = count(60, 1_000);
    let names: Vec<String> = (0..races.times.div_ceil(PER_CLUSTER)).map(|at| format!("race-{at}")).collect();
    let builder = names
        .iter()
        .fold(Rig::builder().enrolling().slots(16).without_agents(), |rig, name| rig.cluster(name));
    let rig = Arc::new(builder.start().await);
    let (won, turned) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let racing: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let (rig, name, won, turned) = (rig.clone(), name.clone(), won.clone(), turned.clone());
            let mine = (races.times - at * PER_CLUSTER).min(PER_CLUSTER);
            let tasks = rig.tasks.clone();
            tasks.spawn(async move {
                let key = by_hand(&rig, &name).await;
                for round in 0..mine {
                    let slot = u16::try_from(round % 15).unwrap();
                    let racers = (0..2).map(|_| async {
                        let tls = certificate(&rig, &name, &key, slot).await?;
                        Ok::<_, EnrolReason>(come(&rig, &name, &tls, rand::random()).await)
                    });
                    let came = within("a race", SOON, futures_util::future::join_all(racers)).await;
                    let mut live = Vec::new();
                    for one in came {
                        match one {
                            Ok(Ok(far_end)) => live.push(far_end),
                            Ok(Err(Turned::Away(rejection))) => {
                                let known = [
                                    RejectionReason::CertificateSuperseded,
                                    RejectionReason::DuplicateIdentity,
                                    RejectionReason::Fenced,
                                ];
                                assert!(known.contains(&rejection.reason), "{rejection}");
                                turned.fetch_add(1, Ordering::Relaxed);
                            }
                            Ok(Err(Turned::Lost(why))) => panic!("a link was lost: {why}"),
                            Err(reason) => {
                                assert_eq!(reason, EnrolReason::SlotContended);
                                turned.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                    // The one with the highest epoch is there, and whoever came before it is told to go.
                    live.sort_by_key(|far_end| far_end.welcome.epoch);
                    if let Some(newest) = live.pop() {
                        assert!(!newest.session.is_ended(), "the newest was cut");
                        won.fetch_add(1, Ordering::Relaxed);
                        for older in live {
                            assert!(older.welcome.epoch < newest.welcome.epoch);
                            within("the older one's end", SOON, older.session.ended()).await;
                        }
                        newest.leave().await;
                    }
                }
            })
        })
        .collect();
    let mut looks = 0;
    while racing.iter().any(|race| !race.is_finished()) {
        for name in &names {
            look(&rig, name);
        }
        looks += 1;
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    for race in racing {
        race.await.unwrap();
    }
    println!(
        "{races} races: {} won, {} turned away, {looks} looks saw at most one live epoch in each slot",
        won.load(Ordering::Relaxed),
        turned.load(Ordering::Relaxed)
    );
    assert_eq!(won.load(Ordering::Relaxed), races.times, "each race has a winner");
}

#[tokio::test]
async fn a_pod_that_starts_again_is_no_duplicate() {
    let logs = Logs::capture();
    let mut rig = Rig::registered("restarts").await;
    for _ in 0..5 {
        rig.cut_pod("restarts", 0).await;
        rig.start_pod("restarts", 0).await;
    }
    // A rolling update: the next one is there while the last one still drains.
    let leaving = rig.take_pod("restarts", 0).unwrap();
    let tasks = rig.tasks.clone();
    let draining = tasks.spawn(leaving.drain());
    rig.start_pod("restarts", 1).await;
    within("drained", SOON, draining).await.unwrap();
    assert_eq!(rig.client().get("/clusters/restarts/api").await.status, 200);
    assert!(contentions(&logs, "restarts").is_empty());
    let shown = rig.admin().get("/trunkline/v1/clusters/restarts").await.json();
    assert_eq!(shown["status"]["state"], "connected", "{shown}");
}

#[tokio::test]
async fn t10_a_slot_that_changes_hands_too_often_keeps_who_is_in_it() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("flaps").enrolling().without_agents().start().await;
    let key = by_hand(&rig, "flaps").await;
    let mut last: Option<FarEnd> = None;
    let mut epochs = Vec::new();
    for instance in 1..=4 {
        let tls = certificate(&rig, "flaps", &key, 0).await.unwrap();
        let next = come(&rig, "flaps", &tls, instance).await.expect("the newer one takes over");
        epochs.push(next.welcome.epoch);
        if let Some(before) = last.replace(next) {
            within("the one before is fenced", SOON, before.session.ended()).await;
        }
    }
    assert!(epochs.is_sorted() && epochs.windows(2).all(|two| two[0] < two[1]), "{epochs:?}");
    let incumbent = last.unwrap();
    let tls = certificate(&rig, "flaps", &key, 0).await.unwrap();
    for instance in 5..8 {
        match come(&rig, "flaps", &tls, instance).await {
            Err(Turned::Away(rejection)) => assert_eq!(rejection.reason, RejectionReason::DuplicateIdentity),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(certificate(&rig, "flaps", &key, 0).await.unwrap_err(), EnrolReason::SlotContended);
    assert!(certificate(&rig, "flaps", &key, 1).await.is_ok(), "other slots go on");
    assert!(incumbent.session.is_open());
    let reply = rig.client().get("/clusters/flaps/api").await;
    assert_eq!((reply.status.as_u16(), reply.text().as_str()), (200, "4"), "it is the incumbent who answers");
    assert!(contentions(&logs, "flaps").len() >= 4);
    // When it goes, the slot is free again.
    incumbent.leave().await;
    eventually("the slot is empty", SOON, || rig.epochs("flaps").is_empty()).await;
    let next = come(&rig, "flaps", &tls, 9).await.expect("an empty slot takes whoever comes");
    assert!(next.welcome.epoch > epochs[3]);
}

#[tokio::test]
async fn a_cluster_that_is_given_another_key_is_closed_to_the_key_before() {
    let rig = Rig::builder().cluster("rekeyed").enrolling().without_agents().start().await;
    let stolen = by_hand(&rig, "rekeyed").await;
    let tls = certificate(&rig, "rekeyed", &stolen, 0).await.unwrap();
    // The thief keeps the slot for himself, by taking it from himself until it is in quarantine.
    let mut thief = come(&rig, "rekeyed", &tls, 1).await.unwrap();
    for instance in 2.. {
        match come(&rig, "rekeyed", &tls, instance).await {
            Ok(next) => thief = next,
            Err(Turned::Away(rejection)) => {
                assert_eq!(rejection.reason, RejectionReason::DuplicateIdentity);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    // A new token, redeemed by another key: whoever has the old one is out, links and all.
    let token = rig.renew_token("rekeyed").await;
    let rightful = Enrolling::new(rig.tunnel_door(0), rig.pin(), "rekeyed").token(&token).slot(0);
    let certified = rightful.ask(&rig.tasks).await.expect("a new key ends the quarantine");
    let reason = within("the thief is cut", SOON, thief.session.ended()).await;
    assert!(!matches!(reason, CloseReason::Silent), "{reason}");
    let renewed = thief.renew(trunkline_pki::SlotKey::generate().unwrap().csr_pem()).await;
    assert!(renewed.is_err(), "nothing is renewed for it");
    match come(&rig, "rekeyed", &tls, 1).await {
        Err(Turned::Away(rejection)) => {
            assert_eq!(rejection.reason, RejectionReason::CertificateSuperseded);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(certificate(&rig, "rekeyed", &stolen, 0).await.unwrap_err(), EnrolReason::KeyUnknown);
    let tls = LinkTls::issued(&certified.certificate, &rightful.slot_key, &certified.roots).unwrap();
    come(&rig, "rekeyed", &tls, 100).await.expect("the rightful one comes in");
}
