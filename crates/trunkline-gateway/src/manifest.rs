//! What is installed in a managed cluster, as a manifest for `kubectl apply -f` and as values for Helm.
//!
//! The chart `deploy/helm/trunkline-agent` is the only source of both: it is compiled in, served to Helm as it is, and
//! rendered here for kubectl. So its templates keep to a small part of what Helm understands, which [`template`] names.
//!
//! ```text
//! ManifestOptions ─ check ─ Values ─┬─ render       the manifest, its namespace included
//!                                   └─ values_yaml  what Helm's -f takes; the same objects
//! ```
//!
//! Invariants:
//! - every text in a manifest is quoted, so that no value becomes anything but itself;
//! - what is rendered here and what Helm renders of the same values are the same objects;
//! - nothing in the chart but the values differs between two clusters.

mod chart;
mod template;
mod values;

use serde_json::json;

pub(crate) use chart::chart_tgz;
pub(crate) use values::{Values, any_group, check, check_image, values_yaml};

/// The namespace that everything goes to.
pub(crate) const NAMESPACE: &str = "trunkline";

/// Why there is no manifest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    /// A value that cannot be: for whoever asked.
    #[error("{field} {value:?} {why}")]
    Value {
        /// The field, as the REST API has it.
        field: &'static str,
        /// What it was, or its beginning.
        value: String,
        /// What is wrong with it, and what to write.
        why: &'static str,
    },
    /// A template that this build cannot render: a mistake of ours.
    #[error("the built-in chart cannot be rendered: {file}, line {line}: {what}")]
    Template {
        /// The template.
        file: &'static str,
        /// The line.
        line: usize,
        /// What is wrong there.
        what: String,
    },
    /// The chart cannot be packed: a mistake of ours.
    #[error("the built-in chart cannot be packed")]
    Archive(#[from] std::io::Error),
}

/// The whole manifest for `kubectl apply -f`. It holds the join token.
pub(crate) fn render(values: &Values) -> Result<String, ManifestError> {
    let values = values.with_namespace();
    let scope = json!({
        "Values": values,
        "Release": { "Namespace": NAMESPACE },
        "Chart": { "Version": chart::VERSION },
    });
    let mut text = format!(
        "# The agent of the cluster {}, and what it needs. Holds a join token: keep it to yourself until it was used.\n",
        values.cluster()
    );
    for (file, source) in chart::templates() {
        let rendered = template::render(source, &scope)
            .map_err(|template::Fault { line, what }| ManifestError::Template { file, line, what })?;
        for document in documents(&rendered) {
            text.push_str("---\n");
            text.push_str(&document);
        }
    }
    Ok(text)
}

/// The documents of a YAML text that hold something.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        match documents.last_mut() {
            Some(document) if line != "---" => {
                document.push_str(line);
                document.push('\n');
            }
            _ => documents.push(String::new()),
        }
    }
    let says_something = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    documents.retain(|document| document.lines().any(says_something));
    documents.iter().map(|document| format!("{}\n", document.trim_matches('\n'))).collect()
}

#[cfg(test)]
mod tests;
