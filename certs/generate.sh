#!/bin/sh
# Makes certs/dev from certs/dev.toml; refuses to replace an existing set without --force.
set -eu
umask 077
cd "$(dirname "$0")/.."
cargo run -q -p trunkline -- pki dev --from certs/dev.toml --out certs/dev "$@"
