//! From one root of the tunnel to the next: nobody is dropped, nobody is forgotten, and a restart does not matter.

use std::time::Duration;

use serde_json::{Value, json};
use trunkline_tests::{Load, Logs, Rig, count, eventually};

const SOON: Duration = Duration::from_secs(20);
const ROTATE: &str = "/trunkline/v1/pki/rotate";
const FINISH: &str = "/trunkline/v1/pki/finish";

async fn status(rig: &Rig) -> Value {
    let reply = rig.admin().get("/trunkline/v1/pki").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn order(rig: &Rig, what: &str) -> Value {
    let reply = rig.admin().post(what, &json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Whether a cluster has moved, and what is waited for.
fn of<'a>(status: &'a Value, name: &str) -> (bool, &'a str) {
    let clusters = status["clusters"].as_array().unwrap();
    let cluster = clusters.iter().find(|cluster| cluster["name"] == name).unwrap();
    (cluster["moved"].as_bool().unwrap(), cluster["detail"].as_str().unwrap_or_default())
}

async fn finished(rig: &Rig) -> Value {
    let began = std::time::Instant::now();
    loop {
        let now = status(rig).await;
        if now["rotating"] == false {
            return now;
        }
        assert!(began.elapsed() < SOON, "still rotating: {now}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The roots that a cluster's agents keep.
fn kept(rig: &Rig, name: &str) -> String {
    std::fs::read_to_string(rig.identity(name).join("roots.pem")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_root_under_load_drops_no_link_fails_no_request_and_waits_for_who_is_away() {
    let agents = count(8, 50);
    let names: Vec<String> = (0..agents.times).map(|at| format!("moves-{at}")).collect();
    let builder =
        names.iter().fold(Rig::builder().cluster("moves-late").enrolling(), |rig, name| rig.cluster(name));
    let mut rig = builder.start().await;
    rig.cut_pod("moves-late", 0).await;
    rig.wait_for_links(agents.times).await;
    let before = rig.pin();
    let paths: Vec<String> = names.iter().map(|name| format!("/clusters/{name}/api")).collect();
    let load = Load::start(&rig.client(), &paths, Duration::from_millis(2), &rig.tasks);
    load.more(200).await;

    let began = std::time::Instant::now();
    let ordered = order(&rig, ROTATE).await;
    assert_eq!(ordered["rotating"], true, "{ordered}");
    assert_eq!(ordered["roots"].as_array().unwrap().len(), 2);
    assert_eq!(order(&rig, ROTATE).await["roots"], ordered["roots"], "one rotation at a time");
    let mut looks = 0;
    let moved = loop {
        for _ in 0..20 {
            for name in &names {
                assert!(!rig.epochs(name).is_empty(), "{name} has no link");
            }
            looks += 1;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        let now = status(&rig).await;
        if names.iter().all(|name| of(&now, name).0) {
            break now;
        }
        assert!(began.elapsed() < SOON * 3, "not all have moved: {now}");
    };
    let all_moved = began.elapsed();
    let (late, waited_for) = of(&moved, "moves-late");
    assert!(!late && waited_for.contains("1 of 1 certificates"), "{moved}");
    assert_eq!(rig.pin(), before, "the door stays under the old root, for who is away");
    // It comes, moves, and with that the old root goes.
    rig.take_token_away("moves-late");
    rig.start_pod("moves-late", 0).await;
    let after = finished(&rig).await;
    assert_eq!(after["roots"].as_array().unwrap().len(), 1);
    let (roots, pin) = (rig.papers().roots_pem(), rig.pin());
    assert_ne!(pin, before);
    let others =
        || names.iter().map(String::as_str).chain(["moves-late"]).filter(|name| kept(&rig, name) != roots);
    let began = std::time::Instant::now();
    while others().next().is_some() {
        let others: Vec<_> = others().collect();
        assert!(began.elapsed() < SOON, "not all agents keep the new root and no other: {others:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    load.more(200).await;
    let outcome = load.stop().await;
    println!(
        "{agents} agents moved to a new root in {all_moved:?}: {} requests, {:?} failed, {looks} looks saw a link to each",
        outcome.good, outcome.bad
    );
    assert!(outcome.bad.is_empty(), "{:?}", outcome.bad);
    let closed: Vec<_> = rig
        .metrics(0)
        .await
        .lines()
        .filter(|line| line.starts_with("trunkline_gateway_links_closed_total"))
        .map(str::to_owned)
        .collect();
    // The one that was away was cut by the test itself.
    let dropped = |line: &&String| !line.contains("\"drained\"") && !line.ends_with(" 0");
    let dropped: Vec<_> = closed.iter().filter(dropped).collect();
    assert!(dropped.len() <= 1 && dropped.iter().all(|line| line.ends_with(" 1")), "{closed:?}");
    // From here on clusters join by the new pin, and those that moved come back after a restart.
    rig.register("moves-next").await;
    rig.start_pod("moves-next", 0).await;
    rig.cut_pod("moves-0", 0).await;
    rig.start_pod("moves-0", 0).await;
}

#[tokio::test]
async fn who_is_left_behind_is_told_plainly_and_comes_back_with_the_new_pin() {
    let logs = Logs::capture();
    let mut rig = Rig::builder().cluster("straggler").cluster("prompt").enrolling().start().await;
    rig.cut_pod("straggler", 0).await;
    let old = rig.pod_config("straggler", 0);
    order(&rig, ROTATE).await;
    let after = order(&rig, FINISH).await;
    assert_eq!((&after["rotating"], after["roots"].as_array().unwrap().len()), (&json!(false), 1));
    rig.begin_pod_with("straggler", 0, old).await;
    let door = rig.tunnel_door(0).to_string();
    let told = ["trunkline_agent", &door, "pin", "new registration command"];
    eventually("the straggler is told", SOON, || logs.says(&told)).await;
    rig.cut_pod("straggler", 0).await;
    // A new registration command brings the new pin along with a token.
    rig.renew_token("straggler").await;
    rig.start_pod("straggler", 0).await;
    assert_eq!(rig.client().get("/clusters/straggler/api").await.status, 200);
    eventually("the other one is there", SOON, || !rig.epochs("prompt").is_empty()).await;
    assert_eq!(rig.client().get("/clusters/prompt/api").await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_restarts_in_the_middle_of_a_rotation_goes_on_with_it() {
    let mut rig = Rig::builder().cluster("half-way").cluster("half-away").enrolling().start().await;
    rig.cut_pod("half-away", 0).await;
    let ordered = order(&rig, ROTATE).await;
    eventually("one has moved", SOON, || {
        let record = rig.registry().get(&rig.cluster("half-way").id).unwrap();
        let issuing = ordered["roots"][1]["pin"].as_str().unwrap();
        record.slots.values().all(|slot| slot.root == issuing)
    })
    .await;
    rig.cut_gateway(0).await;
    rig.start_gateway(0).await;
    let now = status(&rig).await;
    assert_eq!((&now["rotating"], &now["roots"]), (&json!(true), &ordered["roots"]));
    eventually("who had moved is back", SOON, || rig.epochs("half-way").len() == 1).await;
    rig.start_pod("half-away", 0).await;
    let after = finished(&rig).await;
    assert_eq!(after["roots"][0]["pin"], ordered["roots"][1]["pin"]);
    for name in ["half-way", "half-away"] {
        assert_eq!(rig.client().get(&format!("/clusters/{name}/api")).await.status, 200);
    }
}
