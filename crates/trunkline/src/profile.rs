//! What is remembered between commands: which gateways somebody signed in at, and where the papers for it lie.
//!
//! Invariants: paths are kept, never what the files hold; the file is its owner's alone and is replaced whole. Tokens lie
//! in files of their own beside it, as private.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use trunkline_proto::ClusterId;

use crate::write;

/// The most gateways that are remembered.
const MOST: usize = 256;
/// The most tokens for clusters that are remembered of one gateway.
const MOST_CLUSTER_TOKENS: usize = 1_000;

/// All that is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The name of the gateway that commands go to.
    #[serde(default)]
    pub(crate) current: String,
    /// The gateways.
    #[serde(default)]
    pub(crate) gateways: Vec<Profile>,
    /// The kubectl context before the last `use`, for `use -`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) previous_context: String,
}

/// One gateway and what to sign in there with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Profile {
    /// What it is called here.
    pub(crate) name: String,
    /// Its front door, `https://host:port`.
    pub(crate) gateway: String,
    /// PEM: the roots of its certificate.
    pub(crate) ca: PathBuf,
    /// PEM: the client certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<PathBuf>,
    /// PEM: the client certificate's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
    /// A file with a token that somebody else keeps good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// The file of tokens that `login` got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<PathBuf>,
    /// Files with tokens that are made for clusters in pass-through mode, by the clusters' names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) cluster_tokens: BTreeMap<ClusterId, PathBuf>,
}

/// What says who somebody is. Files, never what they hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A client certificate and its key, PEM.
    Certificate { certificate: PathBuf, key: PathBuf },
    /// A token that somebody else keeps good.
    TokenFile(PathBuf),
    /// Tokens that `login` got.
    Tokens(PathBuf),
}

impl Profile {
    /// A gateway and what to sign in there with.
    pub(crate) fn new(name: String, gateway: String, ca: PathBuf, proof: Proof) -> Self {
        let none = Self {
            name,
            gateway,
            ca,
            certificate: None,
            key: None,
            token_file: None,
            tokens: None,
            cluster_tokens: BTreeMap::new(),
        };
        match proof {
            Proof::Certificate { certificate, key } => {
                Self { certificate: Some(certificate), key: Some(key), ..none }
            }
            Proof::TokenFile(file) => Self { token_file: Some(file), ..none },
            Proof::Tokens(file) => Self { tokens: Some(file), ..none },
        }
    }

    /// What to sign in with, if it holds that whole.
    pub(crate) fn proof(&self) -> Option<Proof> {
        if let Some(file) = &self.tokens {
            return Some(Proof::Tokens(file.clone()));
        }
        if let Some(file) = &self.token_file {
            return Some(Proof::TokenFile(file.clone()));
        }
        Some(Proof::Certificate { certificate: self.certificate.clone()?, key: self.key.clone()? })
    }
}

impl Profiles {
    /// Reads what is remembered; nothing where there is no file.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let profiles: Self = crate::config::load(path)
            .context("what `trunkline login` remembered cannot be read; correct that file or remove it")?;
        if profiles.gateways.len() > MOST {
            bail!("{} remembers more than {MOST} gateways; remove some", path.display());
        }
        Ok(profiles)
    }

    /// Writes it.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let yaml = serde_saphyr::to_string(self).context("the profile cannot be written as YAML")?;
        write::replace(path, yaml.as_bytes())
    }

    /// The gateway of this name or URL; the current one for none.
    pub(crate) fn find(&self, wanted: Option<&str>) -> Option<&Profile> {
        let wanted = wanted.unwrap_or(&self.current);
        self.gateways.iter().find(|profile| profile.name == wanted || profile.gateway == wanted)
    }

    /// Remembers which file holds the token for a cluster of a gateway, by the gateway's URL; or forgets it.
    ///
    /// # Errors
    /// When nobody signed in there, or too many are remembered.
    pub(crate) fn set_cluster_token(
        &mut self,
        gateway: &str,
        cluster: &ClusterId,
        file: Option<PathBuf>,
    ) -> anyhow::Result<()> {
        let known = self.gateways.iter_mut().find(|profile| profile.gateway == gateway);
        let known = known
            .with_context(|| format!("nothing is remembered of {gateway}; run trunkline login first"))?;
        match file {
            Some(file) => _ = known.cluster_tokens.insert(cluster.clone(), file),
            None => _ = known.cluster_tokens.remove(cluster),
        }
        if known.cluster_tokens.len() > MOST_CLUSTER_TOKENS {
            bail!(
                "more than {MOST_CLUSTER_TOKENS} tokens for clusters are not remembered; forget some with --forget"
            );
        }
        Ok(())
    }

    /// Remembers a gateway, in place of one of that name, and makes it the current one. Who signs in again at it keeps the tokens for
    /// clusters.
    ///
    /// # Errors
    /// When too many are remembered.
    pub(crate) fn remember(&mut self, profile: Profile) -> anyhow::Result<()> {
        self.current.clone_from(&profile.name);
        let room = self.gateways.len() < MOST;
        match self.gateways.iter_mut().find(|known| known.name == profile.name) {
            Some(known) => {
                let kept = std::mem::take(&mut known.cluster_tokens);
                let same = known.gateway == profile.gateway;
                *known = profile;
                if same && known.cluster_tokens.is_empty() {
                    known.cluster_tokens = kept;
                }
            }
            None if room => self.gateways.push(profile),
            None => bail!("more than {MOST} gateways are not remembered"),
        }
        Ok(())
    }
}

/// Where it is remembered: `$TRUNKLINE_PROFILE`, or `trunkline/config.yaml` in the user's configuration folder.
pub(crate) fn path() -> anyhow::Result<PathBuf> {
    if let Some(path) = variable("TRUNKLINE_PROFILE") {
        return Ok(path);
    }
    let folder = match variable("XDG_CONFIG_HOME") {
        Some(folder) => folder,
        None => home()?.join(".config"),
    };
    Ok(folder.join("trunkline").join("config.yaml"))
}

/// The user's folder.
pub(crate) fn home() -> anyhow::Result<PathBuf> {
    std::env::home_dir()
        .filter(|home| !home.as_os_str().is_empty())
        .context("this user has no home folder; set HOME")
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn profile(name: &str) -> Profile {
        let proof = Proof::Certificate { certificate: "/a/me.pem".into(), key: "/a/me.key".into() };
        Profile::new(name.into(), format!("https://{name}.test"), "/a/ca.pem".into(), proof)
    }

    #[test]
    fn what_is_remembered_comes_back_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/config.yaml");
        assert_eq!(Profiles::load(&path).unwrap(), Profiles::default());
        let mut profiles = Profiles::default();
        profiles.remember(profile("one")).unwrap();
        profiles.remember(profile("two")).unwrap();
        profiles.remember(Profile { ca: "/b".into(), ..profile("one") }).unwrap();
        profiles.save(&path).unwrap();
        let read = Profiles::load(&path).unwrap();
        assert_eq!(read, profiles);
        assert_eq!(read.gateways.len(), 2);
        assert_eq!(read.find(None).unwrap().ca, Path::new("/b"));
        assert_eq!(read.find(Some("https://two.test")).unwrap().name, "two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn there_is_a_most() {
        let mut profiles = Profiles::default();
        for number in 0..MOST {
            profiles.remember(profile(&format!("g{number}"))).unwrap();
        }
        assert!(profiles.remember(profile("more")).is_err());
        assert!(profiles.remember(profile("g7")).is_ok());
    }
}
