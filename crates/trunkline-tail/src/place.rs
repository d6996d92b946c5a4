//! Whose a container's log file is, from where it lies: nobody is asked.
//!
//! ```text
//! /var/log/containers/web-0_shop_app-<id>.log ─▶ /var/log/pods/shop_web-0_<uid>/app/0.log ─▶ perhaps Docker's own file
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How many links are followed by hand.
const MAX_LINKS: usize = 8;

/// Whose a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) uid: String,
    pub(crate) container: String,
    /// How often the container was started again.
    pub(crate) restart: u32,
}

impl Place {
    /// Reads `.../NAMESPACE_POD_UID/CONTAINER/RESTART.log`, with whatever rotation put behind that.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
        let file = name(path)?;
        let (number, rest) = file.split_once('.')?;
        if rest != "log" && !rest.starts_with("log.") {
            return None;
        }
        let folder = path.parent()?;
        let pod = name(folder.parent()?)?;
        let mut parts = pod.split('_');
        let (namespace, pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || namespace.is_empty() || pod.is_empty() || uid.is_empty() {
            return None;
        }
        Some(Self {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            uid: uid.to_owned(),
            container: name(folder)?,
            restart: number.parse().ok()?,
        })
    }

    /// The same, of a link or of anything it leads to.
    pub(crate) fn found(path: &Path) -> Option<Self> {
        let mut path = PathBuf::from(path);
        for _ in 0..MAX_LINKS {
            if let Some(place) = Self::of(&path) {
                return Some(place);
            }
            let next = std::fs::read_link(&path).ok()?;
            path = path.parent().map_or(next.clone(), |folder| folder.join(next));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_file_says_whose_it_is_also_through_links_and_after_rotation() {
        let at = |path: &str| {
            Place::of(Path::new(path)).map(|p| (p.namespace, p.pod, p.uid, p.container, p.restart))
        };
        let expected = Some(("shop".into(), "web-0".into(), "u-1".into(), "app".into(), 3));
        assert_eq!(at("/var/log/pods/shop_web-0_u-1/app/3.log"), expected);
        assert_eq!(at("/var/log/pods/shop_web-0_u-1/app/3.log.20261127-031500"), expected);
        for path in [
            "/var/log/syslog",
            "/a/b_c/app/0.log",
            "/a/b_c_d_e/app/0.log",
            "/a/b_c_d/app/x.log",
            "/a/__/x/0.log",
        ] {
            assert_eq!(at(path), None, "{path}");
        }
        let folder = tempfile::tempdir().unwrap();
        let pods = folder.path().join("pods/shop_web-0_u-1/app");
        std::fs::create_dir_all(&pods).unwrap();
        std::fs::write(folder.path().join("docker.json"), "").unwrap();
        std::os::unix::fs::symlink("../../../docker.json", pods.join("3.log")).unwrap();
        std::os::unix::fs::symlink("pods/shop_web-0_u-1/app/3.log", folder.path().join("web.log")).unwrap();
        assert_eq!(Place::found(&folder.path().join("web.log")).unwrap().pod, "web-0");
        assert_eq!(Place::found(&folder.path().join("docker.json")), None);
    }
}
