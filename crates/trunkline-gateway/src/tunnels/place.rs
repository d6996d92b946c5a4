//! Which agent process a slot belongs to. No IO, no clock: facts and the time come in, a decision goes out.
//!
//! The newest process wins and gets a higher epoch; what the slot had before is fenced. Two living processes with one
//! identity would take the slot from each other for ever, so a process that was fenced stays out while the newer one
//! lives, and a slot that changes hands too often is quarantined: who is in it stays, and nobody else comes in.
//!
//! Invariant: at any time one process of a slot, at the most, may have sessions: the one in `newest`.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use trunkline_proto::Epoch;

/// How many fenced agent processes of a slot are remembered.
const FENCED_KEPT: usize = 8;
/// So many takeovers from a living process...
const TAKEOVERS: usize = 3;
/// ... within this time bring a slot into quarantine...
const WITHIN: Duration = Duration::from_secs(60);
/// ... for so long.
const QUARANTINE: Duration = Duration::from_secs(300);
/// How long after its last sign two processes are said to contend for a slot.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Who holds a slot, and who wanted it.
#[derive(Debug, Default)]
pub(super) struct Place {
    newest: Option<Newest>,
    takeovers: VecDeque<Instant>,
    quarantined: Option<Instant>,
    contention: Option<(Instant, Contention)>,
}

#[derive(Debug)]
struct Newest {
    instance: u64,
    epoch: Epoch,
    /// The processes it fenced, oldest first.
    fenced: Vec<u64>,
}

/// Two processes with one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contention {
    /// Where the one that held the slot comes from.
    pub(crate) one: SocketAddr,
    /// Where the one that wanted it comes from.
    pub(crate) other: SocketAddr,
    /// When it was first noticed.
    pub(crate) since: SystemTime,
}

/// A process that wants a slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) instance: u64,
    pub(super) from: SocketAddr,
    /// Where the process in the slot comes from, if its session is open.
    pub(super) incumbent: Option<SocketAddr>,
    /// Whether that process has just answered a ping: both live.
    pub(super) answered: bool,
}

/// What becomes of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Granted {
    /// The process holds the slot already.
    Already(Epoch),
    /// It holds it from now on; the others are fenced.
    Now(Epoch),
    /// It was fenced by the one that lives.
    Fenced,
    /// The slot is in quarantine.
    Quarantined,
}

impl Place {
    /// Decides about a claim; `next` gives an epoch that is higher than all before.
    pub(super) fn claim(
        &mut self,
        claim: Claim,
        now: (Instant, SystemTime),
        next: impl FnOnce() -> Epoch,
    ) -> Granted {
        let mut fenced = Vec::new();
        if let Some(newest) = &mut self.newest {
            if newest.instance == claim.instance {
                return Granted::Already(newest.epoch);
            }
            if let Some(one) = claim.incumbent {
                let was_fenced = newest.fenced.contains(&claim.instance);
                if was_fenced || claim.answered || self.quarantined.is_some_and(|until| now.0 < until) {
                    self.note(one, claim.from, now);
                }
                if self.is_quarantined(now.0) {
                    return Granted::Quarantined;
                }
                if was_fenced {
                    return Granted::Fenced;
                }
                self.takeovers.retain(|when| now.0.duration_since(*when) < WITHIN);
                if claim.answered && self.takeovers.len() >= TAKEOVERS {
                    self.quarantined = Some(now.0 + QUARANTINE);
                    self.note(one, claim.from, now);
                    return Granted::Quarantined;
                }
                if claim.answered {
                    self.takeovers.push_back(now.0);
                }
            }
        }
        if let Some(newest) = self.newest.take() {
            fenced = newest.fenced;
            fenced.retain(|instance| *instance != claim.instance);
            fenced.push(newest.instance);
            if fenced.len() > FENCED_KEPT {
                fenced.remove(0);
            }
        }
        let epoch = next();
        self.newest = Some(Newest { instance: claim.instance, epoch, fenced });
        Granted::Now(epoch)
    }

