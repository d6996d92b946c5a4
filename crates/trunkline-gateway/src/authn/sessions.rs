//! Sign-ins that the gateway itself keeps: browsers' by cookie, and local users' by a token on the command line.
//!
//! Invariants:
//! - of a cookie's or token's 256 random bits only the hash is kept, in memory: a restart ends all;
//! - a session ends when its time is over, when a browser's was idle for too long, and when somebody signs out;
//! - there are at most 10,000, and 32 of one user: the one that was idle longest goes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use trunkline_oidc::{OidcError, random};
use zeroize::Zeroizing;

use super::principal::{How, Principal, UserSessionId};
use super::remembered::Hash;
use super::why::Why;
use crate::config::SessionsConfig;
use crate::metrics::Metrics;

/// The most sessions, and of one user.
const MOST: usize = 10_000;
const MOST_OF_ONE: usize = 32;
/// What a token of ours begins with, so that a scan for secrets finds one.
const TOKEN_PREFIX: &str = "tls_";

/// All sessions. Clones share them.
#[derive(Clone)]
pub(crate) struct Sessions {
    sessions: Arc<Mutex<HashMap<Hash, Session>>>,
    life: Duration,
    idle: Duration,
    metrics: Metrics,
}

struct Session {
    principal: Principal,
    ends: SystemTime,
    used: SystemTime,
    /// What a browser must send beside its cookie to change anything.
    csrf: Arc<str>,
}

/// What somebody was given.
pub(crate) struct Given {
    /// The cookie's value, or the token. Secret.
    pub(crate) secret: Zeroizing<String>,
    pub(crate) csrf: Arc<str>,
    pub(crate) principal: Principal,
}

/// A browser's session that is good.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) principal: Principal,
    pub(crate) csrf: Arc<str>,
}

impl Sessions {
    pub(super) fn new(config: &SessionsConfig, metrics: Metrics) -> Self {
        Self { sessions: Arc::default(), life: config.life(), idle: config.idle(), metrics }
    }

    /// Begins a session as somebody who just proved who they are: a browser's, or one for the command line.
    pub(crate) fn begin(&self, user: String, groups: Vec<String>, how: How) -> Result<Given, OidcError> {
        let now = SystemTime::now();
        let random_bits = random()?;
        let secret = match how {
            How::Local => Zeroizing::new(format!("{TOKEN_PREFIX}{}", &*random_bits)),
            _ => random_bits,
        };
        let ends = now + self.life;
        let id = UserSessionId::random(if how == How::Local { "local" } else { "web" });
        let principal = Principal { user, groups, how, session: id, expires: Some(ends) };
        let csrf: Arc<str> = random()?.as_str().into();
        let session = Session { principal: principal.clone(), ends, used: now, csrf: csrf.clone() };
        let mut sessions = self.lock();
        self.make_room(&mut sessions, &principal.user, now);
        sessions.insert(Hash::of(&secret), session);
        self.note(&sessions);
        Ok(Given { secret, csrf, principal })
    }

    /// The browser's session of a cookie.
    pub(crate) fn of_cookie(&self, cookie: &str) -> Result<Known, Why> {
        self.find(cookie, |how| *how == How::Web).ok_or(Why::Session)
    }

    /// Whose a token of ours is; none for a text that is none of ours.
    pub(super) fn of_token(&self, token: &str) -> Option<Result<Principal, Why>> {
        token.starts_with(TOKEN_PREFIX).then(|| {
            self.find(token, |how| *how == How::Local).map(|known| known.principal).ok_or(Why::Session)
        })
    }

    /// Ends the session of a cookie or token; whether there was one.
    pub(crate) fn end(&self, secret: &str) -> bool {
        let mut sessions = self.lock();
        let ended = sessions.remove(&Hash::of(secret)).is_some();
        self.note(&sessions);
        ended
    }

    /// Whether a session goes on that is known by its id.
    pub(super) fn holds(&self, id: &UserSessionId) -> bool {
        let now = SystemTime::now();
        let sessions = self.lock();
        let mut found = sessions.values().filter(|session| session.principal.session == *id);
        found.any(|session| !self.has_ended(session, now))
    }

    /// A session was used by whoever came in by it before.
    pub(super) fn was_used(&self, id: &UserSessionId) {
        let mut sessions = self.lock();
        for session in sessions.values_mut().filter(|session| session.principal.session == *id) {
            session.used = SystemTime::now();
        }
    }

    /// Ends a session by its id; whether there was one.
    pub(crate) fn end_one(&self, id: &UserSessionId) -> bool {
        let mut sessions = self.lock();
        let before = sessions.len();
        sessions.retain(|_, session| session.principal.session != *id);
        self.note(&sessions);
        sessions.len() < before
    }

