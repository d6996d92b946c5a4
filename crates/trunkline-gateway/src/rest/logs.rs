//! The clusters' records: searched, counted, and told as they arrive.
//!
//! ```text
//! query ─ read.rs ─ filter, time ─┐
//! who asks ─ scope.rs ─ clusters ─┴─ question ─ store ─ shown.rs ─ answer
//!                                  └ tail.rs ─ events
//! ```
//!
//! Invariants:
//! - a question holds the uids of the clusters that who asks may read, and no other; the text of a query cannot widen it;
//! - of one user a few questions are under way at once, of all together some more; others wait, and then hear so;
//! - a tail goes by the rules in force, also by those that come while it lasts.

mod read;
mod scope;
mod shown;
mod tail;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;
use trunkline_api::{
    FleetRole, LogHistogram, LogPage, LogQuery, LogStanding, LogStatus, LogTop, Problem, ProblemReason,
};
use trunkline_logs::{Field, Question};
use trunkline_logstore::{MAX_HITS, MAX_SLICES, MAX_VALUES, SearchError};

use super::Shared;
use super::problem::No;
use super::read::{Asked, Nothing, Reader, Sight};
use super::view::{Source, View};
use crate::logs::Logs;
use scope::Wanted;

/// How many questions may be under way.
const MOST: usize = 16;
/// How many of them may be one user's.
const MOST_OF_ONE: usize = 3;
/// How long a question waits for those before it.
const WAIT: Duration = Duration::from_secs(15);
/// How many records an answer has unless more are asked for.
const FEW: usize = 100;
/// How many slices a histogram has unless more are asked for.
const SLICES: usize = 60;

/// The log store as the API asks it. Clones share it.
#[derive(Clone)]
pub(super) struct Desk {
    logs: Option<Logs>,
    all: Arc<Semaphore>,
    users: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl Desk {
    pub(super) fn new(logs: Option<Logs>) -> Self {
        Self { logs, all: Arc::new(Semaphore::new(MOST)), users: Arc::default() }
    }

    fn logs(&self) -> Result<&Logs, No> {
        let none = || {
            No::new(ProblemReason::NotKept, "this gateway keeps no logs: give it logs: in its configuration")
        };
        self.logs.as_ref().ok_or_else(none)
    }

    /// How a cluster's records get on, by dataset, as who asks may see it.
    pub(super) fn of(&self, view: &View, source: &Source, sight: &Sight) -> Vec<LogStanding> {
        let Some(logs) = &self.logs else { return Vec::new() };
        let seen = scope::uids(view, logs, source).into_iter().flat_map(|uid| logs.standing().of(uid));
        seen.map(|(dataset, mut seen)| {
            if !seen.why.is_empty() {
                seen.why = of_the_store(sight, seen.why);
            }
            shown::standing(source.id(), &dataset, seen)
        })
        .collect()
    }

    /// A place for one question.
    async fn place(&self, user: &str) -> Result<[OwnedSemaphorePermit; 2], No> {
        let own = {
            let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
            users.retain(|_, own| Arc::strong_count(own) > 1);
            users.entry(user.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(MOST_OF_ONE))).clone()
        };
        let both = async {
            Ok::<_, tokio::sync::AcquireError>([
                own.acquire_owned().await?,
                self.all.clone().acquire_owned().await?,
            ])
        };
        match tokio::time::timeout(WAIT, both).await {
            Ok(Ok(both)) => Ok(both),
            _ => {
                let detail = format!(
                    "{MOST_OF_ONE} searches of one user and {MOST} of all may be under way; yours waited for {} s. Try again",
                    WAIT.as_secs()
                );
                Err(No::new(ProblemReason::TooManyRequests, detail))
            }
        }
    }
}

