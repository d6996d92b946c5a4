//! A gateway whose process may have few files open, flooded: its doors go on accepting, who is known is served, and the admin
//! port answers (T33; CVE-2024-47609).

use tokio::net::TcpStream;
use trunkline_tests::{count, eventually, within};

use super::SOON;
use super::scene::{QUIET, Scene};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t33_a_flood_over_the_limit_of_open_files_stops_no_door() {
    let flood = count(400, 4_000);
    for files in [64, 128] {
        let mut scene = Scene::raise(&["alpha"], QUIET, Some(files)).await;
        let _agent = scene.start_agent("alpha").await;
        let client = scene.client().from([127, 0, 9, 9]);
        assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
        let mut silent = Vec::new();
        for at in 0..flood.times {
            let door = if at % 2 == 0 { scene.front } else { scene.tunnel };
            if let Ok(tcp) = within("a place in the kernel's queue", SOON, TcpStream::connect(door)).await {
                silent.push(tcp);
            }
            if at % 50 == 0 {
                assert_eq!(within("an answer", SOON, client.get("/clusters/alpha/api")).await.status, 200);
                within("the admin port", SOON, scene.metric("trunkline_gateway_links_open")).await;
            }
        }
        assert!(scene.gateway.open_files() <= files as usize);
        assert!(scene.metric("trunkline_gateway_strangers_pushed_out_total").await > 0.0);
        assert!(scene.metric("trunkline_gateway_links_open").await > 0.0, "the tunnel is still up");
        drop(silent);
        eventually("the flood is gone", SOON, || scene.gateway.open_files() < 40).await;
        assert_eq!(client.get("/clusters/alpha/api").await.status, 200);
        assert!(scene.gateway.runs());
    }
    println!("{flood} silent connections at processes with 64 and 128 files; all requests served");
}
