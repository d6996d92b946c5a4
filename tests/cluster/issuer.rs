//! Dex as a gateway's issuer, and a browser that signs in there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::command::{Call, Process, until, write_script};
use crate::parts::{free_port, scripts};
use crate::stage::Stage;

const COMES_UP: Duration = Duration::from_secs(10);
const SIGNS_IN: Duration = Duration::from_secs(100);
/// The one person that Dex knows, and the password whose bcrypt hash it is given.
pub(crate) const USER: &str = "alice@example.com";
pub(crate) const PASSWORD: &str = "password";
const HASH: &str = "$2b$10$46oy6FbBarwMbUX4itbF0.MEB1R5tv4eP2AGXI3QUeYeDxDQ6N//a";
/// The secret of the gateway's client.
const SECRET: &str = "of-the-gateway";

/// A running Dex.
pub(crate) struct Dex {
    pub(crate) process: Process,
    folder: PathBuf,
    url: String,
    /// Where the command line takes browsers back.
    pub(crate) callback: u16,
}

impl Dex {
    /// Starts one for a gateway at this front door, whose ID tokens are good for 65 s.
    pub(crate) async fn start(stage: &Stage, folder: &Path, front: &str) -> Result<Self> {
        let (port, callback) = (free_port()?, free_port()?);
        let url = format!("https://127.0.0.1:{port}/dex");
        stage.papers.server(folder, "dex")?;
        let config = folder.join("dex.yaml");
        let text = format!(
            "issuer: {url}\nstorage: {{type: memory}}\n\
             web: {{https: \"127.0.0.1:{port}\", tlsCert: {cert}, tlsKey: {key}}}\n\
             oauth2: {{skipApprovalScreen: true, responseTypes: [code]}}\n\
             expiry: {{idTokens: 65s}}\nenablePasswordDB: true\n\
             staticPasswords:\n- {{email: {USER}, hash: \"{HASH}\", username: alice, userID: a1}}\n\
             staticClients:\n\
             - {{id: trunkline, name: gateway, secret: {SECRET}, redirectURIs: [\"{front}/trunkline/v1/auth/callback\"]}}\n\
             - {{id: cli, name: cli, public: true, redirectURIs: [\"http://127.0.0.1:{callback}/callback\"]}}\n",
            cert = folder.join("dex.pem").display(),
            key = folder.join("dex.key").display(),
        );
        std::fs::write(&config, text)?;
        std::fs::write(folder.join("secret"), SECRET)?;
        let process = Call::new(stage.parts.bin("dex")).arg("serve").arg(&config).start(folder, "dex")?;
        let dex = Self { process, folder: folder.to_owned(), url, callback };
        until("Dex describes itself", COMES_UP, async || {
            let asked = format!("{}/.well-known/openid-configuration", dex.url);
            let ca = stage.papers.file("front-ca.pem");
            let answer = Call::new("curl")
                .args(["-sf", "--max-time", "2", "--cacert"])
                .arg(ca)
                .arg(asked)
                .run()
                .await?;
            Ok((answer.code == Some(0)).then_some(()))
        })
        .await
        .with_context(|| dex.process.log())?;
        Ok(dex)
    }

    /// What a gateway's configuration says of it.
    pub(crate) fn config(&self, stage: &Stage) -> String {
        format!(
            "authn:\n  issuers:\n  - name: dex\n    url: {}\n    client_id: trunkline\n    client_secret_file: {}\n    \
             cli_client_id: cli\n    ca: {}\n    username_claim: email\n    \
             scopes: [openid, email, offline_access]\n    roles: {{viewers: {{users: [\"{USER}\"]}}}}\n",
            self.url,
            self.folder.join("secret").display(),
            stage.papers.file("front-ca.pem").display(),
        )
    }

    /// A browser, to be started by its name with the address of a page.
    pub(crate) fn browser(&self, stage: &Stage) -> Result<PathBuf> {
        let path = self.folder.join("browser");
        let script = format!(
            "BROWSER_USER={USER} BROWSER_PASSWORD={PASSWORD} exec {} {} \"$1\" >>{} 2>&1\n",
            stage.parts.python().display(),
            scripts().join("browser.py").display(),
            self.folder.join("browser.log").display(),
        );
        write_script(&path, &script)?;
        Ok(path)
    }

    /// What the browser has said so far.
    pub(crate) fn browser_log(&self) -> String {
        std::fs::read_to_string(self.folder.join("browser.log")).unwrap_or_default()
    }

    /// Signs in on a page of the gateway: where the browser came out, and what it got at `path` there.
    pub(crate) async fn visit(&self, stage: &Stage, url: &str, path: &str) -> Result<Value> {
        let said = Call::new(stage.parts.python())
            .arg(scripts().join("browser.py"))
            .arg(url)
            .env("BROWSER_USER", USER)
            .env("BROWSER_PASSWORD", PASSWORD)
            .env("BROWSER_FETCH", path)
            .within(SIGNS_IN)
            .text()
            .await?;
        serde_json::from_str(said.trim()).with_context(|| said)
    }
}
