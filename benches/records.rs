//! Records of logs: lines of pods of a few hundred bytes, always the same, one field of which is another in each of them.

use serde_json::{Value, json};

const LEVELS: [&str; 10] =
    ["info", "info", "info", "info", "info", "info", "debug", "debug", "warn", "error"];
const VERBS: [&str; 4] = ["GET", "PUT", "POST", "DELETE"];
const WHAT: [&str; 6] = ["orders", "users", "carts", "items", "prices", "invoices"];

/// What a shipper says of one of them.
pub fn said(number: u64) -> Value {
    // Some order, and none that a compressor would know.
    let luck = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let pick = |from: &[&'static str], shift: u32| from[(luck >> shift) as usize % from.len()];
    let (app, pod) = (luck % 40, luck % 400);
    let (what, milliseconds) = (pick(&WHAT, 8), luck >> 20 & 0x3ff);
    let rare = if number % 100_000 == 7 { " panicked" } else { "" };
    json!({
        "message": format!(
            "{} /api/v1/{what}/{} took {milliseconds} ms, {} bytes{rare}", pick(&VERBS, 4), luck >> 40, luck >> 32 & 0xffff
        ),
        "level": pick(&LEVELS, 12),
        "kubernetes": {
            "namespace_name": format!("team-{}", app % 8), "pod_name": format!("app-{app}-{pod:x}"),
            "container_name": "app", "host": format!("node-{}", pod % 20), "labels": {"app": format!("app-{app}")},
        },
        "http": {"status": if luck & 31 == 0 { 503 } else { 200 }},
        "trace": format!("{luck:016x}"),
    })
}
