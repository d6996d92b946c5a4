//! A configuration that becomes wrong while the gateway runs: the old one stays in force, and it is said why.

use crate::binary::{Edit, Working, Workshop};

const GOOD: &str = "\
front: {listen: '127.0.0.1:0', certificate: {certificate: FOLDER/front.pem, key: FOLDER/front.key}, client_roots: FOLDER/front-ca.pem}
tunnel: {listen: '127.0.0.1:0', certificate: {certificate: FOLDER/tunnel.pem, key: FOLDER/tunnel.key}, roots: FOLDER/tunnel-ca.pem}
clusters: [{id: alpha}]
drain_seconds: 1
";

const EDITS: &[Edit] = &[
    ("an unknown field", "clusters:", "clustres:", &["unknown field `clustres`"]),
    ("a wrong id", "id: alpha", "id: Alpha", &["is not a cluster id"]),
    ("a cluster twice", "[{id: alpha}]", "[{id: alpha}, {id: alpha}]", &["alpha stands there twice"]),
    ("the reserved id", "id: alpha", "id: management", &["management"]),
    ("broken YAML", "clusters: [", "clusters: [[", &["not usable"]),
    ("half a file", "clusters: [{id: alpha}]\ndrain_seconds: 1\n", "clusters: [{id: al", &["not usable"]),
];

pub(crate) fn count() -> usize {
    EDITS.len()
}

#[test]
fn a_configuration_that_becomes_wrong_leaves_the_old_one_in_force() {
    let workshop = Workshop::new();
    let file = workshop.write("live.yaml", GOOD);
    let mut gateway = Working::start(&["gateway", "--config", file.to_str().unwrap()]);
    gateway.says("gateway starts");
    for (name, from, to, words) in EDITS {
        assert!(GOOD.contains(from), "{name}");
        workshop.write("live.yaml", &GOOD.replacen(from, to, 1));
        let line = gateway.says("the old one stays");
        for word in *words {
            assert!(line.contains(word), "{name}: {word:?} is not in {line}");
        }
        assert!(gateway.runs(), "{name}");
        workshop.write("live.yaml", GOOD);
        gateway.says("are in force");
    }
    assert_eq!(gateway.stop(), Some(0));
}
