//! How far each file is read, on the disk: written beside, synced, and put in its place by its name.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::error;

use crate::follow::Cut;
use crate::tracked::Kept;

const VERSION: u32 = 1;

/// All that is known of files.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    version: u32,
    pub(crate) files: Vec<Kept>,
    pub(crate) cuts: Vec<Cut>,
}

impl Checkpoint {
    pub(crate) fn new(files: Vec<Kept>, cuts: Vec<Cut>) -> Self {
        Self { version: VERSION, files, cuts }
    }

    /// Reads it; empty if there is none. One that cannot be read is put aside, and files are read from their beginning: what was
    /// handed in already is known by its `_id`.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::new(Vec::new(), Vec::new()));
            }
            Err(error) => return Err(error),
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(read) if read.version == VERSION => Ok(read),
            broken => {
                let why =
                    broken.err().map_or_else(|| "it is of another version".into(), |error| error.to_string());
                let aside = beside(path, "broken");
                error!(checkpoint = %path.display(), why, aside = %aside.display(), "the checkpoint cannot be read; all files are read again");
                fs::rename(path, aside)?;
                Ok(Self::new(Vec::new(), Vec::new()))
            }
        }
    }

    /// Puts it in the place of the one before; durable when this returns.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let new = beside(path, "new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_that_cannot_be_read_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.json");
        assert!(Checkpoint::read(&path).unwrap().files.is_empty());
        Checkpoint::new(Vec::new(), Vec::new()).write(&path).unwrap();
        assert!(Checkpoint::read(&path).unwrap().cuts.is_empty());
        for broken in ["", "{", r#"{"version":2,"files":[],"cuts":[]}"#] {
            fs::write(&path, broken).unwrap();
            assert!(Checkpoint::read(&path).unwrap().files.is_empty());
            assert_eq!(fs::read_to_string(folder.path().join("checkpoint.json.broken")).unwrap(), broken);
            assert!(!path.exists());
        }
    }
}
