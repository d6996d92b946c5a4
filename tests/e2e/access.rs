//! Access rules at the front door: who is let in, as whom, and how what is under way ends with the right to it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use trunkline_gateway::AuthnConfig;
use trunkline_runtime::{Tasks, empty};
use trunkline_tests::{Client, FakeIssuer, Logs, Raw, Reply, Rig, count, eventually, within};

const SOON: Duration = Duration::from_secs(20);
/// Within how long what is under way must have ended after its right.
const BOUND: Duration = Duration::from_secs(10);

async fn put(admin: &Client, name: &str, spec: Value) -> Reply {
    let path = format!("/trunkline/v1/access/rules/{name}");
    admin.send_json(Method::PUT, &path, &json!({"name": name, "spec": spec})).await
}

async fn remove(admin: &Client, name: &str) {
    let request = Request::delete(format!("/trunkline/v1/access/rules/{name}")).body(empty()).unwrap();
    let reply = admin.send(request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

fn devs(clusters: &[&str], role: &str) -> Value {
    json!({"subjects": {"groups": ["dev"]}, "clusters": {"names": clusters}, "role": role})
}

/// The identity that the newest request of this path reached an API server with.
fn identity(rig: &Rig, cluster: &str, path: &str) -> (String, Vec<String>) {
    let seen = rig.upstream(cluster).seen_with(path).pop().unwrap();
    let users = seen.all("impersonate-user");
    assert_eq!(users.len(), 1, "exactly one user, always");
    (users[0].clone(), seen.all("impersonate-group"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_opens_clusters_to_a_group_and_its_removal_closes_them() {
    let rig = Rig::builder().cluster("alpha").cluster("beta").enrolling().access(&[]).start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    let reply = jane.get("/clusters/alpha/api/v1/pods").await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "AccessDenied"), "{}", reply.text());
    assert!(reply.text().contains("no access rule names jane"), "{}", reply.text());
    assert_eq!(rig.upstream("alpha").seen_with("/pods").len(), 0, "nothing went up");

    let reply = put(&admin, "devs", devs(&["alpha"], "viewer")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["metadata"]["createdBy"], "root");
    assert_eq!(jane.get("/clusters/alpha/api/v1/pods").await.status, 200, "in force when it is answered");
    let (user, groups) = identity(&rig, "alpha", "/api/v1/pods");
    assert_eq!(user, "jane");
    assert!(groups.contains(&"trunkline:viewers".to_owned()), "the role goes on as its group: {groups:?}");
    let reply = jane.get("/clusters/beta/api/v1/pods").await;
    assert_eq!(reply.reason(), "AccessDenied");
    assert!(reply.text().contains("gives jane cluster beta"), "{}", reply.text());
    let delete = Request::delete("/clusters/alpha/api/v1/namespaces/d/pods/p").body(empty()).unwrap();
    let reply = jane.send(delete).await;
    assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "AccessDenied"));
    assert!(reply.text().contains("viewer, is for reading"), "{}", reply.text());
    // Nobody learns by asking which clusters there are.
    for unknown in ["gamma", "beta"] {
        assert_eq!(jane.get(&format!("/clusters/{unknown}/api")).await.reason(), "AccessDenied", "{unknown}");
    }
    let listed = jane.get("/trunkline/v1/clusters").await.json();
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|c| &c["metadata"]["name"]).collect();
    assert_eq!(names, ["alpha"], "one sees what one may reach");
    assert_eq!(jane.get("/trunkline/v1/clusters/beta").await.status, 404);

    remove(&admin, "devs").await;
    assert_eq!(jane.get("/clusters/alpha/api/v1/pods").await.reason(), "AccessDenied");
    assert_eq!(jane.get("/trunkline/v1/clusters").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_not_is_answered_rule_by_rule() {
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[]).without_agents().start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    put(&admin, "devs", devs(&["alpha"], "viewer")).await;
    put(
        &admin,
        "ops",
        json!({"subjects": {"groups": ["ops"]}, "clusters": {"names": ["beta"]}, "role": "admin"}),
    )
    .await;
    let ask =
        |who: Client, question: Value| async move { who.post("/trunkline/v1/access/test", &question).await };
    let own = ask(
        jane.clone(),
        json!({"user": "", "cluster": "alpha", "verb": "delete", "resource": "pods", "namespace": "d"}),
    );
    let no = own.await.json();
    assert_eq!(no["allowed"], false, "{no}");
    let considered: Vec<_> = no["considered"].as_array().unwrap().iter().map(|rule| &rule["rule"]).collect();
    assert_eq!(considered, ["ops", "devs"], "each that names her: {no}");
    let about =
        json!({"user": "jane", "groups": ["dev"], "cluster": "alpha", "verb": "get", "resource": "pods"});
    let yes = ask(admin.clone(), about.clone()).await.json();
    assert_eq!(
        (&yes["allowed"], &yes["rule"], &yes["role"]),
        (&json!(true), &json!("devs"), &json!("viewer"))
    );
    assert_eq!(yes["groups"], json!(["trunkline:viewers"]), "the agent acts for no other group: {yes}");
    assert_eq!(ask(jane.clone(), about).await.status, 403, "not about others");
    for bad in [
        json!({"user": "", "cluster": "Alpha", "verb": "get", "resource": "pods"}),
        json!({"user": "", "cluster": "alpha", "verb": "steal", "resource": "pods"}),
        json!({"user": "", "cluster": "alpha", "verb": "get", "resource": ""}),
        json!({"user": "", "cluster": "alpha", "verb": "get", "resource": "pods", "actAsGroups": ["a"]}),
        json!({"user": "", "cluster": "alpha", "verb": "get", "resource": "pods", "colour": "red"}),
    ] {
        assert_eq!(ask(jane.clone(), bad.clone()).await.status, 400, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_are_changed_by_who_may_and_only_where_they_stand() {
    let declared = json!({"name": "in-file", "spec": devs(&["alpha"], "operator")});
    let rig = Rig::builder().cluster("alpha").enrolling().access(&[declared]).without_agents().start().await;
    let (admin, jane) = (rig.admin(), rig.client());
    let refused = |reply: &Reply| (reply.status.as_u16(), reply.reason());
    assert_eq!(refused(&put(&jane, "mine", devs(&["alpha"], "admin")).await), (403, "Forbidden".into()));
    assert_eq!(refused(&put(&admin, "in-file", devs(&["*"], "admin")).await), (409, "Declared".into()));
    assert_eq!(
        refused(&put(&admin, "trunkline-admins", devs(&["*"], "admin")).await),
        (400, "Reserved".into())
    );
    assert_eq!(refused(&put(&admin, "bad", json!({"subjects": {}})).await), (400, "Invalid".into()));
    assert_eq!(refused(&put(&admin, "Bad", devs(&["*"], "admin")).await), (400, "Invalid".into()));
    let path = "/trunkline/v1/access/rules/r";
    let body = json!({"name": "other", "spec": devs(&["*"], "admin")});
    assert_eq!(refused(&admin.send_json(Method::PUT, path, &body).await), (400, "Invalid".into()));
    let body = json!({"name": "r", "revision": 3, "spec": devs(&["*"], "admin")});
    assert_eq!(refused(&admin.send_json(Method::PUT, path, &body).await), (409, "Conflict".into()));
    let list = admin.get("/trunkline/v1/access/rules").await.json();
    let told: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (&r["metadata"]["name"], &r["metadata"]["origin"]))
        .collect();
    let expected = [
        ("in-file", "file"),
        ("trunkline-admins", "built-in"),
        ("trunkline-operators", "built-in"),
        ("trunkline-viewers", "built-in"),
    ];
    assert_eq!(told, expected.map(|(n, o)| (json!(n), json!(o))).each_ref().map(|(n, o)| (n, o)));
    // A rule may let somebody change the fleet itself.
    let fleet = json!({"subjects": {"users": ["jane"]}, "fleet": "admin", "role": "custom"});
    assert_eq!(put(&admin, "keepers", fleet).await.status, 200);
    assert_eq!(put(&jane, "mine", devs(&["alpha"], "viewer")).await.status, 200);
    // The file is followed live.
    let mut config = rig.config_of(0);
    config.access.clear();
    rig.gateway().fleet().follow(&config).unwrap();
    assert_eq!(admin.get("/trunkline/v1/access/rules/in-file").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acting_as_somebody_is_authorised_here_and_written_anew_there() {
    let rule = json!({"name": "support", "spec": {
        "subjects": {"users": ["jane"]}, "clusters": {"names": ["*"]}, "role": "operator",
        "actAs": {"users": ["bob"], "groups": ["dev"]}}});
    let rig = Rig::builder().access(&[rule]).start().await;
    let jane = rig.client();
    let ask = |fields: &[(&str, &str)]| {
        let mut request = Request::get("/clusters/alpha/acted");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let jane = jane.clone();
        async move { jane.send(request.body(empty()).unwrap()).await }
    };
    let reply = ask(&[("impersonate-user", "bob"), ("impersonate-group", "dev")]).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(identity(&rig, "alpha", "/acted"), ("bob".into(), vec!["dev".into()]));
    let before = rig.upstream("alpha").count();
    for fields in [
        &[("impersonate-user", "carol")][..],
        &[("impersonate-user", "bob"), ("impersonate-group", "ops")],
        &[("impersonate-user", "bob"), ("impersonate-group", "system:masters")],
        &[("impersonate-user", "system:admin")],
        &[("impersonate-group", "dev")],
        &[("impersonate-user", "bob"), ("impersonate-uid", "1")],
        &[("impersonate-user", "bob"), ("impersonate-extra-x", "1")],
        &[("impersonate_user", "bob")],
    ] {
        let reply = ask(fields).await;
        assert_eq!((reply.status.as_u16(), reply.reason().as_str()), (403, "AccessDenied"), "{fields:?}");
    }
    assert_eq!(rig.upstream("alpha").count(), before, "none of them went up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protected_cluster_is_changed_after_somebody_said_so_or_not_at_all() {
    let rig = Rig::registered("alpha").await;
    let (admin, jane) = (rig.admin(), rig.client());
    let protect = |level: &'static str| {
        let admin = admin.clone();
        async move {
            let reply = admin
                .send_json(Method::PATCH, "/trunkline/v1/clusters/alpha", &json!({"protection": level}))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    };
    let change = || async {
        jane.send(Request::delete("/clusters/alpha/api/v1/namespaces/d/pods/p").body(empty()).unwrap()).await
    };
    assert_eq!(change().await.status, 200);
    protect("confirm").await;
    let reply = change().await;
    assert_eq!(
        (reply.status.as_u16(), reply.reason().as_str()),
        (403, "ConfirmationNeeded"),
        "{}",
        reply.text()
    );
    assert!(reply.text().contains("trunkline use alpha --confirm"), "{}", reply.text());
    assert_eq!(jane.get("/clusters/alpha/api/v1/pods").await.status, 200, "reading is free");
    let confirm = Request::post("/trunkline/v1/clusters/alpha/confirm").body(empty()).unwrap();
    let reply = jane.send(confirm).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(change().await.status, 200, "said by the same user");
    let other = rig.client_as("bob", &["dev"]);
    let delete = Request::delete("/clusters/alpha/api/v1/namespaces/d/pods/p").body(empty()).unwrap();
    assert_eq!(other.send(delete).await.reason(), "ConfirmationNeeded", "and by no other");
    protect("read-only").await;
    assert_eq!(change().await.reason(), "ClusterProtected");
    protect("none").await;
    assert_eq!(change().await.status, 200);
}

/// Watches and execs of one client.
struct Live {
    watches: Vec<(trunkline_tests::Connection, Incoming)>,
    execs: Vec<Raw>,
}

impl Live {
    async fn begin(client: &Client, cluster: &str, watches: usize, execs: usize) -> Self {
        Self::begin_by(client, None, cluster, watches, execs).await
    }

    /// The same, by a token.
    async fn begin_by(
        client: &Client,
        token: Option<&str>,
        cluster: &str,
        watches: usize,
        execs: usize,
    ) -> Self {
        let shown = token.map(|token| format!("Bearer {token}"));
        // Of one connection at most 250 are open at once.
        let mut all = Vec::new();
        for lot in (0..watches).collect::<Vec<_>>().chunks(200) {
            let shared = client.http2().await;
            let begun = lot.iter().map(|_| {
                let (mut connection, shown) = (shared.another(), shown.as_ref());
                async move {
                    let mut request = Request::get(format!("/clusters/{cluster}/watch?watch=1"));
                    if let Some(shown) = shown {
                        request = request.header("authorization", shown);
                    }
                    let request = request.body(empty()).unwrap();
                    let mut body = connection.send(request).await.unwrap().into_body();
                    body.frame().await.unwrap().unwrap();
                    (connection, body)
                }
            });
            all.extend(join_all(begun).await);
        }
        let begun = (0..execs).map(|_| async {
            let mut raw = client.raw().await;
            let shown = shown.as_ref().map(|shown| format!("authorization: {shown}"));
            raw.say_head(&[
                &format!("GET /clusters/{cluster}/upgrade HTTP/1.1"),
                "host: localhost",
                "connection: upgrade",
                "upgrade: websocket",
                "sec-websocket-protocol: v5.channel.k8s.io",
                shown.as_deref().unwrap_or("accept: */*"),
            ])
            .await;
            let head = raw.hear_head().await;
            assert!(head.starts_with("HTTP/1.1 101"), "{head}");
            raw
        });
        Self { watches: all, execs: join_all(begun).await }
    }

    /// All have ended within `bound`, each told why. Says how long the last took.
    async fn until_cut(self, began: Instant, bound: Duration, reason: &str) -> Duration {
        let watches = self.watches.into_iter().map(|(_connection, body)| async move {
            let last = body.collect().await.expect("a watch ends cleanly").to_bytes();
            let text = String::from_utf8_lossy(&last).into_owned();
            let event: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            event["object"]["reason"].as_str().unwrap().to_owned()
        });
        let execs = self.execs.into_iter().map(|mut raw| async move {
            String::from_utf8_lossy(&raw.hear_bytes_to_end().await).into_owned()
        });
        let ended = within("all have ended", bound + SOON, async {
            tokio::join!(join_all(watches), join_all(execs))
        });
        let (watches, execs) = ended.await;
        let took = began.elapsed();
        assert!(took <= bound, "{took:?}");
        assert!(watches.iter().all(|told| told == reason), "{watches:?}");
        assert!(execs.iter().all(|told| told.contains(&format!("\"reason\":\"{reason}\""))), "{execs:?}");
        took
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_a_lock_a_removed_rule_and_an_ended_session_each_end_what_is_under_way_and_nothing_is_begun_again()
 {
    let (watches, execs) = (count(60, 500), count(10, 50));
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("alpha").cluster("beta").enrolling().access(&[]).start().await;
    let (admin, jane, other) = (rig.admin(), rig.client(), rig.client_as("bob", &["qa"]));
    let everything = |group: &str| json!({"subjects": {"groups": [group]}, "clusters": {"names": ["*"]}, "role": "custom", "verbs": ["*"]});
    put(&admin, "devs", everything("dev")).await;
    put(&admin, "qa", everything("qa")).await;
    let beside = Live::begin(&other, "beta", 5, 2).await;
    let again = |client: Client, reason: &'static str| async move {
        for _ in 0..5 {
            let reply = client.get("/clusters/alpha/watch?watch=1").await;
            assert_eq!(reply.reason(), reason, "{}", reply.text());
        }
    };

    let live = Live::begin(&jane, "alpha", watches.times, execs.times).await;
    let sessions = admin.get("/trunkline/v1/sessions").await.json();
    let hers = sessions["items"].as_array().unwrap().iter().find(|s| s["user"] == "jane").unwrap().clone();
    assert_eq!(hers["requests"].as_array().unwrap().len(), watches.times + execs.times);
    let exec = hers["requests"].as_array().unwrap().iter().find(|r| r["kind"] == "upgrade").unwrap();
    assert_eq!(
        (&exec["rule"], &exec["cluster"], &exec["actingAs"]),
        (&json!("devs"), &json!("alpha"), &json!("jane"))
    );
    let began = Instant::now();
    remove(&admin, "devs").await;
    let took = live.until_cut(began, BOUND, "AccessRevoked").await;
    println!("rule removed: {watches} watches and {execs} execs ended in {took:?}");
    again(jane.clone(), "AccessDenied").await;

    put(&admin, "devs", everything("dev")).await;
    let live = Live::begin(&jane, "alpha", watches.times, execs.times).await;
    let began = Instant::now();
    let reply = admin.post("/trunkline/v1/clusters/alpha/lock", &json!({"reason": "incident"})).await;
    assert_eq!(reply.status, 200);
    let took = live.until_cut(began, Duration::from_secs(1), "ClusterLocked").await;
    println!("cluster locked: {watches} watches and {execs} execs ended in {took:?}");
    again(jane.clone(), "ClusterLocked").await;
    assert_eq!(admin.post("/trunkline/v1/clusters/alpha/unlock", &json!({})).await.status, 200);
    eventually("the agent is back", SOON, || rig.gateway().links() == 2).await;

    let live = Live::begin(&jane, "alpha", watches.times, execs.times).await;
    let id = hers["id"].as_str().unwrap();
    let path = format!("/trunkline/v1/sessions/{id}/end");
    assert_eq!(other.post(&path, &json!({})).await.status, 403, "not another's");
    let began = Instant::now();
    let reply = admin.post(&path, &json!({"reason": "laptop lost"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()["requests"], json!(watches.times + execs.times));
    let took = live.until_cut(began, BOUND, "SessionEnded").await;
    println!("session ended: {watches} watches and {execs} execs ended in {took:?}");
    again(jane.clone(), "SessionEnded").await;
    assert_eq!(
        rig.client().get("/clusters/alpha/api").await.status,
        200,
        "another sign-in of hers is another session"
    );

    // Nobody else was touched.
    rig.upstream("beta").release();
    for (_, mut body) in beside.watches {
        within("the next event", SOON, body.frame()).await.unwrap().unwrap();
    }
    let cut = logs.find(|line| {
        line.target == "access" && line.field("user") == "jane" && line.field("kind") == "upgrade"
    });
    assert!(
        cut.iter().any(|line| line.field("reason") == "SessionEnded"),
        "the reason stands in the access log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_what_is_under_way_ends_with_the_certificate_it_began_with() {
    let rig = Rig::start().await;
    let issued = rig.paper.client_for("jane", &["dev"], Duration::from_secs(3));
    let jane = rig.client_showing(Some(&issued));
    let live = Live::begin(&jane, "alpha", 10, 5).await;
    let ends = Instant::now() + Duration::from_secs(3);
    // Ordinary connections are cut as a whole; an upgrade hears why.
    let execs = Live { watches: Vec::new(), execs: live.execs };
    execs.until_cut(ends, BOUND, "SignInExpired").await;
    for (_, body) in live.watches {
        let _ = within("the watch has ended", BOUND, body.collect()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_what_is_under_way_ends_with_the_token_it_began_with_and_is_not_begun_again_by_it() {
    let (watches, execs) = (count(60, 500), count(10, 50));
    let issuer = FakeIssuer::start(&Tasks::new()).await;
    let mut config = issuer.config();
    config.leeway_seconds = 0;
    let authn = AuthnConfig { issuers: vec![config], ..AuthnConfig::default() };
    let rig = Rig::builder().authn(authn).start().await;
    let life = i64::try_from(count(6, 12).times).unwrap();
    issuer.tokens_last(life);
    let token = issuer.token();
    let ends = Instant::now() + Duration::from_secs(u64::try_from(life).unwrap());
    let stranger = rig.client_showing(None);
    let live = Live::begin_by(&stranger, Some(&token), "alpha", watches.times, execs.times).await;
    assert!(Instant::now() < ends, "all have begun before the token ends");
    let took = live.until_cut(ends, BOUND, "SignInExpired").await;
    println!("token ended: {watches} watches and {execs} execs ended {took:?} after it");
    assert_eq!(stranger.bearing(&token).get("/clusters/alpha/watch?watch=1").await.status, 401);
}
