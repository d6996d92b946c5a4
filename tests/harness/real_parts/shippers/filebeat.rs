//! Filebeat with its default settings, as a user has it who only names the file and the output.
//!
//! So it asks for the licence, for ILM and for its index template before it writes.

use crate::command::Process;
use crate::real_parts::Parts;
use anyhow::Result;

use super::{Shipping, stopped};
use crate::command::tied;

/// A running Filebeat. Dropping it kills it; what was not acknowledged is sent again by the next.
#[derive(Debug)]
pub struct Filebeat {
    process: Process,
}

impl Filebeat {
    /// The indexes that it names, one for each day.
    pub const INDEX: &str = "filebeat-*";

    /// Starts it and looks no further.
    pub fn start(parts: &Parts, shipping: Shipping<'_>) -> Result<Self> {
        let login =
            shipping.login.map(|(user, password)| format!("  username: {user}\n  password: {password}\n"));
        let text = format!(
            "filebeat.inputs:\n- {{type: filestream, id: the-file, paths: [{file}]}}\n\
             path.home: {folder}\nlogging.to_stderr: true\n\
             output.elasticsearch:\n  hosts: [\"{url}\"]\n  backoff: {{init: 200ms, max: 2s}}\n{login}",
            folder = shipping.folder.display(),
            file = shipping.file.display(),
            url = shipping.url,
            login = login.unwrap_or_default(),
        );
        let config = shipping.folder.join("filebeat.yml");
        std::fs::write(&config, text)?;
        let process = tied(parts.bin("filebeat"))
            .args(["--strict.perms=false", "-c"])
            .arg(config)
            .start(shipping.folder, "filebeat")?;
        Ok(Self { process })
    }

    /// Its process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn pid(&self) -> Result<u32> {
        self.process.pid()
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(self) -> Result<()> {
        stopped(self.process).await
    }
}
