//! What the product logged, for tests that count lines or look for a reason.
//!
//! The subscriber is the process's: tests that run side by side share it, and each looks for lines of its own by
//! a path, a cluster or an address that no other uses.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// How many lines are kept; older ones go first.
const KEPT: usize = 200_000;

/// The lines of the process so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    lines: Arc<Mutex<VecDeque<Line>>>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its target; `access` for the access log, `audit` for the audit log.
    pub target: String,
    /// Its level, e.g. `WARN`.
    pub level: &'static str,
    /// Its message.
    pub message: String,
    fields: Vec<(String, String)>,
}

impl Line {
    /// A field's value as text; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    /// The whole line as text.
    pub fn text(&self) -> String {
        let mut text = format!("{} {} {}", self.level, self.target, self.message);
        for (name, value) in &self.fields {
            let _ = write!(text, " {name}={value}");
        }
        text
    }
}

impl Logs {
    /// Begins to collect, if no test has yet.
    pub fn capture() -> Self {
        static LOGS: OnceLock<Logs> = OnceLock::new();
        LOGS.get_or_init(|| {
            let logs = Self::default();
            let subscriber = tracing_subscriber::registry().with(Collect(logs.clone()));
            tracing::subscriber::set_global_default(subscriber).expect("the process's only subscriber");
            logs
        })
        .clone()
    }

    /// The lines that `wanted` says yes to.
    pub fn find(&self, wanted: impl Fn(&Line) -> bool) -> Vec<Line> {
        self.lines.lock().unwrap().iter().filter(|line| wanted(line)).cloned().collect()
    }

    /// The access-log lines whose path holds `part`.
    pub fn access(&self, part: &str) -> Vec<Line> {
        self.find(|line| line.target == "access" && line.field("path").contains(part))
    }

    /// Whether a line holds all of `parts`, in any order.
    pub fn says(&self, parts: &[&str]) -> bool {
        !self.find(|line| parts.iter().all(|part| line.text().contains(part))).is_empty()
    }
}

struct Collect(Logs);

impl<S: Subscriber> Layer<S> for Collect {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        let target = metadata.target();
        let ours = target.starts_with("trunkline") || target == "access" || target == "audit";
        ours && *metadata.level() <= tracing::Level::DEBUG
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            target: event.metadata().target().to_owned(),
            level: event.metadata().level().as_str(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut line);
        let mut lines = self.0.lines.lock().unwrap();
        if lines.len() >= KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

impl Line {
    fn put(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.message = value;
        } else {
            self.fields.push((field.name().to_owned(), value));
        }
    }
}
