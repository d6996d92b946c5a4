use std::collections::BTreeSet;

use super::entries::{Sort, items};
use super::tree::read;
use super::*;

const GATEWAY: &str = "https://gw.test:8443";

fn wanted(names: &[&str]) -> Wanted {
    Wanted {
        gateway: GATEWAY.into(),
        roots: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".into(),
        exec: serde_json::json!({
            "apiVersion": "client.authentication.k8s.io/v1",
            "args": ["credential", "--gateway", GATEWAY],
            "command": "trunkline",
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": true,
        }),
        clusters: names.iter().map(|name| Target { id: name.parse().unwrap(), uid: None }).collect(),
        prefix: None,
        prune_to: None,
    }
}

fn names(text: &str, sort: Sort) -> Vec<String> {
    let root = read(text).unwrap();
    items(root.as_ref(), sort).iter().map(|item| item.name.to_owned()).collect()
}

/// A file as kubectl writes it, with remarks of its owner.
const KUBECTLS: &str = "\
# mine, do not touch
apiVersion: v1
clusters:
- cluster:
    server: https://a.test # the old one
  name: kind-a
# between
- cluster:
    server: https://b.test
  name: kind-b
contexts:
- context:
    cluster: kind-a
    user: kind-a
  name: kind-a
current-context: kind-a
kind: Config
preferences: {}
users:
- name: kind-a
  user:
    token: abc   # secret
# the end
";

#[test]
fn ours_are_put_in_and_every_other_line_stays() {
    let plan = plan(KUBECTLS, &wanted(&["alpha", "beta"])).unwrap();
    for line in KUBECTLS.lines() {
        assert!(plan.text.contains(line), "{line}\nis not in\n{}", plan.text);
    }
    let kept: String = plan
        .text
        .lines()
        .filter(|line| KUBECTLS.lines().any(|other| other == *line))
        .map(|l| format!("{l}\n"))
        .collect();
    assert!(kept.starts_with("# mine"));
    assert_eq!(names(&plan.text, Sort::Cluster), ["kind-a", "kind-b", "alpha", "beta"]);
    assert_eq!(names(&plan.text, Sort::Context), ["kind-a", "alpha", "beta"]);
    assert_eq!(names(&plan.text, Sort::User), ["kind-a", "trunkline"]);
    assert_eq!(current_context(&plan.text).unwrap().as_deref(), Some("kind-a"));
}

#[test]
fn a_second_time_changes_nothing_and_taking_out_gives_the_file_back() {
    let once = plan(KUBECTLS, &wanted(&["alpha", "beta"])).unwrap().text;
    assert_eq!(plan(&once, &wanted(&["alpha", "beta"])).unwrap().text, once);
    assert_eq!(plan(&once, &wanted(&["beta"])).unwrap().text, once);
    let none = Wanted { prune_to: Some(BTreeSet::new()), ..wanted(&[]) };
    let back = plan(&once, &none).unwrap();
    assert_eq!(back.text, KUBECTLS);
    assert_eq!(back.removed, ["alpha", "beta"]);
}

#[test]
fn what_is_taken_is_left_to_its_owner() {
    let text = KUBECTLS.replace("kind-a", "alpha");
    let first = plan(&text, &wanted(&["alpha"])).unwrap();
    assert_eq!(first.contexts[&"alpha".parse().unwrap()], "tl-alpha");
    let both = first.text.replace("kind-b", "tl-beta").replace("kind-b", "beta");
    let second = plan(&both, &wanted(&["alpha", "beta"])).unwrap();
    assert_eq!(second.contexts[&"alpha".parse().unwrap()], "tl-alpha");
    // Even when the name has become free: a context's name is what people have in their scripts.
    let freed = plan(&first.text.replace("name: alpha", "name: gone"), &wanted(&["alpha"])).unwrap();
    assert_eq!(freed.contexts[&"alpha".parse().unwrap()], "tl-alpha");
    let prefixed = Wanted { prefix: Some("x-".into()), ..wanted(&["alpha"]) };
    let third = plan(&first.text, &prefixed).unwrap();
    assert_eq!(third.contexts[&"alpha".parse().unwrap()], "x-alpha");
    assert_eq!(third.removed, ["tl-alpha"]);
}

