//! The agent's chart, compiled in.
//!
//! Invariant: its version is this build's, so that what a gateway serves fits the agents that it knows.

use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};

use super::ManifestError;

/// The chart's name, which is its folder's in an archive.
const NAME: &str = "trunkline-agent";
/// The chart's version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Where a chart's templates are.
const TEMPLATES: &str = "templates/";

/// The chart's files, in the order in which they are to be applied.
pub(super) const FILES: &[(&str, &str)] = &[
    ("Chart.yaml", include_str!("../../../../deploy/helm/trunkline-agent/Chart.yaml")),
    ("values.yaml", include_str!("../../../../deploy/helm/trunkline-agent/values.yaml")),
    (".helmignore", include_str!("../../../../deploy/helm/trunkline-agent/.helmignore")),
    (
        "templates/namespace.yaml",
        include_str!("../../../../deploy/helm/trunkline-agent/templates/namespace.yaml"),
    ),
    ("templates/access.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/access.yaml")),
    (
        "templates/bindings.yaml",
        include_str!("../../../../deploy/helm/trunkline-agent/templates/bindings.yaml"),
    ),
    (
        "templates/identity.yaml",
        include_str!("../../../../deploy/helm/trunkline-agent/templates/identity.yaml"),
    ),
    ("templates/join.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/join.yaml")),
    ("templates/config.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/config.yaml")),
    (
        "templates/network.yaml",
        include_str!("../../../../deploy/helm/trunkline-agent/templates/network.yaml"),
    ),
    ("templates/pods.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/pods.yaml")),
    ("templates/logs.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/logs.yaml")),
    ("templates/tail.yaml", include_str!("../../../../deploy/helm/trunkline-agent/templates/tail.yaml")),
    ("templates/NOTES.txt", include_str!("../../../../deploy/helm/trunkline-agent/templates/NOTES.txt")),
];

/// The templates that make objects.
pub(super) fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    let object = |name: &str| name.starts_with(TEMPLATES) && name.ends_with(".yaml");
    FILES.iter().copied().filter(move |(name, _)| object(name))
}

/// The chart as Helm takes it, the same bytes each time: packed once, since anybody may ask for it.
pub(crate) fn chart_tgz() -> Result<Bytes, ManifestError> {
    static PACKED: OnceLock<Bytes> = OnceLock::new();
    if let Some(packed) = PACKED.get() {
        return Ok(packed.clone());
    }
    let packed = pack()?;
    Ok(PACKED.get_or_init(|| packed).clone())
}

fn pack() -> Result<Bytes, ManifestError> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, Path::new(NAME).join(name), text.as_bytes())?;
    }
    let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    packed.write_all(&archive.into_inner()?)?;
    Ok(packed.finish()?.into())
}
