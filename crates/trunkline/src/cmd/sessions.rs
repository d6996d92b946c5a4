//! `trunkline sessions`: who is signed in, what they have under way, and its end.

use http::Method;
use jiff::Timestamp;
use trunkline_api::{EndSession, SessionEnded, UserSession, UserSessionList};

use crate::cli::{EndArgs, Form, SessionsArgs, SessionsCommand, SessionsListArgs};
use crate::cmd::{ask, gateway_api, print, print_json, print_yaml, say};
use crate::exit::{Exit, Failure};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Paint, age, until};

pub(crate) fn run(args: SessionsArgs) -> anyhow::Result<()> {
    let rest = gateway_api(&args.sign_in)?;
    match args.command.unwrap_or(SessionsCommand::List(args.list)) {
        SessionsCommand::List(args) => ask("", list(&rest, &args)),
        SessionsCommand::End(args) => ask("trunkline sessions", end(&rest, &args)),
    }
}

async fn sessions(rest: &Rest, user: Option<&str>) -> anyhow::Result<Vec<UserSession>> {
    let mut items = rest.get::<UserSessionList>("/sessions").await?.items;
    items.retain(|session| user.is_none_or(|user| session.user == user));
    Ok(items)
}

async fn list(rest: &Rest, args: &SessionsListArgs) -> anyhow::Result<()> {
    let items = sessions(rest, args.user.as_deref()).await?;
    match args.output {
        Form::Json => print_json(&UserSessionList::new(items)),
        Form::Yaml => print_yaml(&UserSessionList::new(items)),
        Form::Text if args.requests => requests(&items),
        Form::Text => {
            let heads = vec!["SESSION", "USER", "SIGNED IN BY", "FROM", "UNDER WAY", "LAST", "EXPIRES"];
            let mut table = Table::new(heads, true, Paint::output());
            let now = Timestamp::now();
            let rows: Vec<_> = items.iter().map(|session| row(session, now)).collect();
            table.lines(&rows).iter().try_for_each(|line| print(line))
        }
    }
}

fn row(session: &UserSession, now: Timestamp) -> Vec<Cell> {
    let expires = session.expires.map_or_else(|| "-".into(), |ends| until(ends, now));
    vec![
        Cell::new(&session.id),
        Cell::new(&session.user),
        Cell::new(&session.how),
        Cell::new(&session.from),
        Cell::new(session.requests.len().to_string()),
        Cell::new(age(session.last, now)),
        Cell::new(expires),
    ]
}

fn requests(sessions: &[UserSession]) -> anyhow::Result<()> {
    let heads = vec![
        "SESSION",
        "USER",
        "CLUSTER",
        "KIND",
        "VERB",
        "OBJECT",
        "NAMESPACE",
        "NAME",
        "RULE",
        "AGE",
        "REQUEST",
    ];
    let mut table = Table::new(heads, true, Paint::output());
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for session in sessions {
        for request in &session.requests {
            let or_none = |text: &str| Cell::new(if text.is_empty() { "-" } else { text });
            rows.push(vec![
                Cell::new(&session.id),
                Cell::new(&session.user),
                or_none(request.cluster.as_ref().map(|id| id.as_str()).unwrap_or_default()),
                Cell::new(&request.kind),
                or_none(&request.verb),
                or_none(&request.object),
                or_none(&request.namespace),
                or_none(&request.name),
                or_none(&request.rule),
                Cell::new(age(request.since, now)),
                Cell::new(&request.request),
            ]);
        }
    }
    table.lines(&rows).iter().try_for_each(|line| print(line))
}

async fn end(rest: &Rest, args: &EndArgs) -> anyhow::Result<()> {
    let ids = match &args.user {
        None => args.sessions.clone(),
        Some(user) => {
            let of_user: Vec<_> =
                sessions(rest, Some(user)).await?.into_iter().map(|session| session.id).collect();
            if of_user.is_empty() {
                return Err(Failure::new(
                    Exit::NotFound,
                    format!("{user} has no session that was seen lately"),
                )
                .into());
            }
            of_user
        }
    };
    for (done, id) in ids.iter().enumerate() {
        let request = EndSession { reason: args.reason.clone() };
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain || id.is_empty() {
            return Err(Failure::new(Exit::Usage, format!("{id:?} is no id of a session"))
                .next("trunkline sessions")
                .into());
        }
        match rest.send::<SessionEnded>(Method::POST, &format!("/sessions/{id}/end"), &request).await {
            Ok(ended) => print(&format!(
                "session {} of {} is ended; it had {} requests under way",
                ended.id, ended.user, ended.requests
            ))?,
            Err(error) if done > 0 => {
                say(&format!("{done} of {} sessions are ended; the next was not", ids.len()));
                let what = trunkline_runtime::chain(error.as_ref());
                return Err(Failure::new(Exit::Partial, what).next("trunkline sessions").into());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
