//! Local users, for a trial: names and passwords in a file of the data folder, and the code that makes the first one.
//!
//! ```text
//! first start ── code, printed once ── setup: the first admin ── users, made by admins
//! ```
//!
//! Invariants:
//! - the code is kept as a hash, is good once and for 24 h, and is told by the start that made it and by no other;
//! - passwords are kept as argon2id hashes, and an attempt takes as long for a name that there is not;
//! - attempts are counted for each name and for all, and no more than 4 passwords are hashed at once;
//! - what changed is on disk before anybody is told that it did.

mod attempts;
mod file;
mod password;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use trunkline_oidc::random;
use zeroize::Zeroizing;

use super::names;
use super::remembered::Hash;
use super::why::{Denied, Why};
use attempts::Attempts;
pub use file::LocalFileError;
use file::{Content, File, Setup, User};

/// The most local users.
const MOST: usize = 100;
/// How long the first-run code is good.
const CODE_LASTS: Duration = Duration::from_secs(24 * 3600);
/// What a password must have at least, and may at most, in bytes.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;
/// How many passwords are hashed at once: each takes 19 MiB.
const HASHING: usize = 4;
/// How many wait for that.
const WAITING: usize = 64;

/// The local users. Clones share them.
#[derive(Clone)]
pub(crate) struct Local {
    inner: Arc<Inner>,
}

struct Inner {
    file: Mutex<File>,
    attempts: Attempts,
    hashing: Semaphore,
    waiting: Semaphore,
}

/// The code that makes the first admin, told once.
#[derive(Clone)]
pub struct FirstRun {
    code: Zeroizing<String>,
    /// Until when it is good.
    pub until: Timestamp,
}

impl FirstRun {
    /// The code. Secret.
    pub fn reveal(&self) -> &str {
        &self.code
    }
}

impl std::fmt::Debug for FirstRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstRun").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A local user, as admins see one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalUser {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) created: Timestamp,
}

/// Why local users are not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{0}")]
    Invalid(String),
    #[error("there is a local user {0} already")]
    Exists(String),
    #[error("there is no local user {0}")]
    NotFound(String),
    #[error(
        "there are {MOST} local users, which is the most; for more people set up an issuer (docs/sign-in.md)"
    )]
    Full,
    #[error("{0} is the last local user who is in trunkline:admins; make another first")]
    LastAdmin(String),
    #[error("the local users cannot be written")]
    Io(#[from] LocalFileError),
}

impl From<Why> for LocalError {
    fn from(why: Why) -> Self {
        Self::Denied(why.into())
    }
}

impl Local {
    /// The local users of a data folder. Makes the first-run code, where `first` says that one is needed and there is no
    /// user and none that is still good.
    pub(super) fn open(data: &Path, first: bool) -> Result<(Self, Option<FirstRun>), LocalFileError> {
        let mut file = File::open(data)?;
        let now = Timestamp::now();
        let waits = file.content().setup.as_ref().is_some_and(|setup| setup.until > now);
        let mut told = None;
        if first && file.content().users.is_empty() && !waits {
            let code = random().map_err(|_| LocalFileError::Randomness)?;
            let until = now.checked_add(CODE_LASTS).unwrap_or(Timestamp::MAX);
            let setup = Some(Setup { hash: Hash::of(&code), until });
            file.replace(Content { setup, ..file.content().clone() })?;
            told = Some(FirstRun { code, until });
        }
        let inner = Inner {
            file: Mutex::new(file),
            attempts: Attempts::default(),
            hashing: Semaphore::new(HASHING),
            waiting: Semaphore::new(WAITING),
        };
        Ok((Self { inner: Arc::new(inner) }, told))
    }

    /// Whether the first-run code is waited for.
    pub(crate) async fn waits_for_setup(&self) -> bool {
        let file = self.inner.file.lock().await;
        file.content().setup.as_ref().is_some_and(|setup| setup.until > Timestamp::now())
    }

