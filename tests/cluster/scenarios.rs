//! What must be shown, in the order in which it is played: reading, changing, streams, other clients, then faults.

mod reading;

use std::pin::Pin;

use anyhow::Result;

use crate::stage::Stage;

/// What a scenario comes to: a remark for its line, or why it failed.
pub(crate) type Played<'a> = Pin<Box<dyn Future<Output = Result<String>> + 'a>>;

/// One thing that must be shown.
pub(crate) struct Scenario {
    /// The sentence it shows.
    pub(crate) name: &'static str,
    pub(crate) act: for<'a> fn(&'a mut Stage) -> Played<'a>,
}

macro_rules! scenarios {
    ($($module:ident::$name:ident,)*) => {
        &[$(Scenario { name: stringify!($name), act: |stage| Box::pin($module::$name(stage)) },)*]
    };
}

pub(crate) const ALL: &[Scenario] = scenarios![
    reading::every_way_leads_to_the_cluster_that_was_named,
    reading::the_cluster_sees_the_same_user,
    reading::get_brings_what_a_direct_get_brings,
    reading::a_list_in_chunks_is_the_list,
    reading::a_viewer_may_read_and_not_delete,
    reading::discovery_and_raw_paths_are_the_same,
    reading::a_watch_brings_the_same_events,
];
