//! A corpus of header tricks (CVE-2021-31999 and its family): the upstream never sees a client's identity field,
//! nor a request without `Impersonate-User`.

use futures_util::StreamExt as _;
use http::Request;
use trunkline_runtime::empty;
use trunkline_tests::{Rig, Seen};

/// Names that only we may write. What a client says under them is `evil`.
const RESERVED: &[&str] = &[
    "Impersonate-User",
    "Impersonate-Group",
    "Impersonate-Uid",
    "Impersonate-Extra-Scopes",
    "Impersonate-Future-Field",
    "X-Remote-User",
    "X-Remote-Group",
    "X-Remote-Uid",
    "X-Remote-Extra-Scopes",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "X-Forwarded-Host",
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
    for name in RESERVED {
        for spelling in spellings(name) {
            corpus.push(vec![(spelling.clone(), "evil".into())]);
            corpus.push(vec![(spelling.clone(), "evil".into()), (spelling.clone(), "evil-again".into())]);
            for list in [
                spelling.clone(),
                format!("close, {spelling}"),
                format!("{spelling} , keep-alive"),
                format!("keep-alive,,{spelling}"),
            ] {
                corpus.push(vec![("Connection".into(), list)]);
            }
            corpus.push(vec![("Connection".into(), spelling.clone()), (spelling.clone(), "evil".into())]);
            corpus.push(vec![
                ("Connection".into(), "keep-alive".into()),
                ("Connection".into(), spelling.clone()),
            ]);
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
    }
}

#[tokio::test]
async fn no_header_trick_brings_a_clients_identity_to_the_upstream_or_takes_ours_away() {
    let rig = Rig::start().await;
    let client = rig.client_as("jane", &["dev"]);
    let corpus = corpus();
    let (mut http1, mut http2) = (0, 0);
    let mut raw = None;
    for (at, fields) in corpus.iter().enumerate() {
        let before = rig.upstream("alpha").count();
        let mut lines = vec![format!("GET /clusters/alpha/h1/{at} HTTP/1.1"), "Host: localhost".to_owned()];
        lines.extend(fields.iter().map(|(name, value)| format!("{name}: {value}")));
        let mut connection = match raw.take() {
            Some(connection) => connection,
            None => client.raw().await,
        };
        connection.say_head(&lines.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let head = connection.hear_head().await.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if let Some(length) = length.filter(|_| !head.contains("connection: close")) {
            connection.hear(length.parse().unwrap()).await;
            raw = Some(connection);
        }
        let seen = rig.upstream("alpha").seen();
        let accepted = head.starts_with("http/1.1 200");
        assert_eq!(seen.len() - before, usize::from(accepted), "{fields:?}: {head}");
        assert!(accepted || head.starts_with("http/1.1 4"), "{fields:?}: {head}");
        seen[before..].iter().for_each(|seen| judge(seen, fields));
        http1 += 1;
    }
    // HTTP/2 knows neither case nor Connection: what names those is left out.
    let shared = client.http2().await;
    let before = rig.upstream("alpha").count();
    let plain: Vec<&Fields> = corpus.iter().filter(|fields| fields[0].0 != "Connection").collect();
    let answers = futures_util::stream::iter(plain.iter().enumerate().map(|(at, fields)| {
        let shared = shared.another();
        let client = &client;
        // A bad token is a stranger's, whose connection takes no further request.
        let token = fields[0].0.eq_ignore_ascii_case("authorization");
        let mut request = Request::get(format!("/clusters/alpha/h2/{at}"));
        for (name, value) in *fields {
            request = request.header(name.to_lowercase(), value);
        }
        async move {
            let mut connection = if token { client.http2().await } else { shared };
            connection.whole(request.body(empty()).unwrap()).await.unwrap().status
        }
    }));
    let statuses: Vec<_> = answers.buffered(16).collect().await;
    let seen = rig.upstream("alpha").seen();
    assert_eq!(seen.len() - before, statuses.iter().filter(|status| **status == 200).count());
    for seen in &seen[before..] {
        let at: usize = seen.path.rsplit('/').next().unwrap().parse().unwrap();
        judge(seen, plain[at]);
        http2 += 1;
    }
    println!("{http1} cases over HTTP/1.1, {} over HTTP/2 ({http2} of them served)", plain.len());
    assert!(http1 + plain.len() >= 300);
}
