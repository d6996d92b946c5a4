//! A constant load of requests, and an eye on a number meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use trunkline_runtime::Tasks;

use crate::client::Client;

/// Requests that go on until it is asked to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
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
        let stop = Arc::<AtomicBool>::default();
        let asking = paths.iter().map(|path| {
            let (client, path, stop) = (client.clone(), path.clone(), stop.clone());
            tasks.spawn(async move {
                let mut outcome = Outcome::default();
                let mut connection = client.http2().await;
                while !stop.load(Ordering::Relaxed) {
                    match connection.get(&path).await {
                        Ok(reply) if reply.status == 200 => outcome.good += 1,
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
        Self { asking: asking.collect(), stop }
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
