//! The size of the parts in one byte, then what the other end of a link says: frames of the mux, or anything.
//!
//! Whatever an agent sends: the streams it opens are as many as it was told it may, what they bring is no more than was
//! sent, a link that is over ends its session, and nothing of it is left running.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Builder;
use trunkline_proto::Limits;
use trunkline_runtime::Tasks;
use trunkline_tunnel::{Role, Session};

/// What the other end may open.
const STREAMS: u32 = 2;
/// Beyond that, control calls are let through.
const CONTROL: usize = 8;

/// Lets an agent speak.
pub fn mux(input: &[u8]) {
    let Some((size, bytes)) = input.split_first() else { return };
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let tasks = Tasks::new();
        let (near, mut far) = tokio::io::duplex(64 * 1024);
        let (session, mut inbound) = Session::start(near, Role::Door, Limits { streams: STREAMS }, &tasks);
        let (open, most, read) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (counted, reached, brought, family) = (open, most.clone(), read.clone(), tasks.clone());
        tasks.spawn(async move {
            while let Some(mut stream) = inbound.accept().await {
                reached.fetch_max(counted.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let (counted, brought) = (counted.clone(), brought.clone());
                family.spawn(async move {
                    let mut buffer = [0; 1024];
                    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                        brought.fetch_add(count, Ordering::Relaxed);
                    }
                    // Counted for as long as it holds its place.
                    counted.fetch_sub(1, Ordering::Relaxed);
                    drop(stream);
                });
            }
        });
        for part in bytes.chunks(usize::from(*size).max(1)) {
            if far.write_all(part).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let _ = far.shutdown().await;
        let ended = tokio::time::timeout(Duration::from_secs(5), session.ended()).await;
        assert!(ended.is_ok(), "the link is over and the session is not");
        let all = tokio::time::timeout(Duration::from_secs(5), tasks.shut_down()).await;
        assert!(all.is_ok(), "{} tasks are left", tasks.alive());
        assert!(most.load(Ordering::Relaxed) <= STREAMS as usize + CONTROL);
        assert!(read.load(Ordering::Relaxed) <= bytes.len());
        assert!(!session.is_open());
    });
}
