//! Kubeconfig files: entries of ours among entries of others, put in without touching anything else.
//!
//! An entry is ours if it carries the extension `trunkline`, which says for which gateway and cluster it was written.
//! A file is changed as a text: ours are spliced into its lists, everything else stays as it was typed, comments and
//! all. Then both texts are read and compared, and if anything but ours differs the file is left alone.
//!
//! Invariants:
//! - no entry without our extension is ever changed or removed, and neither is one that was written for another gateway;
//! - `current-context` changes by `trunkline use` only;
//! - no secret is written: users are an exec plugin;
//! - a file is replaced whole or not at all ([`mod@file`]).

mod tree;
mod text;
mod lists;
mod entries;
mod plan;
mod verify;
pub(crate) mod file;

pub(crate) use entries::{Target, Wanted};
pub(crate) use plan::{Plan, current_context, has_context, own_context, plan, set_current_context};

#[cfg(test)]
mod tests;
