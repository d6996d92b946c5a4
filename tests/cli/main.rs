//! The command line in front of a gateway that is a fake: what is asked, what is printed, how it ends.
//!
//! The fake keeps clusters as the REST API shows them and nothing behind them. The binary is started as a user would,
//! in a home folder of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod access;
mod gateway;
mod desk;
mod signing_in;
mod by_token;
mod by_password;
mod clusters;
mod watching;
mod registering;
mod status;
mod kubeconfigs;
mod files;
mod credential;
mod cluster_tokens;
mod pki;
mod audit;
mod logs;
mod shell;
