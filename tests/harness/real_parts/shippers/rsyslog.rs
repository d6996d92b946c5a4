//! rsyslog with omelasticsearch, as Debian has it.
//!
//! It loses what is answered by 429 or 503, of a request or of an item (`tests/harness/shippers/README.md`); what it
//! loses stands in `errors.json`. The action has no queue of its own: rsyslog throws away what such a queue cannot
//! take within `queue.timeoutEnqueue`, 2 s when nothing is said, while without one it stops reading the file. Its main queue
//! is longer than any file here: when that is 70 % full, 35,000 lines by default, it reads on at some hundred lines a second. The id
//! of a document is the line's: sent again, it is not a second one.

use crate::command::Process;
use anyhow::{Context as _, Result};

use super::{Shipping, stopped};
use crate::command::tied;

/// A running rsyslog. Dropping it kills it, with the lines in its memory.
#[derive(Debug)]
pub struct Rsyslog {
    process: Process,
    errors: std::path::PathBuf,
}

impl Rsyslog {
    /// The index that it names.
    pub const INDEX: &str = "logs-rsyslog";

    /// Starts it and looks no further.
    pub fn start(shipping: Shipping<'_>) -> Result<Self> {
        let url: http::Uri = shipping.url.parse()?;
        let (host, port) = url.host().zip(url.port_u16()).context("host and port of an intake")?;
        let login = shipping.login.map(|(user, password)| format!("uid=\"{user}\" pwd=\"{password}\""));
        let errors = shipping.folder.join("errors.json");
        let text = format!(
            r#"global(workDirectory="{folder}")
main_queue(queue.type="LinkedList" queue.size="1000000")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="id" type="string" string="%uuid%")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
}}
input(type="imfile" File="{file}" Tag="file:" ruleset="ship")
ruleset(name="ship") {{
  action(type="omelasticsearch" server="{host}" serverport="{port}" {login}
    template="document" searchIndex="{index}" searchType="" bulkmode="on"
    writeOperation="create" dynBulkId="on" bulkId="id" errorFile="{errors}"
    action.resumeRetryCount="-1" action.resumeInterval="1")
}}
"#,
            folder = shipping.folder.display(),
            file = shipping.file.display(),
            login = login.unwrap_or_default(),
            index = Self::INDEX,
            errors = errors.display(),
        );
        let config = shipping.folder.join("rsyslog.conf");
        std::fs::write(&config, text)?;
        let process =
            tied("rsyslogd").args(["-n", "-iNONE", "-f"]).arg(config).start(shipping.folder, "rsyslog")?;
        Ok(Self { process, errors })
    }

    /// What it has given up, with the reasons.
    pub fn given_up(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
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