/// Finds records.
#[utoipa::path(
    get,
    path = "/trunkline/v1/logs",
    operation_id = "findLogs",
    tag = "logs",
    params(
        ("q" = Option<String>, Query, description = "Words and fields, as in `app:web error -level:debug`"),
        ("clusters" = Option<String>, Query, description = "Of these clusters, with commas between; all that may be read if not given"),
        ("selector" = Option<String>, Query, description = "Of the clusters with these labels"),
        ("from" = Option<String>, Query, description = "From this time on; an hour before `to` if not given"),
        ("to" = Option<String>, Query, description = "Before this time; now if not given"),
        ("limit" = Option<usize>, Query, description = "How many: 100 by default, 1,000 at the most"),
        ("order" = Option<String>, Query, description = "`newest` first, or `oldest`"),
        ("after" = Option<String>, Query, description = "Those behind this place: `next` of the page before"),
    ),
    responses(
        (status = 200, description = "The records", body = LogPage),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store cannot be asked now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn find(
    State(shared): State<Shared>,
    reader: Reader,
    Asked(query): Asked<LogQuery>,
) -> Result<Json<LogPage>, No> {
    read::only(&query, &["q", "clusters", "selector", "from", "to", "limit", "order", "after"])?;
    let (question, limit) = (question(&shared, &reader, &query)?, read::limit(query.limit, FEW, MAX_HITS)?);
    let after = query.after.as_deref().map(read::cursor).transpose()?;
    let order = read::order(query.order);
    let _place = shared.logs.place(&reader.who.user).await?;
    let hits = shared.logs.logs()?.store().find(&question, order, after, limit).await;
    let hits = hits.map_err(|error| unanswered(&reader, &error))?;
    Ok(Json(shown::page(hits)))
}

/// Tells records as they arrive.
#[utoipa::path(
    get,
    path = "/trunkline/v1/logs/tail",
    operation_id = "tailLogs",
    tag = "logs",
    params(
        ("q" = Option<String>, Query, description = "Words and fields"),
        ("clusters" = Option<String>, Query, description = "Of these clusters"),
        ("selector" = Option<String>, Query, description = "Of the clusters with these labels"),
    ),
    responses(
        (status = 200, description = "An event for each record", body = trunkline_api::LogEvent, content_type = "text/event-stream"),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many watch", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn tail(
    State(shared): State<Shared>,
    reader: Reader,
    Asked(query): Asked<LogQuery>,
) -> Result<Response, No> {
    read::only(&query, &["q", "clusters", "selector"])?;
    let (filter, wanted) = (read::filter(&query.q)?, Wanted::read(&query)?);
    let logs = shared.logs.logs()?.clone();
    let tail = tail::Tail::begin(logs, shared.view.clone(), reader.who.clone(), filter, wanted)?;
    shared.watches.events(&reader.who.user, |out| tail.run(out))
}

/// Counts records in slices of time.
#[utoipa::path(
    get,
    path = "/trunkline/v1/logs/histogram",
    operation_id = "logHistogram",
    tag = "logs",
    params(
        ("q" = Option<String>, Query, description = "Words and fields"),
        ("clusters" = Option<String>, Query, description = "Of these clusters"),
        ("selector" = Option<String>, Query, description = "Of the clusters with these labels"),
        ("from" = Option<String>, Query, description = "From this time on"),
        ("to" = Option<String>, Query, description = "Before this time"),
        ("slices" = Option<usize>, Query, description = "Into how many slices: 60 by default, 200 at the most"),
        ("by" = Option<String>, Query, description = "How many of each value of this field"),
    ),
    responses(
        (status = 200, description = "The slices", body = LogHistogram),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store cannot be asked now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn histogram(
    State(shared): State<Shared>,
    reader: Reader,
    Asked(query): Asked<LogQuery>,
) -> Result<Json<LogHistogram>, No> {
    read::only(&query, &["q", "clusters", "selector", "from", "to", "slices", "by"])?;
    let question = question(&shared, &reader, &query)?;
    let slices = read::limit(query.slices, SLICES, MAX_SLICES)?;
    let by = query.by.as_deref().map(Field::named);
    let _place = shared.logs.place(&reader.who.user).await?;
    let slices = shared.logs.logs()?.store().histogram(&question, slices, by.as_ref()).await;
    let slices = slices.map_err(|error| unanswered(&reader, &error))?;
    Ok(Json(shown::histogram(slices)))
}

/// The most frequent values of a field.
#[utoipa::path(
    get,
    path = "/trunkline/v1/logs/top",
    operation_id = "topLogValues",
    tag = "logs",
    params(
        ("field" = String, Query, description = "The field: `level`, `app`, `cluster`, or the path of one of the shipper's"),
        ("q" = Option<String>, Query, description = "Words and fields"),
        ("clusters" = Option<String>, Query, description = "Of these clusters"),
        ("selector" = Option<String>, Query, description = "Of the clusters with these labels"),
        ("from" = Option<String>, Query, description = "From this time on"),
        ("to" = Option<String>, Query, description = "Before this time"),
        ("limit" = Option<usize>, Query, description = "How many values: 10 by default, 50 at the most"),
    ),
    responses(
        (status = 200, description = "The values", body = LogTop),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The store cannot be asked now", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn top(
    State(shared): State<Shared>,
    reader: Reader,
    Asked(query): Asked<LogQuery>,
) -> Result<Json<LogTop>, No> {
    read::only(&query, &["field", "q", "clusters", "selector", "from", "to", "limit"])?;
    let field = query.field.as_deref().filter(|field| !field.is_empty()).map(Field::named);
    let field =
        field.ok_or_else(|| No::invalid("top values are those of a field: add field=level or the like"))?;
    let question = question(&shared, &reader, &query)?;
    let count = read::limit(query.limit, 10, MAX_VALUES)?;
    let _place = shared.logs.place(&reader.who.user).await?;
    let top = shared.logs.logs()?.store().top(&question, &field, count).await;
    Ok(Json(shown::top(top.map_err(|error| unanswered(&reader, &error))?)))
}

/// How the records of each cluster get on, and the store.
#[utoipa::path(
    get,
    path = "/trunkline/v1/logs/status",
    operation_id = "logStatus",
    tag = "logs",
    responses(
        (status = 200, description = "Each dataset of each cluster that may be seen, and the store", body = LogStatus),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    reader: Reader,
    _: Asked<Nothing>,
) -> Result<Json<LogStatus>, No> {
    let logs = shared.logs.logs()?;
    let seen = scope::all(&shared.view, logs).into_iter().filter(|source| source.is_seen(&reader.sight));
    let items = seen.flat_map(|source| shared.logs.of(&shared.view, &source, &reader.sight)).collect();
    let mut store = shown::store(logs.store().status());
    store.fault = store.fault.map(|fault| of_the_store(&reader.sight, fault));
    if reader.sight.fleet_role() < FleetRole::Viewer {
        store.notes.clear();
    }
    Ok(Json(LogStatus { items, store }))
}

fn question(shared: &Shared, reader: &Reader, query: &LogQuery) -> Result<Question, No> {
    let logs = shared.logs.logs()?;
    let (filter, wanted) = (read::filter(&query.q)?, Wanted::read(query)?);
    let (from, to) = read::time(query)?;
    let (scope, filter) = wanted.within(&shared.view, logs, &reader.who, filter)?;
    Ok(Question { scope, filter, from, to })
}

/// What is wrong with the store names machines: for who sees all of the fleet.
fn of_the_store(sight: &Sight, said: String) -> String {
    if sight.fleet_role() < FleetRole::Viewer {
        "the log store takes or answers nothing now; who sees all of the fleet is told why".into()
    } else {
        said
    }
}

/// Why a search was not answered.
fn unanswered(reader: &Reader, error: &SearchError) -> No {
    let said = error.to_string();
    match error {
        SearchError::TooMuch(_) => No::new(ProblemReason::Invalid, said),
        SearchError::Unavailable(_) | SearchError::Answer(_) => {
            warn!(user = reader.who.user, why = said, "a search was not answered");
            No::new(ProblemReason::Unavailable, of_the_store(&reader.sight, said))
        }
    }
}