    /// Ends all sessions of a user.
    pub(crate) fn end_all_of(&self, user: &str) {
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.principal.user != user);
        self.note(&sessions);
    }

    fn find(&self, secret: &str, fits: impl Fn(&How) -> bool) -> Option<Known> {
        let now = SystemTime::now();
        let hash = Hash::of(secret);
        let mut sessions = self.lock();
        let session = sessions.get_mut(&hash).filter(|session| fits(&session.principal.how))?;
        if self.has_ended(session, now) {
            sessions.remove(&hash);
            self.note(&sessions);
            return None;
        }
        session.used = now;
        Some(Known { principal: session.principal.clone(), csrf: session.csrf.clone() })
    }

    fn has_ended(&self, session: &Session, now: SystemTime) -> bool {
        // kubectl may be idle for as long as its token is good.
        let idle = session.principal.how == How::Web && session.used + self.idle <= now;
        session.ends <= now || idle
    }

    /// Takes out what has ended, and then whoever was idle longest, of this user or of all.
    fn make_room(&self, sessions: &mut HashMap<Hash, Session>, user: &str, now: SystemTime) {
        let own = |session: &Session| session.principal.user == user;
        let of_user = sessions.values().filter(|session| own(session)).count();
        if sessions.len() < MOST && of_user < MOST_OF_ONE {
            return;
        }
        sessions.retain(|_, session| !self.has_ended(session, now));
        for (too_many, only_own) in [
            (sessions.values().filter(|session| own(session)).count() >= MOST_OF_ONE, true),
            (sessions.len() >= MOST, false),
        ] {
            if !too_many {
                continue;
            }
            let candidates = sessions.iter().filter(|(_, session)| !only_own || own(session));
            if let Some(idlest) = candidates.min_by_key(|(_, session)| session.used).map(|(hash, _)| *hash) {
                sessions.remove(&idlest);
            }
        }
    }

    fn note(&self, sessions: &HashMap<Hash, Session>) {
        self.metrics.sign_in_sessions.set(i64::try_from(sessions.len()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Hash, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(config: &SessionsConfig) -> Sessions {
        Sessions::new(config, Metrics::default())
    }

    #[test]
    fn a_session_is_known_by_its_secret_and_only_as_what_it_is() {
        let sessions = sessions(&SessionsConfig::default());
        let web = sessions.begin("jane".into(), vec!["dev".into()], How::Web).unwrap();
        let token = sessions.begin("jane".into(), vec![], How::Local).unwrap();
        let known = sessions.of_cookie(&web.secret).unwrap();
        assert_eq!((known.principal.user.as_str(), &known.csrf), ("jane", &web.csrf));
        assert!(known.principal.session.as_str().starts_with("web-"));
        assert!(sessions.of_cookie(&token.secret).is_err());
        assert!(sessions.of_token(&web.secret).is_none());
        assert!(sessions.of_token(&token.secret).unwrap().is_ok());
        assert!(sessions.of_token("tls_guess").unwrap().is_err());
        assert!(sessions.holds(&web.principal.session) && sessions.holds(&token.principal.session));
        assert!(sessions.end(&web.secret));
        assert!(!sessions.holds(&web.principal.session));
        assert!(!sessions.end(&web.secret));
        assert!(sessions.of_cookie(&web.secret).is_err());
        sessions.end_all_of("jane");
        assert!(sessions.of_token(&token.secret).unwrap().is_err());
    }

    #[test]
    fn a_user_has_so_many_and_the_one_that_was_idle_longest_goes() {
        let sessions = sessions(&SessionsConfig::default());
        let all: Vec<Given> =
            (0..MOST_OF_ONE).map(|_| sessions.begin("jane".into(), vec![], How::Web).unwrap()).collect();
        let other = sessions.begin("joe".into(), vec![], How::Web).unwrap();
        // The first is used, so that the second is the idlest.
        sessions.was_used(&all[0].principal.session);
        sessions.begin("jane".into(), vec![], How::Web).unwrap();
        assert!(sessions.of_cookie(&all[0].secret).is_ok());
        assert!(sessions.of_cookie(&all[1].secret).is_err());
        assert!(sessions.of_cookie(&other.secret).is_ok());
    }

    #[test]
    fn there_are_so_many_in_all() {
        let sessions = sessions(&SessionsConfig::default());
        for number in 0..MOST + 10 {
            sessions.begin(format!("u{number}"), vec![], How::Web).unwrap();
        }
        assert_eq!(sessions.lock().len(), MOST);
        assert_eq!(sessions.metrics.sign_in_sessions.get(), MOST as i64);
    }

    #[test]
    fn time_ends_a_session() {
        let mut sessions = sessions(&SessionsConfig::default());
        let given = sessions.begin("jane".into(), vec![], How::Web).unwrap();
        let token = sessions.begin("jane".into(), vec![], How::Local).unwrap();
        sessions.idle = Duration::ZERO;
        assert!(sessions.of_cookie(&given.secret).is_err());
        assert!(sessions.of_token(&token.secret).unwrap().is_ok(), "a token is not idle");
        assert!(!sessions.holds(&given.principal.session) && sessions.holds(&token.principal.session));
        sessions.life = Duration::ZERO;
        let short = sessions.begin("jane".into(), vec![], How::Local).unwrap();
        assert!(sessions.of_token(&short.secret).unwrap().is_err());
    }
}