#[test]
fn what_people_set_in_a_context_of_ours_stays() {
    let text = plan("", &wanted(&["alpha"])).unwrap().text;
    let own = text
        .replace("      user: trunkline\n", "      namespace: shop\n      user: trunkline\n")
        .replace("    user: trunkline\n", "    namespace: shop\n    user: trunkline\n");
    assert_ne!(own, text);
    assert_eq!(plan(&own, &wanted(&["alpha"])).unwrap().text, own);
    let moved = Wanted { roots: "other".into(), ..wanted(&["alpha"]) };
    let renewed = plan(&own, &moved).unwrap().text;
    assert!(renewed.contains("namespace: shop"));
    assert_ne!(renewed, own);
}

#[test]
fn another_gateways_entries_are_somebody_elses() {
    let other = Wanted { gateway: "https://other.test".into(), ..wanted(&["alpha"]) };
    let text = plan("", &other).unwrap().text;
    let both = plan(&text, &wanted(&["alpha"])).unwrap();
    assert_eq!(both.contexts[&"alpha".parse().unwrap()], "tl-alpha");
    assert_eq!(names(&both.text, Sort::User), ["trunkline", "trunkline-gw.test-8443"]);
    let none = Wanted { prune_to: Some(BTreeSet::new()), ..wanted(&[]) };
    assert_eq!(plan(&both.text, &none).unwrap().text, text);
}

#[test]
fn the_current_context_changes_alone() {
    let text = plan(KUBECTLS, &wanted(&["alpha"])).unwrap().text;
    let used = set_current_context(&text, "alpha").unwrap();
    assert_eq!(used, text.replace("current-context: kind-a", "current-context: alpha"));
    for (before, after) in [
        ("", "apiVersion: v1\ncurrent-context: x\nkind: Config\n"),
        ("kind: Config", "kind: Config\ncurrent-context: x\n"),
        ("current-context: \"\" # none\n", "current-context: x # none\n"),
        ("current-context:\nkind: Config\n", "current-context: x\nkind: Config\n"),
        ("{\"current-context\": \"y\"}\n", "{\"current-context\": \"x\"}\n"),
        ("{\"kind\": \"Config\"}\n", "{\"kind\": \"Config\", \"current-context\": \"x\"}\n"),
    ] {
        assert_eq!(set_current_context(before, "x").unwrap(), after, "{before:?}");
    }
    assert!(set_current_context("current-context: [a]\n", "x").is_err());
}

/// What a file's owner cares for: its text with ours taken out again is what it was.
#[test]
fn nasty_texts_get_ours_and_keep_theirs() {
    assert!(NASTY.len() >= 30, "{} nasty texts are too few", NASTY.len());
    for (what, text) in NASTY {
        let once =
            plan(text, &wanted(&["alpha", "beta"])).unwrap_or_else(|error| panic!("{what}: {error:#}"));
        let root = read(&once.text).unwrap();
        assert_eq!(once.contexts.len(), 2, "{what}");
        for sort in [Sort::Cluster, Sort::Context] {
            let ours = items(root.as_ref(), sort).iter().filter(|item| item.is_of(GATEWAY)).count();
            assert_eq!(ours, 2, "{what}: {}", once.text);
        }
        let comments = |text: &str| text.matches('#').count();
        assert!(comments(&once.text) >= comments(text), "{what}: a comment is lost: {}", once.text);
        assert_eq!(
            plan(&once.text, &wanted(&["alpha", "beta"])).unwrap().text,
            once.text,
            "{what}: not stable"
        );
        let one = Wanted { prune_to: Some(["alpha".parse().unwrap()].into()), ..wanted(&[]) };
        let one = plan(&once.text, &one).unwrap_or_else(|error| panic!("{what}, one out: {error:#}")).text;
        let left = names(&one, Sort::Context);
        assert!(left.last().is_some_and(|name| name.contains("alpha")), "{what}: {one}");
        let none = Wanted { prune_to: Some(BTreeSet::new()), ..wanted(&[]) };
        let back = plan(&once.text, &none).unwrap_or_else(|error| panic!("{what}, back: {error:#}")).text;
        assert!(!back.contains("trunkline"), "{what}: {back}");
        assert_eq!(comments(&back), comments(text), "{what}: {back}");
        if text.contains("\r\n") {
            assert_eq!(once.text.matches('\n').count(), once.text.matches("\r\n").count(), "{what}");
        }
    }
}

