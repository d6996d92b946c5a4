//! `trunkline audit query`: the newest records that match, and what comes.

use std::time::Duration;

use jiff::Timestamp;
use trunkline_api::{AuditEvent, AuditObject, AuditPage, AuditPhase, AuditQuery, AuditRecord};

use crate::cli::{Phase, QueryArgs, Records};
use crate::cmd::{ask, gateway_api, path, print, print_json, print_yaml, say, time};
use crate::exit::{self, Exit};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, clean_json, clip, moment};

/// How many records are asked for at once.
const PAGE: usize = 1_000;
/// The longest text in a table, in characters.
const TEXT: usize = 60;
/// How long to wait before a stream that ended is opened again.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn run(args: &QueryArgs) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let query = AuditQuery {
        since: args.since.as_deref().map(|when| time("--since", when, now)).transpose()?,
        until: args.until.as_deref().map(|when| time("--until", when, now)).transpose()?,
        user: args.user.clone(),
        cluster: args.cluster.clone(),
        verb: args.verb.clone(),
        phase: args.phase.map(phase),
        request: args.request.clone(),
        allowed: args.denied.then_some(false),
        ..AuditQuery::default()
    };
    let rest = gateway_api(&args.sign_in)?;
    ask("trunkline audit query", async {
        let (page, unreadable) = newest(&rest, &query, args.limit as usize).await?;
        if unreadable > 0 {
            say(&format!("{unreadable} lines of the log cannot be read; run trunkline audit verify"));
        }
        let mut printer = Printer::new(args.output);
        if args.follow {
            let after = page.newer.unwrap_or_default();
            page.records.iter().try_for_each(|record| printer.one(record))?;
            return follow(&rest, &query, after, &mut printer).await;
        }
        printer.page(&page)
    })
}

/// The newest records, oldest first, from as many pages as it takes.
async fn newest(rest: &Rest, query: &AuditQuery, limit: usize) -> anyhow::Result<(AuditPage, u64)> {
    let mut all: Option<AuditPage> = None;
    let mut unreadable = 0;
    loop {
        let found = all.as_ref().map_or(0, |page| page.records.len());
        let before = all.as_ref().and_then(|page| page.older);
        let wanted = (limit - found).min(PAGE);
        let mut page: AuditPage =
            rest.walk(&path("/audit", &AuditQuery { before, limit: Some(wanted), ..query.clone() })?).await?;
        unreadable += page.unreadable;
        if let Some(newer) = all {
            page.records.extend(newer.records);
            page.newer = newer.newer;
        }
        if page.older.is_none() || page.records.len() >= limit {
            return Ok((page, unreadable));
        }
        all = Some(page);
    }
}

