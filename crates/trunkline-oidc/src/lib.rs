//! An OpenID provider as its clients see it: what it says of itself, its keys, and its tokens.
//!
//! ```text
//! Issuer ── discover ── Provider ─┬─ keys                       the gateway verifies tokens with them
//!                                 ├─ authorization URL, code    a browser signs in
//!                                 ├─ device code                somebody signs in elsewhere
//!                                 └─ refresh
//! ```
//!
//! The gateway and the command line both are such clients. Who may do what is not known here, and no token is judged.
//!
//! Invariants:
//! - a provider is spoken to over https; over http on loopback only;
//! - no redirect is followed, an answer is at most 256 KiB long, and an exchange ends within 5 s;
//! - what a provider says of itself counts only when it calls itself what it was asked as;
//! - tokens, codes and secrets are in no error, no `Debug` and no URL of ours.

mod endpoint;
mod fetch;
mod provider;
mod pkce;
mod grant;
mod device;
mod error;

pub use device::{DeviceCode, Polled};
pub use endpoint::Endpoint;
pub use error::OidcError;
pub use fetch::{Answer, Fetch, MAX_ANSWER};
pub use grant::{OidcClient, Tokens};
pub use pkce::{Pkce, random, same};
pub use provider::{Authorization, Provider};
