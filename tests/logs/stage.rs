//! What every test here has: the parts, a folder, and a file of lines that a shipper follows.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use trunkline_tests::real_parts::Parts;

/// The parts and a folder. The folder is left for reading unless the test says that it passed.
pub(crate) struct Stage {
    pub(crate) parts: Parts,
    folder: tempfile::TempDir,
    passed: bool,
}

impl Stage {
    /// None where the parts cannot be had and need not be.
    pub(crate) async fn set() -> Option<Self> {
        let parts = Parts::wanted_by("logs").await?;
        Some(Self { parts, folder: tempfile::tempdir().unwrap(), passed: false })
    }

    /// A folder in the stage's own, made if it is not there.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The last word of a test.
    pub(crate) fn passed(mut self) -> Result<()> {
        self.passed = true;
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !self.passed {
            self.folder.disable_cleanup(true);
            let words = format!("logs: what ran is in {}\n", self.folder.path().display());
            let _ = std::io::stderr().write_all(words.as_bytes());
        }
    }
}

/// The numbered line of a file.
pub(crate) fn line(number: usize) -> String {
    format!("line {number:06} of the file")
}

/// Appends the numbered lines to a file, as one write.
pub(crate) fn append_lines(file: &Path, numbers: RangeInclusive<usize>) -> Result<()> {
    append(file, &numbers.map(|number| line(number) + "\n").collect::<String>())
}

/// Appends lines to a file, as one write.
pub(crate) fn append(file: &Path, text: &str) -> Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
