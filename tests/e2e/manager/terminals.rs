//! Terminals: a WebSocket of their own, opened with a ticket that only a page of ours can get.

use std::time::Duration;

use http::{Method, Request};
use serde_json::{Value, json};
use trunkline_runtime::empty;
use trunkline_tests::{Browser, Client, Raw, Reply, Rig, eventually, pass};

use super::{ALPHA, raised};

const SOON: Duration = Duration::from_secs(15);
const TICKETS: &str = "/trunkline/v1/clusters/alpha/tickets";
const EXEC: &str =
    "/api/v1/namespaces/web/pods/p/exec?container=c&command=sh&stdin=true&stdout=true&tty=true";
const OWN: &str = "https://localhost";

/// A ticket for a terminal, as a page gets it.
async fn ticket(browser: &mut Browser, path: &str) -> String {
    ticket_of(&browser.act(Method::POST, TICKETS, Some(json!({"path": path}))).await)
}

fn ticket_of(reply: &Reply) -> String {
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["ticket"].as_str().unwrap().to_owned()
}

/// Opens a terminal with these fields, and says what the front door answered.
async fn open(mut raw: Raw, path: &str, ticket: &str, fields: &[&str]) -> (Raw, String) {
    let line = format!("GET {path} HTTP/1.1");
    let protocols = match ticket {
        "" => "sec-websocket-protocol: v5.channel.k8s.io".to_owned(),
        ticket => format!("sec-websocket-protocol: v5.channel.k8s.io, trunkline.ticket.{ticket}"),
    };
    let mut lines =
        vec![line.as_str(), "host: localhost", "connection: upgrade", "upgrade: websocket", &protocols];
    lines.extend(["sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="]);
    lines.extend(fields);
    raw.say_head(&lines).await;
    let head = raw.hear_head().await;
    (raw, head)
}

/// Opens a terminal as a page of `origin` does. The status.
async fn status(browser: &Browser, origin: Option<&str>, path: &str, ticket: &str) -> u16 {
    let fields =
        [Some(format!("cookie: {}", browser.cookie())), origin.map(|origin| format!("origin: {origin}"))];
    let fields: Vec<&str> = fields.iter().flatten().map(String::as_str).collect();
    let (_, head) = open(browser.raw().await, path, ticket, &fields).await;
    head[9..12].parse().unwrap()
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

#[tokio::test]
async fn a_terminal_is_opened_with_a_ticket_and_carried_as_bytes() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let attach = "/api/v1/namespaces/web/pods/p/attach?stdin=true";
    assert_eq!(ticket(&mut browser, attach).await.len(), 43);
    let ticket = ticket(&mut browser, EXEC).await;
    let cookie = format!("cookie: {}", browser.cookie());
    let fields = ["origin: https://localhost", "sec-fetch-site: same-origin", &cookie];
    let (mut raw, head) = open(browser.raw().await, &format!("{ALPHA}{EXEC}"), &ticket, &fields).await;
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-protocol: v5.channel.k8s.io\r\n"), "{head}");
    let frame = said(0, "whoami\n");
    raw.say(&frame).await;
    assert_eq!(raw.hear(frame.len()).await, frame);
    let seen = rig.upstream("alpha").seen_with("/exec").pop().unwrap();
    assert_eq!(seen.path, EXEC, "byte for byte");
    assert_eq!(seen.all("sec-websocket-protocol"), ["v5.channel.k8s.io"], "the ticket goes to no cluster");
    assert_eq!(seen.all("impersonate-user"), ["jane@example.com"]);
    assert!(seen.all("cookie").is_empty());
}

#[tokio::test]
async fn t17_without_a_ticket_of_its_own_no_page_opens_a_terminal() {
    let (rig, _, mut browser) = raised(Rig::builder().cluster("alpha").cluster("beta")).await;
    let path = format!("{ALPHA}{EXEC}");
    let own = Some(OWN);
    // A bare cookie, from anywhere.
    for origin in [own, None, Some("null"), Some("https://evil.test"), Some("https://a.localhost")] {
        assert_eq!(status(&browser, origin, &path, "").await, 403, "{origin:?}");
        assert_eq!(status(&browser, origin, &path, "guess").await, 403, "{origin:?}");
    }
    // A good one, on a page of others.
    for origin in [None, Some("null"), Some("https://evil.test"), Some("https://localhost:1")] {
        let ticket = ticket(&mut browser, EXEC).await;
        assert_eq!(status(&browser, origin, &path, &ticket).await, 403, "{origin:?}");
    }
    // A good one, for another terminal.
    for other in [
        format!("{ALPHA}{EXEC}&x=y"),
        format!("{ALPHA}{}", EXEC.replace("pods/p", "pods/q")),
        format!("{ALPHA}{}", EXEC.replace("command=sh", "command=reboot")),
        format!("/trunkline/v1/clusters/beta/k8s{EXEC}"),
        format!("{ALPHA}/api/v1/namespaces/web/pods/p/portforward"),
    ] {
        let ticket = ticket(&mut browser, EXEC).await;
        assert_eq!(status(&browser, own, &other, &ticket).await, 403, "{other}");
    }
    // One of somebody else's sign-in, though it be the same person.
    let mut again = Browser::new(&rig);
    again.sign_in().await;
    let ticket_of_other = ticket(&mut again, EXEC).await;
    assert_eq!(status(&browser, own, &path, &ticket_of_other).await, 403);
    // Nobody's.
    let ticket = ticket(&mut browser, EXEC).await;
    let stranger = Browser::new(&rig);
    assert_eq!(status(&stranger, own, &path, &ticket).await, 401);
    for cluster in ["alpha", "beta"] {
        assert_eq!(rig.upstream(cluster).count(), 0, "{cluster}");
    }
    // And the one that is right, once.
    assert_eq!(status(&browser, own, &path, &ticket).await, 101);
    assert_eq!(status(&browser, own, &path, &ticket).await, 403, "a ticket is good once");
}

