//! A corpus of header tricks (CVE-2021-31999 and its family), over HTTP/1.1, HTTP/2 and in upgrades: the upstream never
//! sees a client's identity field, nor a request without exactly one `Impersonate-User`, ours.

use futures_util::StreamExt as _;
use trunkline_tests::{Ledger, Logs, Rig, Seen};

use super::ask;

/// Names that only we may write. What a client says under them is `evil`.
const RESERVED: &[&str] = &[
    "Impersonate-User",
    "Impersonate-Group",
    "Impersonate-Uid",
    "Impersonate-Extra-Scopes",
    "Impersonate-Extra-A%2fb",
    "Impersonate-Future-Field",
    "Impersonate-",
    "X-Remote-User",
    "X-Remote-Group",
    "X-Remote-Uid",
    "X-Remote-Extra-Scopes",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "X-Forwarded-Host",
    "X-Forwarded-Client-Cert",
    "Forwarded",
    "X-Real-Ip",
    "X-Trunkline-Head",
    "X-Trunkline-Anything",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Authorization",
    "Audit-Id",
    "Cookie",
];

/// One request of the corpus: the fields it adds.
type Fields = Vec<(String, String)>;

fn spellings(name: &str) -> Vec<String> {
    let folded = name.replace('-', "_");
    let mixed: String = name
        .chars()
        .enumerate()
        .map(|(at, c)| if at % 2 == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let one_fold = name.replacen('-', "_", 1);
    let mut all = vec![name.to_owned(), name.to_lowercase(), name.to_uppercase(), mixed, folded, one_fold];
    all.dedup();
    all
}

fn corpus() -> Vec<Fields> {
    let mut corpus: Vec<Fields> = Vec::new();
    let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    for name in RESERVED {
        for spelling in spellings(name) {
            corpus.push(vec![one(&spelling, "evil")]);
            corpus.push(vec![one(&spelling, "evil"), one(&spelling, "evil-again")]);
            corpus.push(vec![one(&spelling, "jane\tevil")]);
            for list in [
                spelling.clone(),
                format!("close, {spelling}"),
                format!("{spelling} , keep-alive"),
                format!("keep-alive,,{spelling}"),
                format!("te,\t{spelling}"),
            ] {
                corpus.push(vec![("Connection".into(), list)]);
            }
            corpus.push(vec![one("Connection", &spelling), one(&spelling, "evil")]);
            corpus.push(vec![one("Connection", "keep-alive"), one("Connection", &spelling)]);
            corpus.push(vec![one("TE", &spelling), one(&spelling, "evil")]);
            corpus.push(vec![one("Trailer", &spelling), one(&spelling, "evil")]);
        }
    }
    corpus
}

fn judge(seen: &Seen, fields: &Fields) {
    assert_eq!(seen.all("impersonate-user"), ["jane"], "{fields:?}");
    assert_eq!(seen.all("impersonate-group"), ["dev"], "{fields:?}");
    assert_eq!(seen.all("authorization"), ["Bearer the-agents-own-token"], "{fields:?}");
    for (name, value) in &seen.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(!value.contains("evil"), "{name}: {value} of {fields:?}");
        assert!(!name.as_str().starts_with("impersonate_"), "{name} of {fields:?}");
    }
}

/// The number of the case that a request was made for.
fn number(seen: &Seen) -> usize {
    seen.path.rsplit('/').next().unwrap().parse().unwrap()
}

fn head(method: &str, target: &str, fields: &Fields, more: &str) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}");
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    (head + "\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t01_t02_no_header_trick_brings_a_clients_identity_to_the_upstream_or_takes_ours_away() {
    let logs = Logs::capture();
    let rig = Rig::builder().cluster("headers").start().await;
    let names = ["headers".to_owned()];
    let client = rig.client_as("jane", &["dev"]);
    let (corpus, mut ledger) = (corpus(), Ledger::open(&logs));

    // As they are, on one connection after the other.
    let mut kept = None;
    for (at, fields) in corpus.iter().enumerate() {
        let asked = head("GET", &format!("/clusters/headers/h1/{at}"), fields, "");
        let answer = ask(&mut kept, &client, &asked).await.expect("an answer");
        assert!(matches!(answer.status, 200 | 400..=499), "{fields:?}: {}", answer.head);
    }
    let plain = ledger.balance(&rig, &names).await;
    for seen in rig.upstream("headers").seen() {
        judge(&seen, &corpus[number(&seen)]);
    }

    // The same, in requests that are upgraded: half of them say so in a list of their own.
    let asking = futures_util::stream::iter(corpus.iter().enumerate().map(|(at, fields)| {
        let client = &client;
        async move {
            let token = if at % 2 == 0 { "websocket" } else { "SPDY/3.1" };
            let upgrade = format!("Connection: Upgrade\r\nUpgrade: {token}\r\n");
            let asked = head("GET", &format!("/clusters/headers/upgrade/{at}"), fields, &upgrade);
            let answer = ask(&mut None, client, &asked).await.expect("an answer");
            assert!(matches!(answer.status, 101 | 400..=499), "{fields:?}: {}", answer.head);
            usize::from(answer.status == 101)
        }
    }));
    let upgraded: usize = asking.buffer_unordered(8).collect::<Vec<_>>().await.iter().sum();
    let with_upgrades = ledger.balance(&rig, &names).await;
    let seen = rig.upstream("headers").seen();
    for seen in &seen[plain.upstream..] {
        judge(seen, &corpus[number(seen)]);
        assert_eq!(seen.all("upgrade").len(), 1);
    }
    assert_eq!(with_upgrades.upstream - plain.upstream, upgraded);

    // Over HTTP/2, spelled as it stands, which is more than the protocol allows.
    let mut raw = client.raw_http2().await;
    let (mut served, mut reset) = (0, 0);
    for (at, fields) in corpus.iter().enumerate() {
        let path = format!("/clusters/headers/h2/{at}");
        let mut sent: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":scheme", b"https"),
            (b":authority", b"localhost"),
            (b":path", path.as_bytes()),
        ];
        let lower: Vec<(String, &String)> = fields
            .iter()
            .map(|(name, value)| (if at % 4 == 0 { name.clone() } else { name.to_lowercase() }, value))
            .collect();
        sent.extend(lower.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let stream = raw.ask(&sent, None).await;
        raw.finish().await;
        match raw.status(stream) {
            Some(200) => served += 1,
            Some(400..=499) => {}
            None => reset += 1,
            other => panic!("{fields:?}: {other:?}"),
        }
        if raw.is_gone() {
            raw = client.raw_http2().await;
        }
    }
    let all = ledger.balance(&rig, &names).await;
    assert_eq!(all.upstream - with_upgrades.upstream, served);
    for seen in &rig.upstream("headers").seen()[with_upgrades.upstream..] {
        judge(seen, &corpus[number(seen)]);
    }
    println!(
        "{} cases, each plain, upgraded ({upgraded} were) and over HTTP/2 ({reset} reset): {} in all, {} reached the upstream",
        corpus.len(),
        corpus.len() * 3,
        all.upstream
    );
    assert!(corpus.len() * 3 >= 2_000 && all.upstream > 100);
}
