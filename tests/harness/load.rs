//! A constant load of requests, and an eye on a number meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use trunkline_runtime::Tasks;

use crate::client::Client;
use crate::wait::eventually;

/// How long further answers may take.
const ENOUGH: Duration = Duration::from_secs(60);

/// Requests that go on until it is asked to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    asking: Vec<JoinHandle<Outcome>>,
}

/// What came of a load.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Requests that were answered 200.
    pub good: usize,
    /// What else came, and how often.
    pub bad: BTreeMap<String, usize>,
}

impl Load {
    /// Gets each of `paths` again and again with `pause` in between, each on a connection of its own.
    pub fn start(client: &Client, paths: &[String], pause: Duration, tasks: &Tasks) -> Self {
        let (stop, good) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let asking = paths.iter().map(|path| {
            let (client, path, stop, good) = (client.clone(), path.clone(), stop.clone(), good.clone());
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                let mut connection = client.http2().await;
                while !stop.load(Ordering::Relaxed) {
                    match connection.get(&path).await {
                        Ok(reply) if reply.status == 200 => {
                            outcome.good += 1;
                            good.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(reply) => {
                            let what = format!("{} {}", reply.status.as_u16(), reply.text());
                            *outcome.bad.entry(what).or_default() += 1;
                        }
                        Err(error) => {
                            *outcome.bad.entry(trunkline_runtime::chain(&error)).or_default() += 1;
                            connection = client.http2().await;
                        }
                    }
                    tokio::time::sleep(pause).await;
                }
                outcome
            })
        });
        Self { asking: asking.collect(), good, stop }
    }

    /// Waits for so many further good answers.
    pub async fn more(&self, answers: usize) {
        let wanted = self.good.load(Ordering::Relaxed) + answers;
        eventually("further answers", ENOUGH, || self.good.load(Ordering::Relaxed) >= wanted).await;
    }

    /// Lets what is under way finish, and says what came of it all.
    pub async fn stop(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Outcome::default();
        for asking in self.asking {
            let one = asking.await.unwrap();
            all.good += one.good;
            for (what, times) in one.bad {
                *all.bad.entry(what).or_default() += times;
            }
        }
        all
    }
}
