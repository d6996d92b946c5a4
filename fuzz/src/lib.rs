//! What comes from outside, fed with anything: one function of bytes for each way in.
//!
//! A target is a plain function that panics when a promise does not hold. It is more than "does not panic": each says
//! what must be true of the outcome, and where it can, works the same thing out a second time in another and slower way.
//! [`TARGETS`] names them all. The replay test runs each over its committed corpus and its findings; the engine's binary
//! runs one for as long as it is left to, and is led by what of the product's code its inputs reach.
//!
//! Inputs are lines of text wherever what they stand for is text, so that a corpus can be read and written by hand.
//!
//! Invariants:
//! - a target depends on its input alone: no clock, no chance, no state that one run leaves to the next;
//! - what a target expects is worked out without the product's code for it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a target says by a panic that a promise does not hold"
)]

mod lines;

mod route;
mod path;
mod redirect;
mod headers;
mod token;
mod bearer;
mod mux;
mod hello;
mod head;
mod join;
mod certificate;
mod record;
mod bodies;
mod status;
mod events;
mod frames;
mod kubeconfig;
mod chunk;
mod bulk;
mod otlp;
mod tail;

pub use bearer::bearer;
pub use bodies::bodies;
pub use bulk::bulk;
pub use certificate::certificate;
pub use chunk::chunk;
pub use events::events;
pub use frames::frames;
pub use head::head;
pub use headers::headers;
pub use hello::hello;
pub use join::join;
pub use kubeconfig::kubeconfig;
pub use mux::mux;
pub use otlp::otlp;
pub use record::record;
pub use redirect::redirect;
pub use route::route;
pub use status::status;
pub use tail::tail;
pub use token::token;

/// A target: what it is called, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, in the order of the journey.
pub const TARGETS: &[Target] = &[
    ("headers", headers),
    ("token", token),
    ("bearer", bearer),
    ("route", route),
    ("head", head),
    ("redirect", redirect),
    ("frames", frames),
    ("mux", mux),
    ("hello", hello),
    ("certificate", certificate),
    ("join", join),
    ("record", record),
    ("bodies", bodies),
    ("status", status),
    ("events", events),
    ("kubeconfig", kubeconfig),
    ("chunk", chunk),
    ("bulk", bulk),
    ("otlp", otlp),
    ("tail", tail),
];
