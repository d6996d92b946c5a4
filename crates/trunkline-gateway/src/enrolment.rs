//! Enrolment: a cluster's key and, the first time, a join token become a slot's certificate.
//!
//! The link's own TLS handshake proved that the agent holds the cluster's key ([`trunkline_proto::ENROL_ALPN`]); the
//! request's signature proves that it holds the slot's. Whether that key is the cluster's, and whether the token is
//! good, the registry decides in one transaction. A certificate leaves only after its key is pinned there durably.
//!
//! Invariants:
//! - a link for enrolment carries one request, bounded in time and size, and opens nothing else;
//! - nothing in the certificate comes from the request but its key;
//! - a token is never logged, and compared as a hash only.

mod door;
mod share;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use trunkline_api::{AuditChange, AuditEvent, JoinStall, JoinStepName};
use trunkline_audit::AuditLog;
use trunkline_pki::{AgentName, KeyPin, Papers, Signed, Validity};
use trunkline_proto::{
    Certified, ClusterId, ClusterUid, EnrolReason, EnrolRefusal, EnrolRequest, Renewal, Slot,
};
use trunkline_registry::{Record, RegistryError, SlotRecord};
use trunkline_runtime::chain;

use crate::fleet::{Fleet, Standing};
use crate::joining::Event;
use crate::metrics::Metrics;
use crate::tunnels::{Live, Tunnels};
use share::Shares;

/// How many certificates are being issued at once; a further enrolment is told to come again.
const AT_ONCE: usize = 64;
/// For how many clusters the last refusal is remembered.
const REMEMBERED: usize = 1_000;
/// How far a certificate's beginning lies back, for clocks that are behind.
const SKEW: Duration = Duration::from_secs(600);

/// What enrolling takes. Clones share it.
#[derive(Clone)]
pub(crate) struct Enrolment {
    shared: Arc<Shared>,
}

struct Shared {
    fleet: Fleet,
    tunnels: Tunnels,
    metrics: Metrics,
    places: Semaphore,
    shares: Shares,
    refused: Mutex<VecDeque<(ClusterId, Refused)>>,
}

/// The last time an agent of a cluster was sent away.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) when: Timestamp,
    pub(crate) from: SocketAddr,
    pub(crate) why: String,
}

/// Why an agent is sent away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentAway<'a> {
    pub(crate) reason: &'static str,
    pub(crate) why: &'a str,
    /// At which step of joining that is.
    pub(crate) at: Option<(JoinStepName, JoinStall)>,
}

