//! Whether a request may go on, as whom, and the record of that: between who asks and the way to the cluster.

use std::sync::Arc;
use std::time::SystemTime;

use http::header;
use jiff::Timestamp;
use trunkline_proto::headers::{ActAs, asked_to_act_as};
use trunkline_proto::{ClusterId, ClusterToken, ClusterUid};

use super::http_service::{abuse, look_over};
use super::{Caller, Front, Head};
use crate::access_log::Entry;
use crate::audited::Decided;
use crate::authn::{self, Claimed, How, Place, Principal};
use crate::authz::{Action, decide};
use crate::fleet::Standing;
use crate::proxy::{Admitted, ToRecord, Whose};
use crate::refusal::Refusal;
use crate::route::{Kind, Route};
use crate::under_way::{Errand, Stay};

/// What a request asks for, and what it brings for the cluster.
struct Asked<'a> {
    action: Action,
    act_as: Option<ActAs>,
    cluster_token: Option<&'a ClusterToken>,
}

impl Front {
    /// Who asks for what, and whether that may be. What is let in is recorded, and under way from here on.
    pub(super) async fn admit(
        &self,
        head: &Head,
        caller: &Caller,
        (route, place): (Result<Route, Refusal>, Place),
        entry: &mut Entry,
    ) -> Result<(Route, Admitted), Refusal> {
        look_over(head, entry)?;
        let (found, cluster_token) = self.sign_in(head, caller, place, entry).await?;
        let principal = found.ok_or_else(authn::nothing_shown)?;
        let route = route?;
        entry.cluster = Some(route.cluster.clone());
        entry.kind = route.kind;
        let act_as = asked_to_act_as(&head.headers).map_err(|fault| abuse(fault, entry))?;
        let action = Action::of(&head.method, &route);
        let asked = Asked { action: action.clone(), act_as, cluster_token: cluster_token.as_ref() };
        let judged = self
            .may_a_page(head, &principal, &route, &action)
            .and_then(|()| self.judge(head, &principal, &route, asked));
        // Who has too much already is not recorded: what is refused so is no decision on them.
        if let (Ok(_), Some(share)) = (&judged, &mut entry.share) {
            share.reach(&route.cluster, self.proxy.tunnels.streams(&route.cluster))?;
        }
        let outcome = match &judged {
            Ok((errand, _)) => {
                Ok((errand.rule.as_str(), errand.passed.is_none().then_some(&errand.identity)))
            }
            Err(refusal) => Err(refusal.detail()),
        };
        let uid = judged.as_ref().ok().and_then(|(_, uid)| *uid);
        let decided =
            Decided { principal: &principal, cluster: &route.cluster, uid, action: &action, outcome };
        self.audited.decision(entry, &decided).await?;
        let (errand, uid) = judged?;
        let whose = cluster_token.map_or_else(|| Whose::Identity(errand.identity.clone()), Whose::Token);
        let record = errand.recorded.then(|| ToRecord::new(entry.request, &principal, &errand));
        let stay = self.enter(caller, entry, &principal, Some(errand));
        // What changed since the decision has told those who were under way by then: was it before, this one was not.
        if let Some(cut) = self.review.why_cut(stay.subject()) {
            return Err(Refusal::Cut { cut });
        }
        entry.enter(stay);
        Ok((route, Admitted { whose, uid, record }))
    }

    /// Whether somebody may do something in a cluster as that stands now: what of it is under way from here on, and which
    /// registration of the cluster that is.
    fn judge(
        &self,
        head: &Head,
        principal: &Principal,
        route: &Route,
        asked: Asked<'_>,
    ) -> Result<(Errand, Option<ClusterUid>), Refusal> {
        let Asked { action, act_as, cluster_token } = asked;
        let cluster = &route.cluster;
        let ground = self.fleet.ground(cluster);
        let confirmed = ground.uid().is_some_and(|uid| self.confirmations.holds(principal, uid));
        let place = ground.place(cluster, confirmed);
        let rules = self.fleet.access.rules();
        let allowed = decide(&rules, principal, &place, &action, act_as.as_ref())
            .map_err(|denied| Refusal::denied(denied, cluster))?;
        if route.facts.node_proxy && !self.allow_node_proxy {
            return Err(Refusal::AccessDenied {
                why: "nodes/proxy is not served, since whoever may read there may run code on the node; set \
                      front.allow_node_proxy to serve it"
                    .into(),
            });
        }
        // Who may not reach a cluster does not learn how it stands, nor whether there is one.
        let uid = match ground.standing() {
            _ if cluster.is_management() && self.proxy.management.is_some() => None,
            Some(Standing::Open(uid)) => uid,
            Some(Standing::Locked(lock)) => {
                return Err(Refusal::ClusterLocked { cluster: cluster.clone(), lock });
            }
            None => return Err(Refusal::ClusterNotFound(cluster.clone())),
        };
        let passed = self.pass(cluster, ground.pass_through(), cluster_token)?;
        let recorded = allowed.record && action.is_interactive();
        if recorded && route.kind == Kind::Upgrade && !is_websocket(head) {
            return Err(Refusal::RecordingNeedsWebSocket { cluster: cluster.clone(), rule: allowed.rule });
        }
        let errand = Errand {
            cluster: cluster.clone(),
            action,
            act_as,
            rule: allowed.rule,
            identity: allowed.identity,
            passed,
            confirmed,
            recorded,
        };
        Ok((errand, uid))
    }

    /// What the token says that goes through to a cluster of these audiences; none where one impersonates.
    ///
    /// # Errors
    /// When there is no token and there must be one, or the other way round, or it was not made for this cluster alone.
    fn pass(
        &self,
        cluster: &ClusterId,
        audiences: &[String],
        token: Option<&ClusterToken>,
    ) -> Result<Option<Claimed>, Refusal> {
        if audiences.is_empty() {
            let unwanted = || Refusal::ClusterTokenUnwanted { cluster: cluster.clone() };
            return if token.is_some() { Err(unwanted()) } else { Ok(None) };
        }
        let needed = |why: String| Refusal::ClusterTokenNeeded {
            cluster: cluster.clone(),
            audiences: audiences.to_vec(),
            why,
        };
        let token = token.ok_or_else(|| needed("the request brings no token for it".into()))?;
        let claimed = Claimed::of(token).map_err(needed)?;
        claimed.must_be_for(audiences, self.authn.audiences()).map_err(needed)?;
        if claimed.has_ended(SystemTime::now()) {
            let at = Timestamp::try_from(claimed.ends).unwrap_or(Timestamp::MAX);
            return Err(Refusal::ClusterTokenEnded { cluster: cluster.clone(), at });
        }
        Ok(Some(claimed))
    }

    /// Enters a request among what is under way.
    pub(super) fn enter(
        &self,
        caller: &Caller,
        entry: &Entry,
        principal: &Arc<Principal>,
        errand: Option<Errand>,
    ) -> Stay {
        let shown = principal.how == How::Certificate;
        let serial = caller.identity.as_ref().filter(|_| shown).map(|identity| identity.serial.clone());
        self.review.under_way.begin(entry.request, principal.clone(), serial, entry.kind, errand)
    }
}

pub(super) fn is_websocket(head: &Head) -> bool {
    head.headers.get(header::UPGRADE).is_some_and(|token| token.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
