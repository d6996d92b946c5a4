//! What of the journey is pure, over plain values: for `fuzz/`, which feeds it anything.
//!
//! No interface of the intake: hidden from its documentation, and it changes with what it lays bare.
