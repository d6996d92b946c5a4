//! The oracle of the attack suites: what reached an upstream is what the front passed on, one for one.
//!
//! The access log has a line for each request that the front answered, with an id that travels as `Audit-Id`. So for each
//! request that an upstream saw there must be one line, with this upstream's cluster in it and the user that the upstream was
//! told; and for each line that says a cluster answered, a request that its upstream saw.

use std::collections::HashMap;
use std::time::Duration;

use crate::logs::Logs;
use crate::rig::Rig;
use crate::wait::eventually;

const SOON: Duration = Duration::from_secs(60);

/// What was seen at both ends so far. The clusters' names must be this test's alone.
#[derive(Debug)]
pub struct Ledger {
    logs: Logs,
    /// Requests with a line, by id.
    lines: HashMap<String, Passed>,
    /// How many of an upstream's requests were looked at.
    looked_at: HashMap<String, usize>,
}

#[derive(Debug)]
struct Passed {
    cluster: String,
    user: String,
    path: String,
    answered: bool,
    arrived: bool,
}

/// What both ends counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Requests for one of the clusters that the front answered, refused ones included.
    pub front: usize,
    /// Of those, how many the front passed on.
    pub passed: usize,
    /// Requests that the upstreams saw.
    pub upstream: usize,
}

impl Ledger {
    /// Begins to count.
    pub fn open(logs: &Logs) -> Self {
        Self { logs: logs.clone(), lines: HashMap::new(), looked_at: HashMap::new() }
    }

    /// Compares both ends, and what each request carried.
    ///
    /// # Panics
    /// When they differ in anything.
    pub async fn balance(&mut self, rig: &Rig, clusters: &[String]) -> Balance {
        eventually("nothing is under way", SOON, || rig.gateway().requests() == 0).await;
        let of_ours = |name: &str| clusters.iter().any(|cluster| cluster == name);
        for line in self.logs.find(|line| line.target == "access" && of_ours(line.field("cluster"))) {
            self.lines.entry(line.field("request").to_owned()).or_insert_with(|| Passed {
                cluster: line.field("cluster").to_owned(),
                user: line.field("user").to_owned(),
                path: line.field("path").to_owned(),
                answered: matches!(line.field("status"), "200" | "101") && line.field("reason").is_empty(),
                arrived: false,
            });
        }
        let mut upstream = 0;
        for cluster in clusters {
            let seen = rig.upstream(cluster).seen();
            let looked_at = self.looked_at.insert(cluster.clone(), seen.len()).unwrap_or_default();
            upstream += seen.len();
            for seen in &seen[looked_at..] {
                let [id] = &seen.all("audit-id")[..] else { panic!("{cluster}: not one id: {seen:?}") };
                let line =
                    self.lines.get_mut(id).unwrap_or_else(|| panic!("the front knows nothing of {seen:?}"));
                assert_eq!(&line.cluster, cluster, "it was meant for another cluster: {seen:?}");
                assert!(!line.arrived, "it arrived twice: {seen:?}");
                assert_eq!(seen.all("impersonate-user"), [line.user.as_str()], "{cluster}: {seen:?}");
                let path = seen.path.split('?').next().unwrap_or_default();
                // What is behind it is not written down.
                let path = path.find("/proxy/").map_or(path, |at| &path[..at + "/proxy/".len()]);
                assert!(line.path.ends_with(path) || path == "/", "another path: {:?} {seen:?}", line.path);
                line.arrived = true;
            }
        }
        let lost: Vec<&Passed> = self.lines.values().filter(|line| line.answered && !line.arrived).collect();
        assert!(lost.is_empty(), "answered by nobody: {lost:?}");
        let passed = self.lines.values().filter(|line| line.arrived).count();
        assert_eq!(passed, upstream, "front count is upstream count");
        Balance { front: self.lines.len(), passed, upstream }
    }
}