impl Enrolment {
    pub(crate) fn new(fleet: Fleet, tunnels: Tunnels, metrics: Metrics) -> Self {
        let shared = Shared {
            fleet,
            tunnels,
            metrics,
            places: Semaphore::new(AT_ONCE),
            shares: Shares::default(),
            refused: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Issues a slot's certificate to who holds the cluster's key, or a join token.
    async fn certify(
        &self,
        asked: &EnrolRequest,
        key: &KeyPin,
        from: SocketAddr,
    ) -> Result<Certified, EnrolRefusal> {
        let Shared { fleet, tunnels, places, .. } = &*self.shared;
        let papers = self.papers()?;
        // A key in the wrong hands must not find a place that nobody looks at.
        let slots = fleet.enrolment.slots;
        if asked.slot.0 >= slots {
            let message = format!(
                "slot {} is too high: a cluster has slots 0 to {} here (enrolment.slots)",
                asked.slot,
                slots.saturating_sub(1)
            );
            return Err(no(EnrolReason::SlotTooHigh, message));
        }
        let Ok(_place) = places.try_acquire() else {
            return Err(no(EnrolReason::TooMany, "many agents enrol at this moment; try again"));
        };
        // Looked at before the token is spent: what cannot be signed must not cost it.
        trunkline_pki::check_csr(&asked.csr).map_err(|error| no(EnrolReason::BadRequest, chain(&error)))?;
        if fleet.is_declared(&asked.cluster) {
            let message = format!(
                "cluster {} is declared in the gateway's file: its agent brings files",
                asked.cluster
            );
            return Err(no(EnrolReason::NotIssuing, message));
        }
        let now = Timestamp::now();
        let before = fleet.registry.get(&asked.cluster).and_then(|record| record.key.clone());
        let record = fleet
            .registry
            .redeem(&asked.cluster, asked.token.as_deref(), &key.to_string(), now, fleet.away())
            .await
            .map_err(|error| no(error.reason(), chain(&error)))?;
        let by_token =
            record.join.as_ref().and_then(|join| join.used.as_ref()).is_some_and(|used| used.when == now);
        tunnels.joinings().note(&asked.cluster, Event::Admitted { from, by_token });
        // A new key is not one of those that contend: it ends their quarrel.
        let is_new = before.is_none_or(|before| before.pin != key.to_string());
        if !is_new && tunnels.is_kept(&asked.cluster, asked.slot) {
            let message = "agents contend for this slot; the one that is in it stays for some minutes";
            return Err(no(EnrolReason::SlotContended, message));
        }
        // Only now, so that whoever knows the name cannot use up its share.
        self.count(&asked.cluster)?;
        let uid = record.metadata.uid.ok_or_else(|| no(EnrolReason::ClusterUnknown, "it has no uid"))?;
        let name = agent_name(papers, &asked.cluster, uid, asked.slot);
        self.issue(papers, &asked.csr, &name, &key.to_string()).await
    }

    /// Issues the next certificate of a live agent's slot.
    pub(crate) async fn renew(&self, live: &Live, renewal: &Renewal) -> Result<Certified, EnrolRefusal> {
        let Shared { fleet, metrics, .. } = &*self.shared;
        let papers = self.papers()?;
        let identity = &live.identity;
        let uid = match fleet.standing(&identity.cluster) {
            Some(Standing::Open(Some(uid))) if !fleet.is_declared(&identity.cluster) => uid,
            Some(Standing::Locked(_)) => return Err(no(EnrolReason::ClusterLocked, "the cluster is locked")),
            Some(Standing::Open(_)) => {
                return Err(no(
                    EnrolReason::NotIssuing,
                    "the agent brings files of its own: renew them there",
                ));
            }
            None => return Err(no(EnrolReason::ClusterUnknown, "the cluster is not registered any more")),
        };
        if uid != identity.uid || !live.session.is_open() {
            return Err(no(EnrolReason::ClusterUnknown, "the link belongs to an earlier registration"));
        }
        let Some(key) = &live.cluster_key else {
            return Err(no(EnrolReason::KeyUnknown, "the link came in by no key of the cluster's"));
        };
        self.count(&identity.cluster)?;
        let name = agent_name(papers, &identity.cluster, uid, identity.slot);
        let certified = self.issue(papers, &renewal.csr, &name, key).await?;
        metrics.renewals.inc();
        self.audit().note(&AuditEvent::Change(AuditChange {
            user: key.clone(),
            what: "renew".into(),
            subject: format!("slot {}", identity.slot),
            cluster: Some(identity.cluster.to_string()),
            ..AuditChange::default()
        }));
        Ok(certified)
    }

    fn audit(&self) -> &AuditLog {
        &self.shared.fleet.audit
    }

    /// Signs, pins, and only then hands out.
    async fn issue(
        &self,
        papers: &Papers,
        csr: &str,
        name: &AgentName,
        key: &str,
    ) -> Result<Certified, EnrolRefusal> {
        let fleet = &self.shared.fleet;
        let now = SystemTime::now();
        let life = Duration::from_secs(fleet.enrolment.certificate_seconds);
        let validity = Validity { not_before: now - SKEW, not_after: now + life };
        let signed = papers
            .sign_agent(csr, name, validity)
            .map_err(|error| no(EnrolReason::BadRequest, chain(&error)))?;
        let record = slot_record(papers, &signed)?;
        let not_after = record.not_after.as_second();
        fleet
            .registry
            .note_slot(&name.cluster, name.uid, name.slot, record, key)
            .await
            .map_err(|error| no(reason_of(&error), chain(&error)))?;
        Ok(Certified {
            uid: name.uid,
            certificate: signed.certificate_pem,
            roots: papers.roots_pem(),
            not_after,
            now: Timestamp::now().as_second(),
        })
    }

    fn papers(&self) -> Result<&Papers, EnrolRefusal> {
        self.shared.fleet.papers.as_ref().ok_or_else(|| {
            no(EnrolReason::NotIssuing, "this gateway has no data folder, so it issues no certificates")
        })
    }

    /// Counts a certificate against the share of a cluster whose agent has shown that it is that cluster's.
    fn count(&self, cluster: &ClusterId) -> Result<(), EnrolRefusal> {
        if self.shared.shares.take(cluster) {
            return Ok(());
        }
        Err(no(
            EnrolReason::TooMany,
            "the cluster has had as many certificates as it may in a minute; try again later",
        ))
    }

    /// An agent says that it is a cluster's and wants in.
    fn has_come(&self, asked: &EnrolRequest, from: SocketAddr) {
        let Some(record) = self.shared.fleet.registry.get(&asked.cluster) else { return };
        let ahead = (asked.now > 0).then(|| asked.now.saturating_sub(Timestamp::now().as_second()));
        self.see(&record, Event::Came { from, ahead });
    }

    /// What is seen of a cluster that may be joining.
    fn see(&self, record: &Record, event: Event) {
        let tunnels = &self.shared.tunnels;
        let has_link = !tunnels.of(&record.metadata.name).is_empty();
        tunnels.joinings().begin_with(record, has_link, event);
    }

    /// Keeps why an agent was sent away, for those who wonder why a cluster does not come.
    pub(crate) fn remember(&self, cluster: &ClusterId, who: (SocketAddr, Slot), no: SentAway<'_>) {
        let ground = self.shared.fleet.ground(cluster);
        if ground.standing().is_none() {
            return;
        }
        let ((from, _), why) = (who, no.why.to_owned());
        self.shared.tunnels.note_refused(cluster, ground.uid(), who, no.reason, no.why);
        if let (Some(record), Some((step, stall))) = (self.shared.fleet.registry.get(cluster), no.at) {
            self.see(&record, Event::Refused { from, step, stall, why: why.clone() });
        }
        let refused = Refused { when: Timestamp::now(), from, why: format!("{}: {why}", no.reason) };
        let mut all = self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(other, _)| other != cluster);
        all.push_back((cluster.clone(), refused));
        if all.len() > REMEMBERED {
            all.pop_front();
        }
        drop(all);
        self.shared.tunnels.tell_of(cluster);
    }

    /// The last time an agent of a cluster was sent away, while this gateway runs.
    pub(crate) fn last_refused(&self, cluster: &ClusterId) -> Option<Refused> {
        let all = self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(other, _)| other == cluster).map(|(_, refused)| refused.clone())
    }
}

