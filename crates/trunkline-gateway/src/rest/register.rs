//! Registering a cluster, and handing out a new join token: the one answer of the API that holds a secret.
//!
//! Invariant: nothing is registered for which there would be no manifest.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri, header};
use jiff::Timestamp;
use std::sync::Arc;
use trunkline_api::{BASE, Join, ManifestPatch, NewCluster, Problem, ProblemReason, Registered};
use trunkline_pki::Papers;
use trunkline_registry::{JoinToken, Record};
use trunkline_runtime::chain;

use super::problem::No;
use super::read::{Admin, Asked, MaySend, Name, Nothing, Sent};
use super::view::Source;
use super::{Shared, reach};
use crate::manifest::{self, ManifestError, NAMESPACE, Values};

/// The chart as it is called.
const CHART: &str = concat!("trunkline-agent-", env!("CARGO_PKG_VERSION"), ".tgz");

/// Registers a cluster and says how it joins. The join token is shown once and kept nowhere.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters",
    operation_id = "registerCluster",
    tag = "clusters",
    request_body = NewCluster,
    responses(
        (status = 201, description = "The cluster and how it joins", body = Registered),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The registry is full or cannot write", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn register(
    State(shared): State<Shared>,
    admin: Admin,
    _: Asked<Nothing>,
    Sent(new): Sent<NewCluster>,
) -> Result<(StatusCode, Json<Registered>), No> {
    shared.changeable(&new.name)?;
    let papers = shared.papers()?;
    manifest::check(&new.manifest)?;
    shared.check_audiences(&new.manifest.pass_through)?;
    let (fleet, by) = (&shared.view.fleet, &admin.who.user);
    let order = async { fleet.register(&new, by).await?.ok_or_else(|| No::declared(&new.name)) };
    let (record, token) = shared.audit.change(&admin, "register", &new.name, order).await?;
    let registered = shared.registered(record, papers, &token).await?;
    Ok((StatusCode::CREATED, Json(registered)))
}

/// Hands out a new join token; the one before ends. What is sent changes what the manifest holds, the rest of it stays as
/// it was registered.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/join",
    operation_id = "renewJoin",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    request_body = Option<ManifestPatch>,
    responses(
        (status = 200, description = "The cluster and how it joins", body = Registered),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn join(
    State(shared): State<Shared>,
    admin: Admin,
    Name(id): Name,
    _: Asked<Nothing>,
    MaySend(patch): MaySend<ManifestPatch>,
) -> Result<Json<Registered>, No> {
    shared.changeable(&id)?;
    let papers = shared.papers()?;
    let (fleet, by, patch) = (&shared.view.fleet, &admin.who.user, patch.unwrap_or_default());
    if let Some(record) = fleet.registry.get(&id) {
        let patched = record.manifest.patched(&patch);
        manifest::check(&patched)?;
        shared.check_audiences(&patched.pass_through)?;
    }
    let (now, life) = (Timestamp::now(), fleet.token_life());
    let order = fleet.registry.renew_join(&id, by, &patch, now, life);
    let (record, token) = shared.audit.change(&admin, "join", &id, order).await?;
    Ok(Json(shared.registered(record, papers, &token).await?))
}

/// Gives the agent's Helm chart. For everybody: it holds nothing that is not public.
#[utoipa::path(
    get,
    path = "/trunkline/v1/charts/{chart}",
    operation_id = "chart",
    tag = "gateway",
    security(()),
    params(("chart" = String, Path, description = "`trunkline-agent-<version>.tgz`, the version being the gateway's")),
    responses(
        (status = 200, description = "The chart", content_type = "application/gzip"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn chart(uri: Uri, _: Asked<Nothing>) -> Result<Response, No> {
    if uri.path().rsplit('/').next() != Some(CHART) {
        return Err(No::new(ProblemReason::NotFound, format!("the chart that is served here is {CHART}")));
    }
    Ok(([(header::CONTENT_TYPE, "application/gzip")], manifest::chart_tgz()?).into_response())
}

impl Shared {
    /// Whether tokens for these audiences sign nobody in at this gateway, and belong to no declared cluster.
    fn check_audiences(&self, audiences: &[String]) -> Result<(), No> {
        let own = self.authn.audiences();
        if let Some(taken) = audiences.iter().find(|audience| own.contains(*audience)) {
            return Err(No::invalid(format!(
                "manifest.passThrough names {taken:?}, for which tokens are that sign in at this gateway: those go to no cluster"
            )));
        }
        Ok(self.view.fleet.check_undeclared(audiences)?)
    }

    fn papers(&self) -> Result<&Papers, No> {
        self.view.fleet.papers.as_ref().ok_or_else(|| {
            let detail = "this gateway issues no certificates, since it has no data folder; give it one (data: DIR), or \
                          declare the cluster in its file";
            No::new(ProblemReason::NotIssuing, detail)
        })
    }

    async fn registered(
        &self,
        record: Arc<Record>,
        papers: &Papers,
        token: &JoinToken,
    ) -> Result<Registered, No> {
        let (about, pin) = (&self.about, papers.pin());
        let enrolment = &self.view.fleet.enrolment;
        let (name, options) = (&record.metadata.name, &record.manifest);
        let mut warnings = reach::warnings(about).await;
        if options.ephemeral_spool {
            warnings
                .push("the spool is kept in an emptyDir: what is not shipped is lost with the pod".into());
        }
        if !options.pass_through.is_empty() {
            warnings.push(
                "the agent will have no right in the cluster; where it impersonated before, take its old rights away: kubectl delete \
                 clusterrole,clusterrolebinding -l app.kubernetes.io/name=trunkline-agent (helm upgrade does so by itself)"
                    .into(),
            );
        }
        if manifest::any_group(options) {
            warnings.push(
                "the agent's service account may impersonate any group, system:masters among them; the agent refuses \
                 to, but whoever takes its token over need not ask it"
                    .into(),
            );
        }
        let (image, slots) = (&enrolment.image, enrolment.slots);
        let values = Values::from(name, options, pin, &about.tunnel, token.reveal(), image, slots)?;
        let join = Join {
            manifest: manifest::render(&values)?,
            values: manifest::values_yaml(&values)?,
            chart: format!("{}{BASE}/charts/{CHART}", about.front),
            namespace: NAMESPACE.into(),
            expires: record.join.as_ref().map_or_else(Timestamp::now, |join| join.expires),
            pin: pin.to_string(),
            warnings,
        };
        let cluster = self.view.cluster(&Source::Registered(record), Timestamp::now());
        Ok(Registered { cluster, join })
    }
}

impl From<ManifestError> for No {
    fn from(error: ManifestError) -> Self {
        let reason = match error {
            ManifestError::Value { .. } => ProblemReason::Invalid,
            ManifestError::Template { .. } | ManifestError::Archive(_) => ProblemReason::Internal,
        };
        Self::new(reason, chain(&error))
    }
}
