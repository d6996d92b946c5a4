use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::*;

fn read(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn is(name: &str, value: &str) -> Filter {
    Filter::Is(Field::named(name), Match::Exactly(value.into()))
}

fn phrase(words: &[&str]) -> Filter {
    Filter::Phrase(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn a_line_of_text_says_which_documents() {
    assert_eq!(read("  "), Filter::All);
    assert_eq!(read("Error"), phrase(&["error"]));
    assert_eq!(read("app:web error"), Filter::And(vec![is("app", "web"), phrase(&["error"])]));
    assert_eq!(read("a AND b"), read("a b"));
    assert_eq!(
        read("a b OR -level:DEBUG"),
        Filter::Or(vec![
            Filter::And(vec![phrase(&["a"]), phrase(&["b"])]),
            Filter::Not(Box::new(is("level", "debug")))
        ])
    );
    assert_eq!(read("NOT (a OR b)"), read("-(a OR b)"));
    assert_eq!(read(r#""connection refused""#), phrase(&["connection", "refused"]));
    assert_eq!(read("kube-proxy"), phrase(&["kube", "proxy"]));
    assert_eq!(read("conn*"), Filter::WordBegins("conn".into()));
    assert_eq!(read("pod:web-*"), Filter::Is(Field::Facet(Facet::Pod), Match::Begins("web-".into())));
    assert_eq!(read("http.status:*"), Filter::Is(Field::Path("http.status".into()), Match::Exists));
    assert_eq!(read(r#"name:"a \"b\" *""#), is("name", r#"a "b" *"#));
    assert_eq!(read("https://x.y/z"), phrase(&["https", "x", "y", "z"]));
    assert_eq!(read("12:30"), phrase(&["12", "30"]));
    assert_eq!(read(r#""OR""#), phrase(&["or"]));
    assert_eq!(read("ns:shop"), is("namespace", "shop"));
}

#[test]
fn what_is_no_filter_says_why() {
    let long = "x".repeat(5000);
    let wide = "a ".repeat(65);
    let deep = format!("{}a{}", "(".repeat(9), ")".repeat(9));
    for (text, reason) in [
        ("(a", "a ( without"),
        ("a)", "a ) without"),
        ("\"a", "a \" without"),
        ("a OR", "OR stands"),
        ("OR a", "OR stands"),
        ("a AND", "AND stands"),
        ("AND a", "AND stands"),
        ("a AND AND b", "AND stands"),
        ("NOT", "NOT stands"),
        ("a NOT", "NOT stands"),
        ("app:", "one side of the colon"),
        (":web", "one side of the colon"),
        ("ab*", "asks for too much"),
        ("*", "asks for too much"),
        ("*ab", "no letter"),
        ("pod:*web", "asks for too much"),
        ("pod:we*b*", "asks for too much"),
        ("---", "no letter"),
        (&long, "5000 bytes"),
        (&wide, "more than 64"),
        (&deep, "deeper than 8"),
        (&format!("a:{}", "x".repeat(300)), "too long to be found"),
    ] {
        match text.parse::<Filter>() {
            Err(error) => assert!(error.to_string().contains(reason), "{text:.40}: {error}"),
            Ok(filter) => assert!(reason == "no letter" && text == "*ab", "{text:.40}: {filter:?}"),
        }
    }
}

#[test]
fn whatever_is_typed_is_read_within_its_bounds_or_refused_and_reads_the_same_when_written() {
    let mut random = StdRng::seed_from_u64(18);
    let parts = [
        "a",
        "web",
        "err*",
        "-",
        "NOT ",
        "OR",
        " OR ",
        "AND",
        "(",
        ")",
        "\"",
        "\\",
        ":",
        "*",
        " ",
        "level:x",
        "a.b:\"c d\"",
        "ä",
        "\u{2028}",
        "pod:w*",
        "x:*",
    ];
    let mut good = 0;
    for _ in 0..20_000 {
        let text: String =
            (0..random.random_range(0..24)).map(|_| parts[random.random_range(0..parts.len())]).collect();
        if let Ok(filter) = text.parse::<Filter>() {
            good += 1;
            let written = filter.to_string();
            let again =
                written.parse::<Filter>().unwrap_or_else(|error| panic!("{text:?}, {written:?}: {error}"));
            assert_eq!(again, filter, "{text:?}, {written:?}");
        }
    }
    assert!(good > 1000, "{good} were filters");
}
