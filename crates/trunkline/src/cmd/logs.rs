//! `trunkline logs`: the clusters' records, from the central store and as they arrive.

mod follow;
mod status;

use jiff::Timestamp;
use trunkline_api::{LogHistogram, LogPage, LogQuery, LogRecord, LogTop};

use crate::cli::{LogsArgs, LogsOutput};
use crate::cmd::{ask, gateway_api, path, print, print_json, say, time};
use crate::rest::Rest;
use crate::table::{Cell, Table};
use crate::words::{Colour, Paint, clean, clean_json, moment};

pub(crate) use status::standings;

/// How many records are asked for at once.
const PAGE: usize = 1_000;
/// How wide the longest bar of a histogram is, in characters.
const BAR: u64 = 50;

pub(crate) fn run(args: &LogsArgs) -> anyhow::Result<()> {
    let rest = gateway_api(&args.sign_in)?;
    if args.status {
        return ask("trunkline logs --status", status::tell(&rest, args.output));
    }
    let now = Timestamp::now();
    let query = LogQuery {
        q: args.query.join(" "),
        clusters: args.cluster.join(","),
        selector: args.selector.clone().unwrap_or_default(),
        from: Some(time("--since", &args.since, now)?),
        to: args.until.as_deref().map(|when| time("--until", when, now)).transpose()?,
        ..LogQuery::default()
    };
    let mut printer = Printer::new(args.output);
    ask("trunkline logs", async {
        if let Some(field) = &args.top {
            return top(
                &rest,
                LogQuery { field: Some(field.clone()), limit: Some(20), ..query },
                args.output,
            )
            .await;
        }
        if args.histogram {
            return histogram(&rest, &query, args.output).await;
        }
        if args.follow {
            return follow::run(&rest, &query, args.limit as usize, &mut printer).await;
        }
        let found = newest(&rest, &query, args.limit as usize).await?;
        if found.is_empty() {
            say("no record says so; --since 1d looks further back");
        }
        found.iter().try_for_each(|record| printer.one(record))
    })
}

/// The newest records, oldest first, from as many pages as it takes.
async fn newest(rest: &Rest, query: &LogQuery, limit: usize) -> anyhow::Result<Vec<LogRecord>> {
    let mut all = Vec::new();
    let mut after = None;
    while all.len() < limit {
        let wanted = (limit - all.len()).min(PAGE);
        let page: LogPage =
            rest.walk(&path("/logs", &LogQuery { after, limit: Some(wanted), ..query.clone() })?).await?;
        if let Some(why) = page.partial {
            say(&format!("not all was searched: {why}"));
        }
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    all.reverse();
    Ok(all)
}

async fn top(rest: &Rest, query: LogQuery, output: LogsOutput) -> anyhow::Result<()> {
    let top: LogTop = rest.get(&path("/logs/top", &query)?).await?;
    if output == LogsOutput::Json {
        return print_json(&top);
    }
    let rows: Vec<Vec<Cell>> =
        top.values.iter().map(|one| vec![Cell::new(one.count.to_string()), Cell::new(&one.value)]).collect();
    let mut table = Table::new(vec!["RECORDS", "VALUE"], true, Paint::output());
    table.lines(&rows).iter().try_for_each(|line| print(line))?;
    say(&format!("{} records say something of {}", top.with, top.field));
    Ok(())
}

async fn histogram(rest: &Rest, query: &LogQuery, output: LogsOutput) -> anyhow::Result<()> {
    let query = LogQuery { slices: Some(40), ..query.clone() };
    let histogram: LogHistogram = rest.get(&path("/logs/histogram", &query)?).await?;
    if output == LogsOutput::Json {
        return print_json(&histogram);
    }
    let most = histogram.slices.iter().map(|slice| slice.count).max().unwrap_or_default().max(1);
    histogram.slices.iter().try_for_each(|slice| {
        // At most BAR.
        let bar = "#".repeat((slice.count.saturating_mul(BAR) / most) as usize);
        print(&format!("{}  {:>9}  {bar}", moment(slice.begins), slice.count))
    })
}

/// Prints records one by one.
struct Printer {
    output: LogsOutput,
    paint: Paint,
}

impl Printer {
    fn new(output: LogsOutput) -> Self {
        Self { output, paint: Paint::output() }
    }

    fn one(&mut self, record: &LogRecord) -> anyhow::Result<()> {
        match self.output {
            LogsOutput::Json => print(&clean_json(&serde_json::to_string(record)?)),
            LogsOutput::Message => print(&clean(&record.message)),
            LogsOutput::Text => print(&self.line(record)),
        }
    }

    /// `2026-11-27T03:15:00.250Z prod-eu shop/web-0 error: what it says`.
    fn line(&self, record: &LogRecord) -> String {
        let facet = |name: &str| record.facets.get(name).map(|value| clean(value)).unwrap_or_default();
        let place = match (facet("namespace"), facet("pod")) {
            (namespace, pod) if !pod.is_empty() => format!("{namespace}/{pod}"),
            _ if !facet("app").is_empty() => facet("app"),
            _ => facet("node"),
        };
        let level = facet("level");
        let colour = match level.as_str() {
            "error" | "err" | "fatal" | "critical" | "panic" => Some(Colour::Red),
            "warn" | "warning" => Some(Colour::Yellow),
            _ => None,
        };
        let level = if level.is_empty() { level } else { format!("{level}: ") };
        let said = self.paint.paint(&format!("{level}{}", clean(&record.message)), colour);
        let cluster = self.paint.paint(&clean(&record.cluster), Some(Colour::Green));
        format!("{:.3} {cluster} {place} {said}", record.time)
    }
}
