//! Which certificate signing requests are taken, and what of them.