    /// Makes the first admin, for whoever has the code.
    pub(crate) async fn set_up(
        &self,
        code: &str,
        user: &str,
        password: &str,
    ) -> Result<LocalUser, LocalError> {
        check(user, password)?;
        self.inner.attempts.enter("", Instant::now())?;
        let right = |content: &Content| {
            let setup = content.setup.as_ref()?;
            (setup.until > Timestamp::now() && setup.hash == Hash::of(code)).then_some(())
        };
        // A wrong code is not worth hashing a password for.
        right(self.inner.file.lock().await.content()).ok_or(Why::Code)?;
        let hash = self.hash(password).await?;
        let mut file = self.inner.file.lock().await;
        right(file.content()).ok_or(Why::Code)?;
        let [admins, ..] = names::ROLES;
        let made = User {
            name: user.into(),
            groups: vec![admins.into()],
            password: hash,
            created: Timestamp::now(),
        };
        let shown = made.shown();
        file.replace(Content { setup: None, users: vec![made] })?;
        Ok(shown)
    }

    /// Whether that is the user's password; the user's groups.
    pub(crate) async fn enter(&self, user: &str, password: &str) -> Result<LocalUser, Denied> {
        if names::check(user, &[]).is_err() || password.len() > LONGEST {
            return Err(Why::Password.into());
        }
        self.inner.attempts.enter(user, Instant::now())?;
        let found = self.inner.file.lock().await.find(user).cloned();
        let hash = found.as_ref().map(|user| user.password.clone());
        let (given, _places) = (Zeroizing::new(password.to_owned()), self.place().await?);
        // Without a user it is hashed as well, so that it takes as long.
        let right = tokio::task::spawn_blocking(move || password::is(hash.as_deref(), &given)).await;
        match (found, right) {
            (Some(user), Ok(true)) => {
                self.inner.attempts.forget(&user.name);
                Ok(user.shown())
            }
            _ => Err(Why::Password.into()),
        }
    }

    /// All local users.
    pub(crate) async fn users(&self) -> Vec<LocalUser> {
        self.inner.file.lock().await.content().users.iter().map(User::shown).collect()
    }

    /// Makes one.
    pub(crate) async fn add(
        &self,
        user: &str,
        groups: &[String],
        password: &str,
    ) -> Result<LocalUser, LocalError> {
        check(user, password)?;
        names::check(user, groups).map_err(|why| LocalError::Invalid(why.to_string()))?;
        let hash = self.hash(password).await?;
        let mut file = self.inner.file.lock().await;
        if file.find(user).is_some() {
            return Err(LocalError::Exists(user.into()));
        }
        let mut content = file.content().clone();
        if content.users.len() >= MOST {
            return Err(LocalError::Full);
        }
        let made =
            User { name: user.into(), groups: groups.into(), password: hash, created: Timestamp::now() };
        let shown = made.shown();
        content.users.push(made);
        file.replace(content)?;
        Ok(shown)
    }

    /// Removes one; never the last admin.
    pub(crate) async fn remove(&self, user: &str) -> Result<(), LocalError> {
        let mut file = self.inner.file.lock().await;
        let mut content = file.content().clone();
        let at = content.users.iter().position(|one| one.name == user);
        let at = at.ok_or_else(|| LocalError::NotFound(user.chars().take(256).collect()))?;
        let removed = content.users.remove(at);
        if removed.is_admin() && !content.users.iter().any(User::is_admin) {
            return Err(LocalError::LastAdmin(removed.name));
        }
        Ok(file.replace(content)?)
    }

    async fn hash(&self, password: &str) -> Result<String, LocalError> {
        let (given, _places) = (Zeroizing::new(password.to_owned()), self.place().await?);
        let hashed = tokio::task::spawn_blocking(move || password::hash(&given)).await;
        hashed.ok().flatten().ok_or_else(|| LocalError::Invalid("the password cannot be hashed".into()))
    }

    /// A place among those that hash: few, since it takes a lot of memory and time.
    async fn place(&self) -> Result<impl Sized + use<'_>, Denied> {
        let full = || Denied::Unavailable("too many sign in at once; try again".into());
        let waiting = self.inner.waiting.try_acquire().map_err(|_| full())?;
        let hashing = self.inner.hashing.acquire().await.map_err(|_| full())?;
        Ok((waiting, hashing))
    }
}

/// Whether a user may be called this and have that password.
fn check(user: &str, password: &str) -> Result<(), LocalError> {
    names::check(user, &[]).map_err(|why| LocalError::Invalid(why.to_string()))?;
    if user.contains(['/', '%', '?', '#']) {
        return Err(LocalError::Invalid("a local user's name has no / % ? #".into()));
    }
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        return Err(LocalError::Invalid(format!("a password has {SHORTEST} to {LONGEST} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
