//! The papers in their folder, whatever happens to it.
