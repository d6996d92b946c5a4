//! Tasks with an owner: a token says stop, a tracker says done.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aside;

/// The owner of a family of tasks. Clones are handles to the same family.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
    aside: bool,
    /// None of them steps aside.
    in_one_runtime: bool,
}

impl Tasks {
    /// A family with no tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// A family with no tasks, none of which steps aside: for tests with a clock of their own, since each runtime has one.
    pub fn in_one_runtime() -> Self {
        Self { in_one_runtime: true, ..Self::default() }
    }

    /// The same family; what is started by this handle steps aside for all else of the process (`aside.rs`).
    #[must_use]
    pub fn aside(&self) -> Self {
        Self { aside: !self.in_one_runtime, ..self.clone() }
    }

    /// Starts a task of this family. It is not cancelled from outside: it watches [`Tasks::token`] itself.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if self.aside { self.tracker.spawn_on(task, &aside::runtime()) } else { self.tracker.spawn(task) }
    }

    /// Starts a task that is dropped at its next await once the family is told to stop.
    pub fn spawn_until_stopped<F>(&self, task: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        self.spawn(async move {
            // Stopping comes first: a task that is always ready must not outlive the order to stop.
            tokio::select! { biased; () = token.cancelled() => {}, () = task => {} }
        })
    }

    /// The token that says stop.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// How many tasks are alive.
    pub fn alive(&self) -> usize {
        self.tracker.len()
    }

    /// Tells the family to stop and waits until every task has ended.
    pub async fn shut_down(&self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Waits until every task has ended by itself, at most `grace`; then tells the rest to stop. Says whether
    /// all ended by themselves.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.tracker.close();
        let by_themselves = tokio::time::timeout(grace, self.tracker.wait()).await.is_ok();
        self.shut_down().await;
        by_themselves
    }
}

/// HTTP/2 needs tasks of its own: they belong to the family as well.
impl<F> hyper::rt::Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn draining_waits_for_those_who_finish_and_stops_those_who_do_not() {
        let tasks = Tasks::new();
        let quick = tasks.spawn(async { tokio::time::sleep(Duration::from_secs(1)).await });
        let token = tasks.token();
        tasks.spawn(async move { token.cancelled().await });
        assert!(!tasks.drain(Duration::from_secs(5)).await);
        assert!(quick.is_finished());
        assert_eq!(tasks.alive(), 0);
    }

    #[tokio::test]
    async fn t34_a_task_that_panics_ends_alone() {
        let tasks = Tasks::new();
        let others: Vec<_> = (0..50).map(|n| tasks.spawn(async move { n })).collect();
        let panicking: Vec<_> =
            (0..50).map(|n| tasks.spawn(async move { assert!(n > 50, "on purpose") })).collect();
        for task in panicking {
            assert!(task.await.unwrap_err().is_panic());
        }
        for (n, task) in others.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), n);
        }
        assert!(tasks.drain(Duration::from_secs(5)).await, "a panic leaves nothing to wait for");
    }
}
