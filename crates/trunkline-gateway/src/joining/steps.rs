//! A journey as people are shown it: the steps in their order, and at the one where it stands, why and what to do.
//! No IO, no clock.
//!
//! Where it stands is the first step that is not done, or the one that something stands in the way of. With a known
//! cause it is said at once; without, after [`PATIENCE`].

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use trunkline_api::{JoinStall, JoinState, JoinStep, JoinStepName as Step, Joining};
use trunkline_registry::Record;

use super::cause::{Cause, of_hitch, of_lock, of_silence, of_stranger, of_token, span};
use super::journey::Journey;
use super::strangers::Stranger;
use crate::standing::{milliseconds, usable_until};

/// How long a step may take before it is said to stall.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// How far behind a clock may be for a new certificate to be good there: their beginning lies back by so much.
const CLOCK_HURTS: i64 = -600;

/// What a journey is looked at with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) record: &'a Record,
    /// The newest round trip of the tunnel.
    pub(crate) rtt: Option<Duration>,
    /// Who came to the door lately and may have been the agent.
    pub(crate) stranger: Option<&'a Stranger>,
    /// Where agents come in, `host:port`.
    pub(crate) doors: &'a [String],
    /// Whether this gateway keeps logs.
    pub(crate) keeps_logs: bool,
    pub(crate) now: Timestamp,
}

/// A journey's steps.
pub(crate) fn steps(journey: &Journey, scene: &Scene<'_>) -> Joining {
    let mut all = vec![
        Step::Contact,
        Step::Tls,
        Step::Token,
        Step::Certificate,
        Step::Tunnel,
        Step::ApiServer,
        Step::Rights,
    ];
    if journey.expects_records() {
        all.push(Step::Logs);
    }
    let mut place = Place::of(journey, scene, &all);
    let mut entered = journey.since;
    let mut steps = Vec::with_capacity(all.len());
    for step in all {
        let behind = place.step.is_none_or(|at| step < at);
        let since = journey.done(step).or(scene.stranger.map(|one| one.first));
        steps.push(if behind {
            entered = since.unwrap_or(entered);
            JoinStep {
                since: Some(entered),
                detail: detail(journey, scene, step),
                ..bare(step, JoinState::Done)
            }
        } else if place.step == Some(step) {
            let cause = place.cause.take().or_else(|| silent(journey, scene, step, entered));
            standing(step, place.since.unwrap_or(entered), cause)
        } else {
            bare(step, JoinState::Waiting)
        });
    }
    for step in steps.iter_mut().filter(|step| step.name == Step::Tunnel && step.state == JoinState::Done) {
        step.ms = scene.rtt.map(milliseconds);
    }
    Joining { since: journey.since, done: place.step.is_none(), steps }
}

/// Where a journey stands.
struct Place {
    /// None when all is done.
    step: Option<Step>,
    /// Since when, where that is known better than by the step before.
    since: Option<Timestamp>,
    cause: Option<Cause>,
}

impl Place {
    fn of(journey: &Journey, scene: &Scene<'_>, all: &[Step]) -> Self {
        let open = all.iter().copied().find(|step| journey.done(*step).is_none());
        if journey.is_over() {
            return Self { step: None, since: None, cause: None };
        }
        if let Some(lock) = &scene.record.spec.locked {
            let step = open.unwrap_or(Step::Contact);
            return Self { step: Some(step), since: Some(lock.since), cause: Some(of_lock(scene, lock)) };
        }
        if let Some(hitch) = &journey.hitch {
            let cause = of_hitch(journey, scene, hitch);
            return Self { step: Some(hitch.step), since: Some(hitch.when), cause: Some(cause) };
        }
        if open != Some(Step::Contact) {
            return Self { step: open, since: None, cause: None };
        }
        if let Some(one) = scene.stranger {
            let step = if one.stall == JoinStall::OtherName { Step::Token } else { Step::Tls };
            return Self { step: Some(step), since: Some(one.first), cause: Some(of_stranger(scene, one)) };
        }
        let ended = scene.record.join.as_ref().map(|join| join.expires).unwrap_or(scene.now);
        match usable_until(scene.record, scene.now) {
            Some(_) => Self { step: open, since: None, cause: None },
            None => Self { step: open, since: Some(ended), cause: Some(of_token(scene, ended)) },
        }
    }
}

