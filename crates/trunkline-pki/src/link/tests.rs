//! A link in memory, while its certificate and roots change.