const NASTY: &[(&str, &str)] = &[
    ("nothing", ""),
    ("blank lines", "\n\n"),
    ("a comment only", "# nothing here\n"),
    ("a comment that is not ended", "# nothing here"),
    ("a document's beginning only", "---\n"),
    ("a document's beginning and end", "--- # begin\n...\n"),
    ("null", "null\n"),
    ("empty braces", "{}\n"),
    ("a byte order mark", "\u{feff}apiVersion: v1\nkind: Config\n"),
    ("a byte order mark only", "\u{feff}"),
    ("no lists", "apiVersion: v1\nkind: Config\n"),
    ("no last newline", "apiVersion: v1\nkind: Config"),
    ("null lists", "clusters: null # a\ncontexts: ~\nusers:\nkind: Config\n"),
    ("empty lists", "clusters: [] # a\ncontexts: [ ]\nusers: []"),
    ("empty lists over lines", "clusters: [\n  # nothing\n]\ncontexts: []\nusers: []\n"),
    (
        "carriage returns",
        "kind: Config\r\nclusters:\r\n- name: a # x\r\n  cluster: {server: 'https://a'}\r\ncontexts: []\r\nusers: []\r\n",
    ),
    (
        "json on one line",
        "{\"kind\":\"Config\",\"clusters\":[{\"name\":\"a\",\"cluster\":{\"server\":\"https://a\"}}],\"contexts\":null,\"users\":[]}",
    ),
    (
        "json over lines",
        "{\n  \"clusters\": [\n    {\"name\": \"a\", \"cluster\": {}},\n    {\"name\": \"b\", \"cluster\": {}}\n  ]\n}\n",
    ),
    (
        "flow lists with a comma at the end",
        "clusters: [{name: a, cluster: {server: 'https://a'}},]\ncontexts: [\n  {name: a, context: {cluster: a}}, # one\n  {name: b, context: {cluster: a}}, # two\n]\nusers: []\n",
    ),
    (
        "indented lists",
        "clusters:\n    - cluster:\n        server: https://a\n      name: a\n    # after\ncontexts:\n  - name: a\n    context: {cluster: a, user: a}\nusers:\n- name: a\n  user: {}\n",
    ),
    ("an indented document", "  kind: Config\n  clusters:\n  - name: a\n    cluster: {}\n"),
    (
        "dashes alone",
        "clusters:\n-\n  # what follows is one\n  name: a\n  cluster: {}\n-   name: b\n    cluster: {}\n",
    ),
    (
        "comments everywhere",
        "# 1\nclusters: # 2\n# 3\n- # 4\n  name: a # 5\n  # 6\n  cluster: # 7\n    # 8\n    server: https://a # 9\n# 10\ncontexts: # 11\n# 12\nusers: [] # 13\n# 14\n",
    ),
    (
        "anchors among theirs",
        "clusters:\n- name: a\n  cluster: &c {server: https://a}\n- name: b\n  cluster: *c\ncontexts: []\nusers: []\n",
    ),
    (
        "merge keys among theirs",
        "x-base: &base {user: u}\ncontexts:\n- name: a\n  context: {<<: *base, cluster: a}\nclusters: []\nusers: []\n",
    ),
    (
        "quoted keys and odd names",
        "\"clusters\":\n- 'name': \"we: ird - #1\"\n  cluster: {}\n- name: 0123\n  cluster: {}\n- name: 'true'\n  cluster: {}\n'contexts':\n- name: \"kind-ä/東京\"\n  context: {}\n",
    ),
    ("emoji", "clusters:\n- name: 🦀\n  cluster: {server: 'https://ü.test'}\n"),
    (
        "names that stand twice",
        "clusters:\n- name: a\n  cluster: {}\n- name: a\n  cluster: {server: https://a}\ncontexts:\n- name: a\n  context: {}\n- name: a\n  context: {}\n",
    ),
    (
        "our names are taken",
        "clusters:\n- name: alpha\n  cluster: {}\ncontexts:\n- name: tl-alpha\n  context: {}\nusers:\n- name: other-user\n  user: {}\n",
    ),
    (
        "the extension is another's",
        "contexts:\n- name: alpha\n  context:\n    extensions:\n    - name: minikube\n      extension: {provider: minikube.sigs.k8s.io, version: v1}\n",
    ),
    (
        "items without a name",
        "clusters:\n- cluster: {}\n- 7\n-\ncontexts: [null, 1, {}]\nusers:\n- name:\n- name: [a]\n",
    ),
    (
        "a block scalar at the end of a list",
        "users:\n- name: a\n  user:\n    exec:\n      args:\n      - |\n        one\n        two # no comment\n\n      - >-\n        three\nclusters: []\ncontexts: []\n",
    ),
    (
        "a block scalar that keeps its blank lines",
        "clusters:\n- name: a\n  cluster:\n    certificate-authority-data: |+\n      QUJD\n      REVG\n\n\ncontexts: []\nusers: []\n",
    ),
    (
        "long quoted texts",
        "users:\n- name: a\n  user: {token: \"one\n      two\n\n      three\"}\n- name: b\n  user:\n    token: four\n      five\nclusters: []\ncontexts: []\n",
    ),
    (
        "tabs where they may be",
        "clusters:\t# tab\n- name: a\t\n  cluster:\t{}\t# tab\ncontexts: []\nusers: []\n",
    ),
    (
        "unknown fields",
        "x: {y: [1, 2, {z: ~}]}\nclusters: []\npreferences:\n  colors: true\nextensions:\n- name: z\n  extension: {a: b}\nusers: []\ncontexts: []\n",
    ),
    ("tags", "clusters: !!seq\n- name: !!str a\n  cluster: !!map {}\ncontexts: []\nusers: []\n"),
    (
        "lists at the end of the file",
        "kind: Config\nclusters:\n- name: a\n  cluster: {}\ncontexts:\n- name: a\n  context: {}\nusers:\n- name: a\n  user: {}",
    ),
    ("a directive", "%YAML 1.2\n---\nkind: Config\nclusters: []\n"),
    ("an end marker", "kind: Config\nclusters:\n- name: a\n  cluster: {}\n...\n"),
];

