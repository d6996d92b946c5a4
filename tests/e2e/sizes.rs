//! Futures have sizes: what stands for every request and link is held in memory that many times.

use trunkline_runtime::empty;
use trunkline_tests::Rig;
use trunkline_tunnel::{Role, Session};

#[tokio::test]
async fn the_futures_that_exist_per_request_and_session_are_small() {
    let rig = Rig::start().await;
    let (near, _far) = tokio::io::duplex(1024);
    let (session, mut inbound) =
        Session::start(near, Role::Door, trunkline_proto::Limits::DEFAULT, &rig.tasks);
    let request = session.request(http::Request::new(empty()));
    let sizes = [
        ("a request on a session", size_of_val(&request)),
        ("finding a stream", size_of_val(&session.reserve(false))),
        ("accepting a stream", size_of_val(&inbound.accept())),
        ("a heartbeat", size_of_val(&session.keep_alive(trunkline_proto::Epoch(1)))),
        (
            "serving a session",
            size_of_val(&{
                let (_, inbound) = Session::start(
                    tokio::io::duplex(64).0,
                    Role::Door,
                    trunkline_proto::Limits::DEFAULT,
                    &rig.tasks,
                );
                trunkline_tunnel::serve(inbound, |_| async { http::Response::new(empty()) })
            }),
        ),
    ];
    println!("{sizes:?}");
    for (what, bytes) in sizes {
        assert!(bytes <= 8 * 1024, "{what} takes {bytes} bytes");
    }
}
