//! The whole path in one process: client, gateway, tunnel, agent, API server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panic anywhere")]

mod addressing;
mod streaming;
mod identity;
mod attacks;
mod answers;
mod upgrades;
mod access_log;
mod faults;
mod links;
mod drain;
mod fleet;
mod dialling;
mod limits;
mod fairness;
mod balancers;
mod strangers;
mod sizes;
mod kept_streams;
mod upstreams;
mod enrolment;
mod renewal;
mod locks;
mod duplicates;
mod rotation;
mod secrets;
mod fleet_store;
mod pages;
mod rest;
mod access;
mod sign_in;
mod pass_through;
mod audit;
mod recording;
mod logs;
mod manager;