#[test]
fn what_cannot_be_changed_safely_is_refused_in_words() {
    for (what, text, words) in REFUSED {
        let error = plan(text, &wanted(&["alpha"])).expect_err(what);
        assert!(format!("{error:#}").contains(words), "{what}: {error:#}");
    }
}

const REFUSED: &[(&str, &str, &str)] = &[
    ("no YAML", "clusters: [", "not YAML"),
    ("tabs as indentation", "clusters:\n\t- name: a\n", "not YAML"),
    ("a list", "- a\n- b\n", "not a map"),
    ("a text", "hello\n", "not a map"),
    ("two documents", "kind: Config\n---\nkind: Config\n", "more than one document"),
    ("something after the end", "kind: Config\n...\ntrailing", "more than one document"),
    ("a key twice", "clusters: []\nclusters: []\n", "more than once"),
    ("lists that are none", "clusters: {a: b}\n", "no list"),
    ("a list that is a text", "contexts: many\n", "no list"),
    ("a list with an anchor", "clusters: &all\n- name: a\nx: *all\n", "anchor"),
    ("a list that is an alias", "x: &all []\nclusters: *all\n", "anchor"),
    ("everything with an anchor", "&all\nkind: Config\n", "anchor"),
    ("lists from a merge", "x: &b {clusters: []}\n<<: *b\n", "<<"),
    ("an unknown alias", "clusters: *nothing\n", "not YAML"),
    (
        "a last line without an end that counts",
        "clusters: []\nusers: []\ncontexts:\n- name: |\n    a",
        "unusual",
    ),
];

#[test]
fn an_entry_of_ours_that_others_refer_to_is_not_touched() {
    let ours = plan("", &wanted(&["alpha"])).unwrap().text;
    let anchored = ours.replace("- cluster:\n", "- cluster: &ours\n") + "x: *ours\n";
    let none = Wanted { prune_to: Some(BTreeSet::new()), ..wanted(&[]) };
    assert!(format!("{:#}", plan(&anchored, &none).unwrap_err()).contains("anchor"));
}

#[test]
fn five_megabytes_are_changed_too() {
    let mut text = String::from("contexts: []\nusers: []\nclusters:\n");
    while text.len() < 5 * 1024 * 1024 {
        let number = text.len();
        text.push_str(&format!(
            "- name: c{number}\n  cluster:\n    server: https://c{number}.test # here\n    certificate-authority-data: {}\n",
            "QUJD".repeat(500)
        ));
    }
    let once = plan(&text, &wanted(&["alpha"])).unwrap().text;
    assert!(once.starts_with("contexts:\n- context:"));
    assert!(once.len() > text.len());
}

#[test]
fn what_kubectl_wrote_anew_is_still_ours() {
    // Keys in kubectl's order, quoting of its own, nulls that it adds.
    let text =
        plan("", &wanted(&["alpha"])).unwrap().text.replace("      args:", "      env: null\n      args:");
    assert_eq!(plan(&text, &wanted(&["alpha"])).unwrap().text, text);
}