fn agent_name(papers: &Papers, cluster: &ClusterId, uid: ClusterUid, slot: Slot) -> AgentName {
    AgentName { trust_domain: papers.trust_domain().to_owned(), cluster: cluster.clone(), uid, slot }
}

fn slot_record(papers: &Papers, signed: &Signed) -> Result<SlotRecord, EnrolRefusal> {
    let unusable = || no(EnrolReason::Unavailable, "the certificate just issued cannot be read");
    Ok(SlotRecord {
        key: signed.pin.to_string(),
        serial: signed.serial.to_string(),
        root: papers.root_of(&signed.certificate_der).ok_or_else(unusable)?.to_string(),
        issued: Timestamp::now(),
        not_after: Timestamp::try_from(signed.not_after).map_err(|_| unusable())?,
    })
}

/// Why a certificate that was signed is not handed out.
fn reason_of(error: &RegistryError) -> EnrolReason {
    match error {
        RegistryError::KeyReplaced(_) => EnrolReason::KeyUnknown,
        RegistryError::NotFound(_) => EnrolReason::ClusterUnknown,
        _ => EnrolReason::Unavailable,
    }
}

fn no(reason: EnrolReason, message: impl Into<String>) -> EnrolRefusal {
    EnrolRefusal { reason, message: message.into() }
}