    /// The epoch of the process that holds the slot.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.newest.as_ref().map(|newest| newest.epoch)
    }

    /// Whether nobody else comes in now.
    pub(super) fn is_quarantined(&self, now: Instant) -> bool {
        self.quarantined.is_some_and(|until| now < until)
    }

    /// The two that contend, if two did lately.
    pub(super) fn contention(&self, now: Instant) -> Option<&Contention> {
        let (last, contention) = self.contention.as_ref()?;
        (now.duration_since(*last) < REMEMBERED).then_some(contention)
    }

    fn note(&mut self, one: SocketAddr, other: SocketAddr, now: (Instant, SystemTime)) {
        let since = self.contention(now.0).map_or(now.1, |before| before.since);
        self.contention = Some((now.0, Contention { one, other, since }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slot {
        place: Place,
        now: Instant,
        epoch: u64,
        incumbent: bool,
    }

    impl Slot {
        fn new() -> Self {
            Self { place: Place::default(), now: Instant::now(), epoch: 0, incumbent: false }
        }

        fn claimed_by(&mut self, instance: u64) -> Granted {
            let address = |port: u64| SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).unwrap()));
            let claim = Claim {
                instance,
                from: address(instance),
                incumbent: self.incumbent.then(|| address(9)),
                answered: self.incumbent,
            };
            self.incumbent = true;
            let epoch = &mut self.epoch;
            self.place.claim(claim, (self.now, SystemTime::UNIX_EPOCH), || {
                *epoch += 1;
                Epoch(*epoch)
            })
        }
    }

    #[test]
    fn a_process_keeps_its_epoch_and_a_newer_one_gets_a_higher() {
        let mut slot = Slot::new();
        assert_eq!(slot.claimed_by(1), Granted::Now(Epoch(1)));
        assert_eq!(slot.claimed_by(1), Granted::Already(Epoch(1)));
        slot.incumbent = false;
        assert_eq!(slot.claimed_by(2), Granted::Now(Epoch(2)));
        assert!(slot.place.contention(slot.now).is_none(), "a restart is no contention");
    }

    #[test]
    fn a_fenced_process_stays_out_while_the_newer_lives() {
        let mut slot = Slot::new();
        slot.claimed_by(1);
        slot.claimed_by(2);
        assert_eq!(slot.claimed_by(1), Granted::Fenced);
        assert!(slot.place.contention(slot.now).is_some());
        slot.incumbent = false;
        assert_eq!(slot.claimed_by(1), Granted::Now(Epoch(3)));
    }

    #[test]
    fn a_slot_that_changes_hands_too_often_is_quarantined_and_released() {
        let mut slot = Slot::new();
        for instance in 1..=4 {
            assert!(matches!(slot.claimed_by(instance), Granted::Now(_)), "{instance}");
        }
        assert_eq!(slot.claimed_by(5), Granted::Quarantined);
        assert_eq!(slot.claimed_by(4), Granted::Already(Epoch(4)), "who is in it stays");
        slot.now += QUARANTINE;
        assert!(matches!(slot.claimed_by(6), Granted::Now(_)));
        slot.now += REMEMBERED;
        assert!(slot.place.contention(slot.now).is_none());
    }

    #[test]
    fn takeovers_that_lie_apart_are_no_flapping() {
        let mut slot = Slot::new();
        for instance in 1..100 {
            assert!(matches!(slot.claimed_by(instance), Granted::Now(_)), "{instance}");
            slot.now += Duration::from_secs(21);
        }
    }

    #[test]
    fn an_empty_slot_in_quarantine_takes_whoever_comes() {
        let mut slot = Slot::new();
        for instance in 1..=5 {
            slot.claimed_by(instance);
        }
        slot.incumbent = false;
        assert!(matches!(slot.claimed_by(7), Granted::Now(_)));
    }
}
