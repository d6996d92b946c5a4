//! A runtime for work that may wait, whose threads step aside for all others of the process.
//!
//! A backlog of log records takes every processor there is for as long as it lasts: to inflate, parse, compress and index. An API
//! request wants one for a tenth of a millisecond, at once. Between threads that are alike the kernel shares by slices of
//! milliseconds, and a request waits for some; and a task that parses for milliseconds keeps others of its runtime from their turns.
//! So such work has a runtime of its own, in threads of the least priority (nice 19; on Linux each thread has its own, setpriority(2)): they
//! run where nobody else wants to, and are put off at once by whoever does. Beside threads that want all there is they keep a seventieth, so that
//! nothing waits for ever (`SCHED_IDLE` would leave a three-hundredth). Priorities count within a control group: a
//! container's threads step aside for its own others, and the container keeps its share beside other containers. Threads that such work
//! starts, as an index's writers, inherit it. Elsewhere than on Linux they are threads like all others.
//!
//! Invariants:
//! - what answers an API request or keeps a link of the `api` lane alive is never done here: it could wait for as long as the machine is busy;
//! - no task keeps its thread for long: links of the `logs` lane are kept alive here;
//! - no thread is started before there is such work.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tracing::debug;

/// How many threads there are at the most for what waits for disks.
const BLOCKING: usize = 64;
/// How long work goes on before whoever waits for its processor is let on.
const PIECE: Duration = Duration::from_micros(200);
/// The nicest that a thread can be.
#[cfg(target_os = "linux")]
const LEAST: i32 = 19;

/// The processors that it has, all but one; none where there is but one. Looked up in the first thread that steps aside: those that such
/// threads start inherit what they have, and would leave one more.
#[cfg(target_os = "linux")]
static PROCESSORS: LazyLock<Option<rustix::thread::CpuSet>> = LazyLock::new(|| {
    use rustix::thread::{CpuSet, sched_getaffinity};

    let mut processors = sched_getaffinity(None).ok()?;
    let first = (0..CpuSet::MAX_CPU).find(|processor| processors.is_set(*processor))?;
    processors.unset(first);
    (processors.count() > 0).then_some(processors)
});

/// None if it cannot be had: where no more threads may be, building it panics.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let others = std::thread::available_parallelism().map_or(1, |all| all.get().saturating_sub(1).max(1));
    let build = || {
        Builder::new_multi_thread()
            .worker_threads(others)
            .max_blocking_threads(BLOCKING)
            .thread_name("aside")
            .on_thread_start(step_aside)
            .enable_all()
            .build()
    };
    std::panic::catch_unwind(build).ok()?.ok()
});

/// The runtime; the caller's own where there is no other to be had.
pub(crate) fn runtime() -> Handle {
    RUNTIME.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
}

/// From now on this thread, and each that it starts, steps aside. What of that is not to be had is left as it was.
pub fn step_aside() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::setpriority_process;
        use rustix::thread::{gettid, sched_setaffinity};

        let me = Some(gettid());
        if let Err(error) = setpriority_process(me, LEAST) {
            debug!(%error, "a thread cannot step aside");
        }
        if let Some(processors) = &*PROCESSORS
            && let Err(error) = sched_setaffinity(me, processors)
        {
            debug!(%error, "a thread cannot leave a processor to others");
        }
    }
}

/// Long work in small pieces: between two of them whoever waits for the processor has it first.
///
/// The kernel lets a thread that it has just given a processor keep it for milliseconds, also from one of a higher priority.
#[derive(Debug)]
pub struct Pieces(Instant);

impl Pieces {
    /// The work begins.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// A piece is done, of some microseconds.
    pub fn between(&mut self) {
        self.let_others_on();
    }

    /// The same in a task: other tasks of its runtime have their turn as well, what keeps links alive among them.
    pub async fn turn(&mut self) {
        if self.let_others_on() {
            tokio::task::yield_now().await;
        }
    }

    /// Offers the processor if it was had for long enough; says whether.
    fn let_others_on(&mut self) -> bool {
        let due = self.0.elapsed() > PIECE;
        if due {
            std::thread::yield_now();
            self.0 = Instant::now();
        }
        due
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic anywhere")]
mod tests {
    use crate::Tasks;

    /// How nice this thread is, as the kernel has it: the 19th field of its `stat` (proc(5)).
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let after_the_name = stat.rsplit_once(')').unwrap().1;
        after_the_name.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn what_steps_aside_is_done_in_threads_of_least_priority_and_so_is_what_it_starts() {
        let (tasks, usual) = (Tasks::new(), nice());
        assert_ne!(usual, super::LEAST);
        let aside = tasks.aside().spawn(async {
            let blocking = tokio::task::spawn_blocking(nice).await.unwrap();
            [nice(), blocking, std::thread::spawn(nice).join().unwrap()]
        });
        assert_eq!(aside.await.unwrap(), [super::LEAST; 3]);
        assert_eq!(nice(), usual);
        assert_eq!(tasks.spawn(async { nice() }).await.unwrap(), usual);
        assert_eq!(tokio::task::spawn_blocking(nice).await.unwrap(), usual);
    }

    #[tokio::test]
    async fn a_processor_is_left_to_all_else_where_there_is_more_than_one() {
        let processors = || rustix::thread::sched_getaffinity(None).unwrap().count();
        let all = processors();
        let aside = Tasks::new().aside().spawn(async move {
            let blocking = tokio::task::spawn_blocking(processors).await.unwrap();
            [processors(), blocking, std::thread::spawn(processors).join().unwrap()]
        });
        assert_eq!(aside.await.unwrap(), [(all - 1).max(1); 3]);
        assert_eq!(processors(), all);
    }

    #[tokio::test]
    async fn it_is_of_the_same_family() {
        let tasks = Tasks::new();
        let aside = tasks.aside();
        let token = aside.token();
        let waits = aside.spawn(async move { token.cancelled().await });
        assert_eq!(tasks.alive(), 1);
        tasks.shut_down().await;
        waits.await.unwrap();
        assert_eq!(tasks.alive(), 0);
    }
}
