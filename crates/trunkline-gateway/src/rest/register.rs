//! Registering a cluster, and handing out a new join token: the one answer of the API that holds a secret.
//!
//! Invariant: nothing is registered for which there would be no manifest.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri, header};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use trunkline_api::{BASE, Join, ManifestOptions, NewCluster, Problem, ProblemReason, Registered};
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
    let (fleet, by) = (&shared.view.fleet, &admin.who.user);
    let (record, token) = fleet.registry.register(&new, by, Timestamp::now(), shared.token_life()).await?;
    admin.note("register", &new.name);
    let registered = shared.registered(record, &new.manifest, papers, &token).await?;
    Ok((StatusCode::CREATED, Json(registered)))
}

/// Hands out a new join token, with the options of the registration if none are sent. The one before ends.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/join",
    operation_id = "renewJoin",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    request_body = Option<ManifestOptions>,
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
    MaySend(options): MaySend<ManifestOptions>,
) -> Result<Json<Registered>, No> {
    shared.changeable(&id)?;
    let papers = shared.papers()?;
    options.as_ref().map_or(Ok(()), manifest::check)?;
    let (fleet, by) = (&shared.view.fleet, &admin.who.user);
    let (record, token) = fleet.registry.renew_token(&id, by, Timestamp::now(), shared.token_life()).await?;
    admin.note("join", &id);
    let options = options.unwrap_or_else(|| record.manifest.clone());
    Ok(Json(shared.registered(record, &options, papers, &token).await?))
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
    fn papers(&self) -> Result<&Papers, No> {
        self.view.fleet.papers.as_ref().ok_or_else(|| {
            let detail = "this gateway issues no certificates, since it has no data folder; give it one (data: DIR), or \
                          declare the cluster in its file";
            No::new(ProblemReason::NotIssuing, detail)
        })
    }

    fn token_life(&self) -> Duration {
        Duration::from_secs(self.view.fleet.enrolment.token_minutes * 60)
    }

    async fn registered(
        &self,
        record: Arc<Record>,
        options: &ManifestOptions,
        papers: &Papers,
        token: &JoinToken,
    ) -> Result<Registered, No> {
        let (about, pin) = (&self.about, papers.pin());
        let image = &self.view.fleet.enrolment.image;
        let name = &record.metadata.name;
        let values = Values::from(name, options, pin, &about.tunnel, token.reveal(), image)?;
        let join = Join {
            manifest: manifest::render(&values)?,
            values: manifest::values_yaml(&values)?,
            chart: format!("{}{BASE}/charts/{CHART}", about.front),
            namespace: NAMESPACE.into(),
            expires: record.join.as_ref().map_or_else(Timestamp::now, |join| join.expires),
            pin: pin.to_string(),
            warnings: reach::warnings(about).await,
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