#[tokio::test]
async fn t17_a_ticket_ends_after_half_a_minute_and_is_given_to_pages_of_ours_alone() {
    let (rig, _, mut browser) = raised(Rig::builder()).await;
    let body = || Some(json!({ "path": EXEC }));
    let csrf = browser.csrf().await;
    for fields in [
        vec![],
        vec![("origin", OWN)],
        vec![("origin", "https://evil.test"), ("x-trunkline-csrf", csrf.as_str())],
    ] {
        let reply = browser.send(Method::POST, TICKETS, &fields, body()).await;
        assert_eq!(reply.status, 403, "{fields:?}: {}", reply.text());
    }
    for path in [
        "/api/v1/namespaces/web/pods/p/portforward",
        "/api/v1/namespaces/web/pods/p/proxy/",
        "/api/v1/namespaces/web/pods/p/log",
        "/api/v1/pods?watch=true",
        "/api/v1/namespaces/web/pods/../p/exec",
        "api/v1/namespaces/web/pods/p/exec",
        "https://evil.test/exec",
        "",
    ] {
        let reply = browser.act(Method::POST, TICKETS, Some(json!({ "path": path }))).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (400, "Invalid"), "{path}");
    }
    let nowhere = "/trunkline/v1/clusters/nowhere/tickets";
    assert_eq!(browser.act(Method::POST, nowhere, body()).await.status, 404);
    let late = ticket(&mut browser, EXEC).await;
    let reply = browser.act(Method::POST, TICKETS, body()).await;
    let expires: jiff::Timestamp = reply.json()["expires"].as_str().unwrap().parse().unwrap();
    assert!(expires.duration_since(jiff::Timestamp::now()).as_secs() <= 30);
    pass(Duration::from_secs(30)).await;
    assert_eq!(status(&browser, Some(OWN), &format!("{ALPHA}{EXEC}"), &late).await, 403);
    assert_eq!(rig.upstream("alpha").count(), 0);
}

async fn rule(admin: &Client, record: bool) {
    let spec = json!({"subjects": {"groups": ["dev"]}, "clusters": {"names": ["*"]}, "role": "operator", "record": record});
    let path = "/trunkline/v1/access/rules/devs";
    let reply = admin.send_json(Method::PUT, path, &json!({"name": "devs", "spec": spec})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_recorded_and_cut_as_every_exec_is() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    rule(&admin, true).await;
    let path = format!("{ALPHA}{EXEC}");
    let given = ticket_of(&jane.post(TICKETS, &json!({ "path": EXEC })).await);
    let (mut raw, head) = open(jane.raw().await, &path, &given, &[]).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let frame = said(0, "whoami\n");
    raw.say(&frame).await;
    assert_eq!(raw.hear(frame.len()).await, frame);
    let gone = Request::delete("/trunkline/v1/access/rules/devs").body(empty()).unwrap();
    assert_eq!(admin.send(gone).await.status, 200);
    let last = String::from_utf8_lossy(&raw.hear_bytes_to_end().await).into_owned();
    assert!(last.contains("\"reason\":\"AccessRevoked\""), "{last}");
    eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
    let recordings = admin.get("/trunkline/v1/audit/recordings").await.json();
    let first = recordings["items"][0]["request"].as_str().unwrap().to_owned();
    let cast = admin.get(&format!("/trunkline/v1/audit/recordings/{first}")).await;
    assert!(cast.text().contains("whoami"), "{}", cast.text());
    // Both ways are in the audit log, the one without a ticket as a no.
    rule(&admin, false).await;
    let (_, head) = open(jane.raw().await, &path, "guess", &[]).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let no = |records: &Value| {
        records.as_array().unwrap().iter().any(|record| {
            let event = &record["event"];
            event["allowed"] == false && event["why"].as_str().unwrap_or_default().contains("ticket")
        })
    };
    trunkline_tests::wait_until("the no is recorded", SOON, async || {
        let found = admin.get("/trunkline/v1/audit?user=jane&phase=decision").await.json();
        no(&found["records"]).then_some(())
    })
    .await;
}
