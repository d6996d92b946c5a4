//! Waiting without guessing: conditions polled under a bound.

use std::time::Duration;

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, at most `bound`.
///
/// # Panics
/// When it does not hold in time; `what` says what was awaited.
pub async fn eventually(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !condition() {
        assert!(began.elapsed() < bound, "not within {bound:?}: {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Asks again and again until there is an answer, and gives it.
pub async fn wait_until<T>(what: &str, bound: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within(what, bound, asking).await
}

/// Awaits `future`, at most `bound`.
///
/// # Panics
/// When it is not done in time; `what` says what was awaited.
pub async fn within<T>(what: &str, bound: Duration, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(bound, future).await {
        Ok(output) => output,
        Err(_) => panic!("not within {bound:?}: {what}"),
    }
}

/// Lets `time` pass at once on the runtime's clock. For tests on a single-threaded runtime.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The process's resident memory, in bytes.
pub fn rss_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}
