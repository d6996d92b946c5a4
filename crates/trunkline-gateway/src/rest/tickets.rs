//! Tickets: what a page opens a terminal with.

use axum::Json;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;
use trunkline_api::{Hidden, NewTicket, Problem, ProblemReason, Ticket};

use super::Shared;
use super::problem::No;
use super::read::{Asked, Name, Nothing, Reader, Sent};
use crate::authz::Action;
use crate::route::{Names, route};
use crate::tickets::HOLDS;

/// Gives a ticket for a terminal.
#[utoipa::path(
    post,
    path = "/trunkline/v1/clusters/{name}/tickets",
    operation_id = "giveTicket",
    tag = "clusters",
    params(("name" = String, Path, description = "The cluster")),
    request_body = NewTicket,
    responses(
        (status = 201, description = "A ticket that is good once. Whether the terminal may be opened is decided when it is", body = Ticket),
        (status = "4XX", description = "No", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many tickets", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn give(
    State(shared): State<Shared>,
    reader: Reader,
    Name(cluster): Name,
    _: Asked<Nothing>,
    Sent(new): Sent<NewTicket>,
) -> Result<(StatusCode, Json<Ticket>), No> {
    shared.find_for(&cluster, &reader)?;
    let no =
        || No::invalid("path is one of exec or attach, with its query, as the cluster's API server has it");
    // Drawn as it will be when the terminal is opened.
    let uri: Uri = format!("/trunkline/v1/clusters/{cluster}/k8s{}", new.path).parse().map_err(|_| no())?;
    let route = route(&Method::GET, &uri, &HeaderMap::new(), Names::default())
        .map_err(|refusal| No::invalid(format!("path: {}", refusal.detail())))?;
    if !route.is_for_pages() || !Action::of(&Method::GET, &route).is_interactive() {
        return Err(no());
    }
    let given = shared.tickets.give(&reader.who, &cluster, route.path.as_str());
    let ticket = given.map_err(|_| {
        No::new(ProblemReason::Unavailable, "as many tickets are good as may be; try again in half a minute")
    })?;
    let expires = Timestamp::now().checked_add(HOLDS).unwrap_or(Timestamp::MAX);
    Ok((StatusCode::CREATED, Json(Ticket { ticket: Hidden(ticket.to_string()), expires })))
}
