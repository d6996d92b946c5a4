//! The clusters that should exist, and where that is kept.