/// Why nothing happens, once that has lasted long enough, or at once where a clock tells.
fn silent(journey: &Journey, scene: &Scene<'_>, step: Step, entered: Timestamp) -> Option<Cause> {
    let clock = step == Step::Tunnel && journey.ahead.is_some_and(|ahead| ahead < CLOCK_HURTS);
    (clock || scene.now.duration_since(entered) >= PATIENCE).then(|| of_silence(journey, scene, step))
}

fn standing(step: Step, since: Timestamp, cause: Option<Cause>) -> JoinStep {
    let Some(Cause { stall, lasts, cause, fix }) = cause else {
        return JoinStep { since: Some(since), ..bare(step, JoinState::Waiting) };
    };
    let state = if lasts { JoinState::Failed } else { JoinState::Stalled };
    JoinStep { since: Some(since), reason: Some(stall), cause, fix, ..bare(step, state) }
}

/// What was seen of a step that is done.
fn detail(journey: &Journey, scene: &Scene<'_>, step: Step) -> String {
    match step {
        Step::Contact => match (journey.came, scene.stranger) {
            (Some((_, Some(from))), _) => format!("from {from}"),
            (Some((_, None)), _) => "before this gateway started".into(),
            (None, Some(one)) => format!("from {}, if that was this cluster's agent", one.from),
            (None, None) => String::new(),
        },
        Step::Tls => "the agent trusts the gateway: the pin matches".into(),
        Step::Token => match journey.admitted {
            Some((_, true)) => "the join token was accepted".into(),
            Some((_, false)) => "the cluster's key was accepted".into(),
            None => String::new(),
        },
        Step::Certificate => {
            let until = journey.certified.and_then(|(when, until)| {
                let until = until?;
                Some(format!("good for {}, until {until:.0}", life(until.duration_since(when))))
            });
            let clock = journey.ahead.map(|ahead| format!("the agent's clock is {}", off(ahead)));
            [until, clock].into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        Step::Tunnel => match &journey.up {
            Some((_, from, software)) => format!("from {from}, agent {software}"),
            None => String::new(),
        },
        Step::ApiServer => match &journey.answers {
            Some((_, version, Some(nodes))) => format!("{version}, {nodes} nodes"),
            Some((_, version, None)) => version.clone(),
            None => String::new(),
        },
        Step::Rights => journey.rights.as_ref().map(|(_, rights)| held(rights)).unwrap_or_default(),
        Step::Logs => "the first record has come".into(),
    }
}

/// A certificate's life: it began a moment before it was handed out, so it is told to the next minute where it is longer than some.
fn life(left: SignedDuration) -> String {
    let seconds = left.as_secs();
    span(if seconds < 600 { seconds } else { (seconds + 30) / 60 * 60 })
}

fn held(rights: &trunkline_proto::RightsReport) -> String {
    if rights.asked == 0 {
        return "none is needed: the clients' own tokens go through".into();
    }
    let missing = u16::try_from(rights.missing.len()).unwrap_or(u16::MAX);
    let held = format!("{} of {}", rights.asked.saturating_sub(missing), rights.asked);
    match rights.missing.first() {
        Some(right) => format!("{held}; without {right}, which is not needed"),
        None => held,
    }
}

/// How far a clock is off.
pub(super) fn off(ahead: i64) -> String {
    let word = if ahead < 0 { "behind" } else { "ahead" };
    format!("{} {word}", span(ahead.saturating_abs()))
}

fn bare(name: Step, state: JoinState) -> JoinStep {
    JoinStep {
        name,
        state,
        since: None,
        detail: String::new(),
        ms: None,
        reason: None,
        cause: String::new(),
        fix: String::new(),
    }
}
