//! The rig: a gateway, agents and upstreams in one process, on port 0, with certificates made in memory.
