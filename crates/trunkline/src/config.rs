//! Configuration files: YAML, bounded, with errors that name the file, the line and the field.

use std::path::Path;

use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;

/// The largest configuration file, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// Reads a configuration file. Relative paths in it are relative to the working folder.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    parse(&read(path)?, path)
}

/// Reads a configuration file's text.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .with_context(|| format!("cannot read the configuration {shown}; does the file exist?"))?
        .len();
    if size > MAX_FILE {
        bail!("the configuration {shown} is {size} bytes long, more than {MAX_FILE}");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read the configuration {shown} as text"))
}

/// Parses a configuration's text; `path` is for the errors.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> anyhow::Result<T> {
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.strip_prefix("error: ").unwrap_or(&message);
        // The parser shows the lines around the mistake. A URL with a password could be among them.
        let shown = if text.contains('@') { message.lines().next().unwrap_or_default() } else { message };
        anyhow::anyhow!("the configuration {} is not usable: {}", path.display(), shown.trim())
    })
}
