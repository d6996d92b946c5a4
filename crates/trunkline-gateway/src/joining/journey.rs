//! One cluster's way from its join token to the first record: what was seen of each step. No IO, no clock: events and the
//! time come in.
//!
//! A step that is done stays done while nothing speaks against it. What stands in the way is a [`Hitch`]; the newest one
//! counts, until the step that it was about is done.
//!
//! Invariant: once all is done it stays so. What happens to the cluster afterwards is not joining.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use trunkline_api::{JoinStall, JoinStepName as Step};
use trunkline_proto::{ClusterUid, MAX_RIGHTS, Right, RightsReport, StatusReport, UpstreamState};
use trunkline_registry::Record;

/// How far apart the clocks may be, in seconds.
const TOLERATED: u64 = 30;
/// The longest text of an agent's or about one that is kept, in bytes.
const TEXT: usize = 512;
/// The longest word of a right that is kept, in bytes.
const NAME: usize = 253;
/// How long a joining that is over is shown beside the cluster.
const LINGERS: Duration = Duration::from_secs(60);

/// Something that was seen of a cluster that joins.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// An agent came and asks for a certificate; by its clock, it is so many seconds later than by ours.
    Came { from: SocketAddr, ahead: Option<i64> },
    /// Its token, or its key, was taken.
    Admitted { from: SocketAddr, by_token: bool },
    /// It was given a certificate.
    Certified { until: Option<Timestamp> },
    /// It was sent away at this step.
    Refused { from: SocketAddr, step: Step, stall: JoinStall, why: String },
    /// A link is up.
    Up { from: SocketAddr, software: String },
    /// The last link went.
    Down { why: String },
    /// The agent says how its cluster is.
    Reported(Box<StatusReport>),
    /// Records were stored.
    Records,
}

/// What was seen of one cluster's joining.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    uid: Option<ClusterUid>,
    /// When the join token was handed out: another token is another journey.
    token: Option<Timestamp>,
    pub(super) since: Timestamp,
    expects_records: bool,
    pub(super) came: Option<(Timestamp, Option<SocketAddr>)>,
    /// By how many seconds the agent's clock is ahead, where that is worth a word.
    pub(super) ahead: Option<i64>,
    pub(super) admitted: Option<(Timestamp, bool)>,
    /// Who used the token, as far as this gateway saw it.
    pub(super) used_by: Option<SocketAddr>,
    pub(super) certified: Option<(Timestamp, Option<Timestamp>)>,
    pub(super) up: Option<(Timestamp, SocketAddr, String)>,
    pub(super) answers: Option<(Timestamp, String, Option<u32>)>,
    pub(super) rights: Option<(Timestamp, RightsReport)>,
    pub(super) records: Option<Timestamp>,
    pub(super) hitch: Option<Hitch>,
    over: Option<Timestamp>,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hitch {
    pub(super) when: Timestamp,
    pub(super) from: Option<SocketAddr>,
    pub(super) step: Step,
    pub(super) stall: JoinStall,
    pub(super) why: String,
    /// The rights that are missing.
    pub(super) missing: Vec<Right>,
}

impl Journey {
    /// The journey that a cluster's newest join token is for, as far as the registry knows of it.
    pub(crate) fn of(record: &Record) -> Self {
        let token = record.join.as_ref().map(|join| join.created);
        let since = token.or(record.metadata.created).unwrap_or(Timestamp::UNIX_EPOCH);
        let key = record.key.as_ref().map(|key| key.since).filter(|when| *when >= since);
        let issued = record.slots.values().filter(|slot| slot.issued >= since);
        let newest = issued.max_by_key(|slot| slot.issued);
        Self {
            uid: record.metadata.uid,
            token,
            since,
            expects_records: record.manifest.logs || record.manifest.log_tail,
            came: key.map(|when| (when, None)),
            ahead: None,
            admitted: key.map(|when| (when, true)),
            used_by: None,
            certified: newest.map(|slot| (slot.issued, Some(slot.not_after))),
            up: None,
            answers: None,
            rights: None,
            records: None,
            hitch: None,
            over: None,
        }
    }

    /// A further one by the same token: the agent came back, and is not let in as it is.
    pub(crate) fn again(&self, now: Timestamp) -> Self {
        Self {
            since: now,
            came: None,
            ahead: None,
            admitted: None,
            certified: None,
            up: None,
            answers: None,
            rights: None,
            records: None,
            hitch: None,
            over: None,
            ..self.clone()
        }
    }

