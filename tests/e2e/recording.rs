//! What the audit log has of requests, and the recordings of sessions.

use std::time::Duration;

use http::{Method, Request};
use serde_json::{Value, json};
use trunkline_runtime::empty;
use trunkline_tests::{Client, Raw, Rig, eventually, within};

const SOON: Duration = Duration::from_secs(15);

async fn records(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("/trunkline/v1/audit?limit=1000&{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["records"].as_array().unwrap().iter().map(|record| record["event"].clone()).collect()
}

/// The records that a query finds, once there are `many`: a no and an end are noted, and not waited for.
async fn records_once(client: &Client, query: &str, many: usize) -> Vec<Value> {
    within("the records", SOON, async {
        loop {
            let found = records(client, query).await;
            if found.len() >= many {
                return found;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn rule(admin: &Client, record: bool) {
    let spec = json!({"subjects": {"groups": ["dev"]}, "clusters": {"names": ["*"]}, "role": "operator", "record": record});
    let path = "/trunkline/v1/access/rules/devs";
    let reply = admin.send_json(Method::PUT, path, &json!({"name": "devs", "spec": spec})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Opens an exec, and says what the front door answered.
async fn exec(client: &Client, protocol: &str) -> (Raw, String) {
    let mut raw = client.raw().await;
    raw.say_head(&[
        "GET /clusters/alpha/api/v1/namespaces/web/pods/p/exec?stdin=1&upgrade HTTP/1.1",
        "host: localhost",
        "connection: upgrade",
        &format!("upgrade: {protocol}"),
        "sec-websocket-protocol: v5.channel.k8s.io",
    ])
    .await;
    let head = raw.hear_head().await;
    (raw, head)
}

/// A frame of a channel, masked as a client's.
fn said(channel: u8, text: &str) -> Vec<u8> {
    let mask = [7u8, 1, 9, 3];
    let payload: Vec<u8> = std::iter::once(channel).chain(text.bytes()).collect();
    let mut frame = vec![0x82, 0x80 | u8::try_from(payload.len()).unwrap()];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t38_each_decision_and_each_end_is_in_the_log_under_the_id_that_the_cluster_has_as_well() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    rule(&admin, false).await;
    for n in 0..20 {
        assert_eq!(
            jane.get(&format!("/clusters/alpha/api/v1/namespaces/web/pods/p{n}?secret=x")).await.status,
            200
        );
    }
    let delete = Request::delete("/clusters/alpha/api/v1/namespaces/web/pods/gone").body(empty()).unwrap();
    assert_eq!(jane.send(delete).await.status, 200);
    let refused = Request::delete("/clusters/alpha/api/v1/nodes/n1").body(empty()).unwrap();
    assert_eq!(jane.send(refused).await.reason(), "AccessDenied");
    let decisions = records_once(&admin, "user=jane&phase=decision", 22).await;
    assert_eq!(decisions.len(), 22);
    let ends = records_once(&admin, "user=jane&phase=end", 22).await;
    assert_eq!(ends.len(), 22, "one end for each");
    let deleted = decisions.iter().find(|decision| decision["object"]["name"] == "gone").unwrap();
    assert_eq!(
        (
            &deleted["verb"],
            &deleted["allowed"],
            &deleted["rule"],
            &deleted["signedInBy"],
            &deleted["cluster"]
        ),
        (&json!("delete"), &json!(true), &json!("devs"), &json!("certificate"), &json!("alpha"))
    );
    assert_eq!(deleted["as"], json!({"user": "jane", "groups": ["trunkline:operators"]}));
    let seen = rig.upstream("alpha").seen_with("/pods/gone").pop().unwrap();
    assert_eq!(
        seen.all("audit-id"),
        [deleted["request"].as_str().unwrap()],
        "the API server's log has the same id"
    );
    let no = decisions.iter().find(|decision| decision["allowed"] == false).unwrap();
    assert_eq!((&no["verb"], &no["object"]["resource"]), (&json!("delete"), &json!("nodes")));
    assert!(no["why"].as_str().unwrap().contains("operator"), "{no}");
    let end = ends.iter().find(|end| end["request"] == no["request"]).unwrap();
    assert_eq!((&end["status"], &end["reason"]), (&json!(403), &json!("AccessDenied")));
    let all = records(&admin, "").await;
    assert!(!Value::from(all).to_string().contains("secret"), "no query is in a record");
    let verdict = admin.post("/trunkline/v1/audit/verify", &json!({})).await.json();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t38_a_failed_sign_in_is_in_the_log_without_what_was_shown() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).without_agents().start().await;
    let stranger = rig.client_showing(None).bearing("tlb_not-a-token-that-anybody-was-given");
    assert_eq!(stranger.get("/clusters/alpha/api").await.status, 401);
    let failed = records_once(&rig.admin(), "phase=signIn&allowed=false", 1).await;
    assert_eq!(failed.len(), 1);
    assert!(!failed[0].to_string().contains("not-a-token"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exec_is_recorded_where_a_rule_says_so_and_its_recording_is_in_the_chain() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    rule(&admin, true).await;
    let (_, head) = exec(&jane, "SPDY/3.1").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let (mut raw, head) = exec(&jane, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    // The fake cluster says back what it hears.
    let (typed, shown) = (said(0, "whoami\n"), [0x82, 5, 1, b'j', b'a', b'n', b'e']);
    raw.say(&typed).await;
    assert_eq!(raw.hear(typed.len()).await, typed);
    raw.say(&shown).await;
    assert_eq!(raw.hear(shown.len()).await, shown);
    raw.half_close().await;
    drop(raw);
    let recordings = || async { admin.get("/trunkline/v1/audit/recordings").await.json() };
    within("the end is recorded", SOON, async {
        while records(&admin, "user=jane&phase=end").await.iter().all(|end| end["recording"].is_null()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let end =
        records(&admin, "user=jane&phase=end").await.into_iter().find(|end| !end["recording"].is_null());
    let recorded = end.unwrap()["recording"].clone();
    let list = recordings().await;
    assert!(list.to_string().contains(recorded["id"].as_str().unwrap()), "{list}");
    let cast =
        admin.get(&format!("/trunkline/v1/audit/recordings/{}", recorded["id"].as_str().unwrap())).await;
    let text = cast.text();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(header["version"], 2);
    assert!(header["title"].as_str().unwrap().contains("jane in web/p of cluster alpha"), "{header}");
    let events: Vec<_> = lines.map(|event| (event[1].clone(), event[2].clone())).collect();
    assert!(events.contains(&(json!("i"), json!("whoami\n"))), "{events:?}");
    assert_eq!(jane.get("/trunkline/v1/audit/recordings").await.status, 403, "not for everybody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_not_recorded_is_cut_when_a_rule_begins_to_demand_it() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    rule(&admin, false).await;
    let (mut raw, head) = exec(&jane, "websocket").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    rule(&admin, true).await;
    let last = String::from_utf8_lossy(&raw.hear_bytes_to_end().await).into_owned();
    assert!(last.contains("AccessChanged") && last.contains("recorded"), "{last}");
    eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
}
