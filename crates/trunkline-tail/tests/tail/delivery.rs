//! What the intake says, and what is done about it.

use std::io::Write as _;
use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use trunkline_tail::{Running, Tail, TailConfig};

use crate::intake::{Intake, Says};
use crate::{config, eventually};

fn append(folder: &Path, lines: std::ops::Range<usize>) {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("a.log")).unwrap();
    lines.for_each(|line| writeln!(file, "line {line:04}").unwrap());
}

async fn start(config: TailConfig) -> Running {
    Tail::bind(config).await.unwrap().serve()
}

async fn admin(running: &Running, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(running.admin().unwrap()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn what_is_not_taken_is_handed_in_again_and_what_never_will_be_is_passed_over_and_counted() {
    let (folder, intake) = (tempfile::tempdir().unwrap(), Intake::start().await);
    let says =
        [Says::No(429), Says::No(503), Says::Cut, Says::No(413), Says::Half(429), Says::Yes, Says::Half(400)];
    intake.say(says);
    append(folder.path(), 0..100);
    let running = start(config(folder.path(), &intake.url)).await;
    // A half of 100 after 413, of which a half is handed in again with the rest; then every second one of what is left goes.
    eventually("all are answered", || intake.heard.lock().unwrap().says.is_empty()).await;
    let metrics = || async { admin(&running, "/metrics").await };
    while !metrics().await.contains("trunkline_tail_records_refused_total 1") {
        tokio::task::yield_now().await;
    }
    let refused = metrics().await;
    let number = |name: &str| -> usize {
        let line = refused.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let gone = number("trunkline_tail_records_refused_total");
    assert_eq!((number("trunkline_tail_records_total") + gone, intake.messages().len()), (100, 100));
    append(folder.path(), 100..101);
    eventually("it goes on", || intake.messages().iter().any(|message| message == "line 0100")).await;
    running.drain().await;
}

#[tokio::test]
async fn it_is_ready_once_the_intake_lets_it_in_and_stops_with_all_written_down() {
    let (folder, intake) = (tempfile::tempdir().unwrap(), Intake::start().await);
    let token = folder.path().join("token");
    std::fs::write(&token, "a-token-of-some-length\n").unwrap();
    let mut here = config(folder.path(), &intake.url);
    here.intake.token_file = Some(token);
    append(folder.path(), 0..10);
    let running = start(here.clone()).await;
    eventually("ten lines", || intake.messages().len() == 10).await;
    assert!(admin(&running, "/readyz").await.starts_with("HTTP/1.1 200"));
    let shown = intake.heard.lock().unwrap().authorization.clone();
    assert_eq!(shown.as_deref(), Some("Bearer a-token-of-some-length"));
    running.drain().await;
    let requests = intake.heard.lock().unwrap().requests;
    append(folder.path(), 10..11);
    let running = start(here).await;
    eventually("one more", || intake.messages().len() == 11).await;
    let heard = {
        let heard = intake.heard.lock().unwrap();
        (heard.requests, heard.last)
    };
    assert_eq!(heard, (requests + 1, 1), "nothing is handed in twice after a graceful stop");
    running.drain().await;

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let running = start(config(folder.path(), &url)).await;
    while !admin(&running, "/readyz").await.contains("not reached") {
        tokio::task::yield_now().await;
    }
    running.drain().await;
}