/// Tells records as they come, until somebody stops it. A stream that ends is opened again where it was.
async fn follow(
    rest: &Rest,
    query: &AuditQuery,
    mut after: u64,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    loop {
        let from_here = AuditQuery { follow: true, after: Some(after), ..query.clone() };
        match rest.events(&path("/audit", &from_here)?).await {
            Ok(mut events) => loop {
                match events.next::<AuditRecord>().await {
                    Ok(Some(record)) => {
                        after = record.sequence;
                        printer.one(&record)?;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        say(&format!("{error:#}; looking again"));
                        break;
                    }
                }
            },
            // Not reached: it may come back. Anything that it answers is an answer.
            Err(error) if matches!(exit::of(&error).0, Exit::Failed | Exit::TimedOut) => {
                say(&format!("{error:#}; trying again"));
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn phase(phase: Phase) -> AuditPhase {
    match phase {
        Phase::Decision => AuditPhase::Decision,
        Phase::End => AuditPhase::End,
        Phase::Change => AuditPhase::Change,
        Phase::SignIn => AuditPhase::SignIn,
        Phase::Read => AuditPhase::Read,
        Phase::Start => AuditPhase::Start,
        Phase::Stop => AuditPhase::Stop,
        Phase::Repair => AuditPhase::Repair,
        Phase::Trim => AuditPhase::Trim,
    }
}

struct Printer {
    output: Records,
    table: Table,
}

impl Printer {
    fn new(output: Records) -> Self {
        let heads =
            vec!["RECORD", "TIME", "PHASE", "USER", "CLUSTER", "VERB", "OBJECT", "OUTCOME", "REQUEST"];
        Self { output, table: Table::new(heads, true, Paint::output()) }
    }

    fn page(&mut self, page: &AuditPage) -> anyhow::Result<()> {
        match self.output {
            Records::Json => print_json(page),
            Records::Yaml => print_yaml(page),
            Records::Table if page.records.is_empty() => {
                say("no record says so");
                Ok(())
            }
            Records::Table => {
                let rows: Vec<_> = page.records.iter().map(row).collect();
                self.table.lines(&rows).iter().try_for_each(|line| print(line))
            }
        }
    }

    fn one(&mut self, record: &AuditRecord) -> anyhow::Result<()> {
        match self.output {
            Records::Json => print(&clean_json(&serde_json::to_string(record)?)),
            Records::Yaml => {
                print("---")?;
                print_yaml(record)
            }
            Records::Table => self.table.lines(&[row(record)]).iter().try_for_each(|line| print(line)),
        }
    }
}

fn row(record: &AuditRecord) -> Vec<Cell> {
    let event = &record.event;
    let (object, outcome, colour) = details(event);
    vec![
        Cell::new(record.sequence.to_string()),
        Cell::new(moment(record.time)),
        Cell::new(event.phase().as_str()),
        Cell::new(clip(event.user(), TEXT)),
        Cell::new(event.cluster().unwrap_or_default()),
        Cell::new(clip(event.verb().unwrap_or_default(), TEXT)),
        Cell::new(clip(&object, TEXT)),
        Cell::new(clip(&outcome, TEXT)).coloured(colour),
        Cell::new(event.request()),
    ]
}

/// What it was about, and how it went.
fn details(event: &AuditEvent) -> (String, String, Option<Colour>) {
    let went = |ok: bool| Some(if ok { Colour::Green } else { Colour::Red });
    match event {
        AuditEvent::Start(gateway) | AuditEvent::Stop(gateway) => {
            (gateway.version.clone(), String::new(), None)
        }
        AuditEvent::SignIn(event) => {
            let outcome = if event.ok { "ok".to_owned() } else { format!("denied: {}", event.why) };
            (event.how.clone(), outcome, went(event.ok))
        }
        AuditEvent::Decision(event) => {
            let outcome = if event.allowed { "allowed".to_owned() } else { format!("denied: {}", event.why) };
            (object(&event.object), outcome, went(event.allowed))
        }
        AuditEvent::End(event) => {
            let reason = if event.reason.is_empty() { String::new() } else { format!(" {}", event.reason) };
            let (ms, sent) = (event.ms, event.sent);
            (format!("{sent} bytes, {ms} ms"), format!("{}{reason}", event.status), went(event.status < 400))
        }
        AuditEvent::Change(event) => match &event.failed {
            Some(why) => (event.subject.clone(), format!("failed: {why}"), Some(Colour::Red)),
            None => (event.subject.clone(), String::new(), None),
        },
        AuditEvent::Read(event) => (event.query.clone(), String::new(), None),
        AuditEvent::Repair(event) => match &event.recording {
            Some(recording) => (format!("recording {}", recording.id), String::new(), Some(Colour::Yellow)),
            None => (format!("{} bytes of a line", event.cut), String::new(), Some(Colour::Yellow)),
        },
        AuditEvent::Trim(event) => (
            format!("records to {}, {} recordings", event.through, event.recordings.len()),
            String::new(),
            None,
        ),
    }
}

/// As people write it: `default/pods/web-0/exec`; the path of what is no resource.
fn object(object: &AuditObject) -> String {
    if object.resource.is_empty() {
        return object.path.clone();
    }
    let resource = match object.api_group.as_str() {
        "" => object.resource.clone(),
        group => format!("{}.{group}", object.resource),
    };
    let parts = [&object.namespace, &resource, &object.name, &object.subresource];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_a_path_and_an_object_is_written_as_people_do() {
        let query = AuditQuery {
            user: Some("jo & co".into()),
            allowed: Some(false),
            after: Some(3),
            ..AuditQuery::default()
        };
        assert_eq!(path("/audit", &query).unwrap(), "/audit?after=3&allowed=false&user=jo+%26+co");
        let deployment = AuditObject {
            api_group: "apps".into(),
            resource: "deployments".into(),
            namespace: "web".into(),
            name: "front".into(),
            ..AuditObject::default()
        };
        assert_eq!(object(&deployment), "web/deployments.apps/front");
    }

    #[test]
    fn times_are_moments_or_how_long_ago() {
        let now = "2026-05-01T08:00:00Z".parse().unwrap();
        assert_eq!(time("--since", "90m", now).unwrap(), "2026-05-01T06:30:00Z".parse().unwrap());
        assert_eq!(time("--since", "2026-01-01T00:00:00Z", now).unwrap().to_string(), "2026-01-01T00:00:00Z");
        assert!(time("--since", "soon", now).is_err());
    }
}