    /// Whether it is by the cluster's newest join token.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        self.uid == record.metadata.uid && self.token == record.join.as_ref().map(|join| join.created)
    }

    /// When it began.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether an agent has come that says it is this cluster's.
    pub(crate) fn has_come(&self) -> bool {
        self.came.is_some()
    }

    /// Whether every step is done.
    pub(crate) fn is_over(&self) -> bool {
        self.over.is_some()
    }

    /// Whether it is to be shown beside the cluster.
    pub(crate) fn is_news(&self, now: Timestamp) -> bool {
        self.over.is_none_or(|when| when.saturating_add(LINGERS).is_ok_and(|end| now < end))
    }

    /// When it was over, or its newest event.
    pub(crate) fn newest(&self) -> Timestamp {
        let hitch = self.hitch.as_ref().map(|hitch| hitch.when);
        let steps = [
            self.came.map(|(when, _)| when),
            self.admitted.map(|(when, _)| when),
            self.certified.map(|(when, _)| when),
            self.up.as_ref().map(|(when, ..)| *when),
            self.answers.as_ref().map(|(when, ..)| *when),
            self.rights.as_ref().map(|(when, _)| *when),
            self.records,
        ];
        steps.into_iter().chain([hitch, self.over]).flatten().max().unwrap_or(self.since)
    }

    pub(super) fn expects_records(&self) -> bool {
        self.expects_records
    }

    /// When a step was done, if it is.
    pub(super) fn done(&self, step: Step) -> Option<Timestamp> {
        match step {
            Step::Contact | Step::Tls => self.came.map(|(when, _)| when),
            Step::Token => self.admitted.map(|(when, _)| when),
            Step::Certificate => self.certified.map(|(when, _)| when),
            Step::Tunnel => self.up.as_ref().map(|(when, ..)| *when),
            Step::ApiServer => self.answers.as_ref().map(|(when, ..)| *when),
            Step::Rights => self.rights.as_ref().map(|(when, _)| *when),
            Step::Logs => self.records,
        }
    }

    /// Takes an event in.
    pub(crate) fn take(&mut self, event: Event, now: Timestamp) {
        if self.is_over() {
            return;
        }
        match event {
            Event::Came { from, ahead } => {
                let since = self.came.map_or(now, |(when, _)| when);
                self.came = Some((since, Some(from)));
                self.ahead = ahead.filter(|ahead| ahead.unsigned_abs() > TOLERATED);
            }
            Event::Admitted { from, by_token } => {
                self.admitted = Some((now, by_token));
                if by_token {
                    self.used_by = Some(from);
                }
                self.get_past(Step::Token);
            }
            Event::Certified { until } => {
                self.certified = Some((now, until));
                self.get_past(Step::Certificate);
            }
            Event::Refused { from, step, stall, why } => self.refuse(now, from, step, stall, why),
            Event::Up { from, software } => {
                self.reach(Step::Tunnel, now, from);
                self.up.get_or_insert((now, from, software));
                self.get_past(Step::Tunnel);
            }
            Event::Down { why } => {
                (self.up, self.answers, self.rights) = (None, None, None);
                self.hold_up(now, Step::Tunnel, JoinStall::TunnelLost, why);
            }
            Event::Reported(report) => self.hear(*report, now),
            Event::Records => {
                self.records.get_or_insert(now);
            }
        }
        let all = [Step::Tunnel, Step::ApiServer, Step::Rights];
        let logs = self.records.is_some() || !self.expects_records;
        if all.into_iter().all(|step| self.done(step).is_some()) && logs && self.hitch.is_none() {
            self.over = Some(now);
        }
    }

    /// An agent was sent away. One that is in already is not held up by another that is not.
    fn refuse(&mut self, now: Timestamp, from: SocketAddr, step: Step, stall: JoinStall, why: String) {
        if self.up.is_some() {
            return;
        }
        self.reach(step, now, from);
        self.hold_up(now, step, stall, why);
        if let Some(hitch) = &mut self.hitch {
            hitch.from = Some(from);
        }
    }

    /// Who is at this step has all those before it behind.
    fn reach(&mut self, step: Step, now: Timestamp, from: SocketAddr) {
        self.came.get_or_insert((now, Some(from)));
        if step > Step::Token {
            self.admitted.get_or_insert((now, false));
        }
        if step > Step::Certificate {
            self.certified.get_or_insert((now, None));
        }
    }

    fn hear(&mut self, report: StatusReport, now: Timestamp) {
        if self.up.is_none() {
            return;
        }
        match (report.upstream, report.kubernetes) {
            (UpstreamState::Up, Some(version)) => {
                let since = self.answers.as_ref().map_or(now, |(when, ..)| *when);
                self.answers = Some((since, shortened(version), report.nodes));
                self.get_past(Step::ApiServer);
            }
            (UpstreamState::Down, _) => {
                self.answers = None;
                return self.hold_up(now, Step::ApiServer, JoinStall::ApiServerDown, report.message);
            }
            (UpstreamState::Up | UpstreamState::Unknown, _) => return,
        }
        let Some(mut rights) = report.rights else { return };
        rights.missing.truncate(MAX_RIGHTS);
        for right in &mut rights.missing {
            for text in [&mut right.verb, &mut right.resource, &mut right.name] {
                text.truncate(text.floor_char_boundary(NAME));
            }
        }
        if !rights.fault.is_empty() {
            return self.hold_up(now, Step::Rights, JoinStall::RightsUnknown, rights.fault);
        }
        let missing: Vec<Right> = rights.missing.iter().filter(|right| right.needed).cloned().collect();
        if !missing.is_empty() {
            self.rights = None;
            self.hold_up(now, Step::Rights, JoinStall::RightMissing, String::new());
            if let Some(hitch) = &mut self.hitch {
                hitch.missing = missing;
            }
            return;
        }
        let since = self.rights.as_ref().map_or(now, |(when, _)| *when);
        self.rights = Some((since, rights));
        self.get_past(Step::Rights);
    }

    /// What held up this step, or one before it, does no more.
    fn get_past(&mut self, step: Step) {
        self.hitch = self.hitch.take().filter(|hitch| hitch.step > step);
    }

    fn hold_up(&mut self, now: Timestamp, step: Step, stall: JoinStall, why: String) {
        // The same again stands there since it was first seen.
        let same = self.hitch.as_ref().filter(|hitch| (hitch.step, hitch.stall) == (step, stall));
        let when = same.map_or(now, |hitch| hitch.when);
        self.hitch = Some(Hitch { when, from: None, step, stall, why: shortened(why), missing: Vec::new() });
    }
}

fn shortened(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT));
    text
}
