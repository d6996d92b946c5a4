//! A store that fails as a whole: no document is called stored, and none is lost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use trunkline_logstore::Outcome;
use trunkline_logstore::elastic::{Elastic, ElasticConfig, ElasticConfigError};

use crate::fake::{Fake, Reply};
use crate::writing::{assert_exact, documents, settle, some};

/// Everything that is no answer to a bulk request; each has stored all documents, or none.
fn fault(number: usize) -> Reply {
    match number {
        0 => Reply::Cut(0),
        1 => Reply::Cut(50),
        2 => Reply::Cut(99),
        3 => Reply::HeadOnly,
        4 => Reply::Silence,
        5 => Reply::Whole(200, "content-type: text/html\r\n", "<html>Welcome to the proxy</html>".into()),
        6 => Reply::Whole(200, "", r#"{"took":1,"errors":false,"items":["#.into()),
        7 => Reply::Whole(200, "", r#"{"took":1,"errors":false}"#.into()),
        8 => Reply::Whole(200, "", r#"{"errors":false,"items":[]}"#.into()),
        9 => Reply::Whole(429, "retry-after: 7\r\n", "{}".into()),
        10 => Reply::Whole(503, "retry-after: 7\r\n", String::new()),
        11 => Reply::Whole(502, "", "<html>".into()),
        12 => Reply::Whole(401, "", r#"{"error":{"type":"security_exception","reason":"who?"}}"#.into()),
        13 => Reply::Whole(403, "", "{}".into()),
        14 => Reply::Whole(404, "", "{}".into()),
        15 => Reply::Whole(307, "location: http://127.0.0.1:1/\r\n", String::new()),
        16 => Reply::Whole(500, "", "{}".into()),
        17 => Reply::Whole(400, "", "{}".into()),
        18 => Reply::Whole(204, "", String::new()),
        19 => Reply::Changed(|items| items.truncate(items.len() / 2)),
        20 => Reply::Changed(|items| items.push(items[0].clone())),
        21 => Reply::Changed(|items| items.reverse()),
        22 => Reply::Changed(|items| items[0]["create"]["_id"] = json!("another")),
        23 => Reply::Changed(|items| {
            let first = items.remove(0);
            items.push(first);
        }),
        24 => Reply::Changed(|items| items[1] = json!({ "index": items[1]["create"] })),
        25 => Reply::Changed(|items| items[1]["create"]["status"] = Value::Null),
        _ => Reply::Well,
    }
}
const FAULTS: usize = 26;

#[tokio::test(flavor = "multi_thread")]
async fn f26_no_fault_of_an_answer_calls_a_document_stored_or_loses_one() {
    for number in 0..FAULTS {
        let asked = AtomicUsize::new(0);
        let fake = Fake::start(move |heard| match heard.line.contains("_bulk") {
            true if asked.fetch_add(1, Ordering::Relaxed) == 0 => fault(number),
            _ => Reply::Well,
        })
        .await;
        // Only what hangs is not waited for.
        let store = if matches!(number, 3 | 4) { fake.hasty_store() } else { fake.store() };
        let documents = some(40, &["logs"]);
        let unavailable = store.write(&documents).await.expect_err(&format!("fault {number}"));
        let wanted = (number == 9 || number == 10).then_some(Duration::from_secs(7));
        assert_eq!(unavailable.retry_after, wanted, "fault {number}: {unavailable}");
        assert!(unavailable.to_string().starts_with("the log store takes nothing: "), "{unavailable}");
        let had = fake.ids().len();
        let settled = settle(&store, documents.clone()).await;
        assert_exact(&fake, &documents, &settled);
        assert_eq!(
            (settled.rounds, settled.there.len(), settled.stored.len()),
            (1, had, 40 - had),
            "{number}"
        );
        assert!(store.status().await.last_error.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f26_a_storm_of_all_faults_ends_with_every_document_stored_once() {
    let asked = AtomicUsize::new(0);
    // Three requests of four fail; those that hang are left out here, for time's sake.
    let fake = Fake::start(move |heard| {
        if !heard.line.contains("_bulk") {
            return Reply::Well;
        }
        let asked = asked.fetch_add(1, Ordering::Relaxed);
        match asked % 4 {
            0 => Reply::Well,
            1 => Reply::Each(Box::new(|at| [201, 429, 503, 201][at % 4])),
            _ => match asked * 7 % FAULTS {
                3 | 4 => Reply::Whole(503, "", String::new()),
                other => fault(other),
            },
        }
    })
    .await;
    let documents = documents(2000);
    let settled = settle(&fake.store(), documents.clone()).await;
    assert_exact(&fake, &documents, &settled);
    assert_eq!(settled.stored.len() + settled.there.len(), 2000);
}

#[tokio::test]
async fn nothing_is_written_before_the_index_template_is_in_force() {
    for (name, what) in [("PUT ", "cannot be written"), ("GET /_index_template", "cannot be read")] {
        let fake = Fake::start(move |heard| match heard.line.starts_with(name) {
            true => Reply::Whole(403, "", r#"{"error":{"type":"security_exception","reason":"no"}}"#.into()),
            false => Reply::Well,
        })
        .await;
        let store = fake.store();
        let error = store.write(&documents(3)).await.unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("grant it"), "{error}");
        assert!(fake.heard("_bulk").is_empty() && !store.status().await.is_ready);
        // Whoever asks within the second has the same answer, and the store is left alone.
        let asked = fake.heard("").len();
        assert_eq!(store.write(&documents(3)).await.unwrap_err().to_string(), error);
        assert_eq!(fake.heard("").len(), asked);
    }
    // Somebody's template of a higher priority would make our indices.
    let fake = Fake::start(|heard| match heard.line.contains("_simulate_index") {
        true => Reply::Whole(200, "", r#"{"template":{"mappings":{"dynamic":"true"}}}"#.into()),
        false => Reply::Well,
    })
    .await;
    let error = fake.store().prepare().await.unwrap_err().to_string();
    assert!(error.contains("higher priority"), "{error}");
    // An older product.
    let old = |number: &'static str| {
        Fake::start(move |_| Reply::Whole(200, "", json!({ "version": { "number": number } }).to_string()))
    };
    let error = old("7.9.3").await.store().prepare().await.unwrap_err().to_string();
    assert!(error.contains("at least 7.10"), "{error}");
    let error = old("not a version").await.store().prepare().await.unwrap_err().to_string();
    assert!(error.contains("at least 7.10"), "{error}");
}

#[tokio::test]
async fn a_template_is_written_once_and_a_newer_one_is_left_alone() {
    let fake = Fake::start(|_| Reply::Well).await;
    for _ in 0..3 {
        fake.store().prepare().await.unwrap();
    }
    assert_eq!(fake.heard("PUT ").len(), 1);
    let other = ElasticConfig { replicas: 0, ..fake.config() };
    Elastic::new(&other, &fake.tasks).unwrap().prepare().await.unwrap();
    assert_eq!(fake.heard("PUT ").len(), 2);
    let newer = Fake::start(|heard| match heard.line.starts_with("GET /_index_template") {
        true => {
            let meta = json!({ "made_by": "trunkline", "version": 99, "fingerprint": "x" });
            let there = json!({ "index_patterns": ["trunkline-logs.*"], "_meta": meta });
            let answer = json!({ "index_templates": [{ "index_template": there }] });
            Reply::Whole(200, "", answer.to_string())
        }
        false => Reply::Well,
    })
    .await;
    newer.store().prepare().await.unwrap();
    assert!(newer.heard("PUT ").is_empty());
}

#[tokio::test]
async fn a_url_that_is_not_there_is_left_out_and_another_one_serves() {
    let fake = Fake::start(|_| Reply::Well).await;
    let proxy = Fake::start(|_| Reply::Whole(503, "", "no upstream".into())).await;
    let gone = Fake::start(|_| Reply::Cut(0)).await;
    let urls = vec![
        "http://127.0.0.1:1".to_owned(),
        format!("http://{}/", proxy.address),
        format!("http://{}", gone.address),
        format!("http://{}", fake.address),
    ];
    let store = Elastic::new(&ElasticConfig { urls, ..fake.config() }, &fake.tasks).unwrap();
    let documents = documents(20);
    for round in 0..20 {
        let outcomes = store.write(&documents).await.unwrap();
        let wanted = if round == 0 { Outcome::Stored } else { Outcome::AlreadyThere };
        assert!(outcomes.iter().all(|outcome| *outcome == wanted), "{round}: {outcomes:?}");
    }
    assert!(proxy.heard("").len() < 3 && gone.heard("").len() < 3, "left out");
}

#[tokio::test]
async fn a_credential_is_sent_and_never_shown() {
    let fake = Fake::start(|heard| match heard.head.contains("authorization: apikey c2vjcmv0") {
        true => Reply::Well,
        false => Reply::Whole(401, "", "{}".into()),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, "wrong\n").unwrap();
    let config = ElasticConfig { api_key_file: Some(file.clone()), ..fake.config() };
    let store = Elastic::new(&config, &fake.tasks).unwrap();
    let error = store.prepare().await.unwrap_err().to_string();
    assert!(error.contains("does not accept our credential"), "{error}");
    std::fs::write(&file, "c2VjcmV0\n").unwrap();
    tokio::time::sleep(Duration::from_millis(1050)).await;
    store.prepare().await.unwrap();
    let shown = format!("{store:?} {config:?} {:?}", store.status().await);
    assert!(!shown.contains("c2VjcmV0") && !shown.contains("wrong"), "{shown}");

    let clear = ElasticConfig { urls: vec!["http://search.example:9200".into()], ..config.clone() };
    assert!(matches!(Elastic::new(&clear, &fake.tasks), Err(ElasticConfigError::InTheClear(_))));
    let allowed = ElasticConfig { credential_in_the_clear: true, ..clear };
    assert!(Elastic::new(&allowed, &fake.tasks).is_ok());
}

#[tokio::test]
async fn a_store_is_believed_by_its_own_root_and_name_alone() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let tls = rustls::ServerConfig::builder_with_provider(trunkline_pki::crypto_provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(tls));
    let fake = Fake::start_with(Some(acceptor), |_| Reply::Well).await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (right, wrong) = (file("right", made.cert.pem()), file("wrong", other.cert.pem()));
    let token = file("token", "secret".into());
    let at = |host: &str, ca: Option<std::path::PathBuf>| {
        let urls = vec![format!("https://{host}:{}", fake.address.port())];
        let config = ElasticConfig { urls, ca, token_file: Some(token.clone()), ..fake.config() };
        Elastic::new(&config, &fake.tasks).unwrap()
    };
    at("localhost", Some(right.clone())).prepare().await.unwrap();
    assert!(!fake.heard("").is_empty());
    let heard = fake.heard("").len();
    for (host, ca) in [("localhost", Some(wrong)), ("127.0.0.1", Some(right)), ("localhost", None)] {
        let error = at(host, ca).prepare().await.unwrap_err().to_string();
        assert!(error.contains("cannot be reached") && error.contains("certificate"), "{error}");
    }
    assert_eq!(fake.heard("").len(), heard, "and no credential was sent");
    let ca = Some(file("none", "no certificate".into()));
    assert!(Elastic::new(&ElasticConfig { ca, ..fake.config() }, &fake.tasks).is_err());
}
