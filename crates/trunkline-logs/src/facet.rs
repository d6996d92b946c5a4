//! The few things that most records say in some way, under one name each: what people filter and count by.
//!
//! They are as good as who wrote the fields: a shipper that merges an application's JSON at the root lets the application say
//! them. A record that came by OTLP has nothing of its application's at the root, so its resource alone says them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest value of a facet, in bytes; a longer one is none.
const MAX_VALUE: usize = 253;

/// One of the things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Facet {
    /// How bad it is, in lower case: `error`, `warn`, `info`.
    Level,
    /// Which application says it.
    App,
    /// In which namespace.
    Namespace,
    /// In which pod.
    Pod,
    /// In which container.
    Container,
    /// On which node.
    Node,
}

/// Why a text names no [`Facet`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of level, app, namespace, pod, container and node")]
pub struct InvalidFacet(String);

impl Facet {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Level, Self::App, Self::Namespace, Self::Pod, Self::Container, Self::Node];

    /// Its name, in filters, stores and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::App => "app",
            Self::Namespace => "namespace",
            Self::Pod => "pod",
            Self::Container => "container",
            Self::Node => "node",
        }
    }

    /// Where shippers say it, the best first; a step is a field, a dotted name one whose name has dots.
    fn said(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Level => &[
                &["log.level"],
                &["log", "level"],
                &["level"],
                &["severity"],
                &["severity_text"],
                &["loglevel"],
                &["syslogseverity-text"],
            ],
            Self::App => &[
                &["kubernetes", "labels", "app.kubernetes.io/name"],
                &["kubernetes", "labels", "app_kubernetes_io/name"],
                &["kubernetes", "labels", "app"],
                &["kubernetes", "labels", "k8s-app"],
                &["service.name"],
                &["service", "name"],
                &["resource", "service.name"],
                &["app"],
                &["programname"],
                &["app-name"],
                &["appname"],
                &["process", "name"],
            ],
            Self::Namespace => &[
                &["kubernetes", "namespace"],
                &["kubernetes", "namespace_name"],
                &["kubernetes", "pod_namespace"],
                &["kubernetes.namespace"],
                &["k8s.namespace.name"],
                &["resource", "k8s.namespace.name"],
                &["namespace"],
            ],
            Self::Pod => &[
                &["kubernetes", "pod", "name"],
                &["kubernetes", "pod_name"],
                &["kubernetes.pod.name"],
                &["k8s.pod.name"],
                &["resource", "k8s.pod.name"],
                &["pod"],
            ],
            Self::Container => &[
                &["kubernetes", "container", "name"],
                &["kubernetes", "container_name"],
                &["kubernetes.container.name"],
                &["k8s.container.name"],
                &["resource", "k8s.container.name"],
                &["container", "name"],
                &["container"],
            ],
            Self::Node => &[
                &["kubernetes", "node", "name"],
                &["kubernetes", "host"],
                &["kubernetes", "pod_node_name"],
                &["k8s.node.name"],
                &["resource", "k8s.node.name"],
                &["host", "name"],
                &["host.name"],
                &["hostname"],
                &["host"],
                &["node"],
            ],
        }
    }
}

impl FromStr for Facet {
    type Err = InvalidFacet;

    fn from_str(text: &str) -> Result<Self, InvalidFacet> {
        let named = Self::ALL.into_iter().find(|facet| facet.name() == text);
        named.ok_or_else(|| InvalidFacet(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Facet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a document says of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets([Option<String>; Facet::ALL.len()]);

impl Facets {
    /// What the fields of a record say.
    pub(crate) fn of(fields: &Map<String, Value>) -> Self {
        Self(Facet::ALL.map(|facet| {
            let value = facet.said().iter().find_map(|path| text(fields, path))?;
            Some(if facet == Facet::Level { value.to_lowercase() } else { value })
        }))
    }

    /// What is said of one.
    pub fn get(&self, facet: Facet) -> Option<&str> {
        self.0[facet as usize].as_deref()
    }

    /// Those of which something is said.
    pub fn iter(&self) -> impl Iterator<Item = (Facet, &str)> {
        Facet::ALL.into_iter().filter_map(|facet| Some((facet, self.get(facet)?)))
    }
}

/// The text at a path; none if it is empty, too long, or no text.
fn text(fields: &Map<String, Value>, path: &[&str]) -> Option<String> {
    let (last, before) = path.split_last()?;
    let mut fields = fields;
    for step in before {
        fields = fields.get(*step)?.as_object()?;
    }
    let value = fields.get(*last)?.as_str()?.trim();
    (!value.is_empty() && value.len() <= MAX_VALUE).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facets(value: Value) -> Vec<String> {
        let Value::Object(fields) = value else { panic!("an object") };
        Facets::of(&fields).iter().map(|(facet, value)| format!("{facet}={value}")).collect()
    }

    #[test]
    fn what_each_shipper_says_has_one_name() {
        let kubernetes = json!({"kubernetes": {
            "namespace_name": "shop", "pod_name": "web-0", "container_name": "web", "host": "n1",
            "labels": {"app": "web"},
        }, "level": "WARN"});
        let all = ["level=warn", "app=web", "namespace=shop", "pod=web-0", "container=web", "node=n1"];
        assert_eq!(facets(kubernetes), all);
        let filebeat = json!({"kubernetes": {
            "namespace": "shop", "pod": {"name": "web-0"}, "container": {"name": "web"}, "node": {"name": "n1"},
            "labels": {"app_kubernetes_io/name": "web"},
        }, "log.level": "warn"});
        assert_eq!(facets(filebeat), all);
        let otlp = json!({"resource": {
            "k8s.namespace.name": "shop", "k8s.pod.name": "web-0", "k8s.container.name": "web", "k8s.node.name": "n1",
        }, "service.name": "web", "severity_text": "Warn"});
        assert_eq!(facets(otlp), all);
        assert_eq!(
            facets(json!({"host": {"name": "n1"}, "pod": 7, "app": "", "level": "x".repeat(300)})),
            ["node=n1"]
        );
    }

    #[test]
    fn an_otlp_records_own_fields_say_nothing_of_where_it_comes_from() {
        let forged = json!({"kubernetes": {"namespace": "forged"}, "kubernetes.namespace": "forged", "namespace": "forged",
            "k8s.namespace.name": "forged", "resource": {"k8s.namespace.name": "forged"}, "service.name": "forged"});
        let mut record = json!({"attributes": forged, "message": forged.to_string(), "event.name": "namespace",
            "scope": {"name": "namespace"}, "resource": {"k8s.namespace.name": "shop", "service.name": "web"}});
        assert_eq!(facets(record.clone()), ["app=web", "namespace=shop"]);
        record["resource"] = json!({});
        assert_eq!(facets(record), Vec::<String>::new());
    }

    #[test]
    fn a_facet_is_read_by_its_name() {
        for facet in Facet::ALL {
            assert_eq!(facet.name().parse(), Ok(facet));
        }
        assert!("Level".parse::<Facet>().is_err());
    }
}
