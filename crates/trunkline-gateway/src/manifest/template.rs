//! The part of Go's templates that our charts use.
//!
//! ```text
//! {{ .Values.a.b | quote }}  {{ .Release.Namespace | quote }}  {{ .Chart.Version | quote }}   a text, always quoted
//! {{ .Values.a.b }}                                                                           a number or a boolean
//! {{- if .Values.a }} ... {{- else }} ... {{- end }}       false are: false, 0, an empty text, an empty list
//! {{- range .Values.list }} ... {{ . | quote }} ... {{- end }}       inside, `.` and nothing else
//! ```
//!
//! `{{-` takes the white space before it away. `if`, `else`, `end` and `range` are written with it, the others without.
//!
//! Invariants:
//! - what is not in the list above is refused, and so is a field that is not there;
//! - a text goes out in quotes and holds nothing that YAML or Go would write differently;
//! - what was put in is not looked at again.

use serde_json::Value;

/// What is wrong with a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line it is in, from 1.
    pub(super) line: usize,
    /// What it is.
    pub(super) what: String,
}

/// Renders a template. `scope` holds what begins with a capital: `Values`, `Release`, `Chart`.
pub(super) fn render(source: &str, scope: &Value) -> Result<String, Fault> {
    let mut reader = Reader { rest: source, line: 1 };
    let (nodes, ended) = reader.block(false)?;
    match ended {
        Ended::Text => {}
        Ended::Else | Ended::End => return Err(reader.fault("nothing to end here")),
    }
    let mut out = String::new();
    write(&nodes, &Sight { scope, item: None }, &mut out)?;
    Ok(out)
}

/// Whether a text is written alike by YAML and by Go: letters, digits, ASCII's marks and blanks.
pub(super) fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric())
}

/// A piece of a template.
enum Node<'t> {
    Text(&'t str),
    Bare(Path<'t>),
    Quoted(Path<'t>),
    If { path: Path<'t>, then: Vec<Self>, otherwise: Vec<Self> },
    Range { path: Path<'t>, body: Vec<Self> },
}

/// What a piece is about, and where it stands.
struct Path<'t> {
    text: &'t str,
    line: usize,
}

/// How a block ended.
enum Ended {
    Text,
    Else,
    End,
}

/// What is still to be read.
struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    /// Reads to the end of a block.
    fn block(&mut self, in_range: bool) -> Result<(Vec<Node<'t>>, Ended), Fault> {
        let mut nodes = Vec::new();
        loop {
            let Some((text, after)) = self.rest.split_once("{{") else {
                nodes.push(Node::Text(self.rest));
                self.line += self.rest.matches('\n').count();
                self.rest = "";
                return Ok((nodes, Ended::Text));
            };
            let (trims, after) = after.strip_prefix("- ").map_or((false, after), |after| (true, after));
            nodes.push(Node::Text(if trims { text.trim_end() } else { text }));
            self.line += text.matches('\n').count();
            let (action, after) = after.split_once("}}").ok_or_else(|| self.fault("no }} behind {{"))?;
            self.rest = after;
            let words: Vec<&str> = action.split_whitespace().collect();
            match (trims, words.as_slice()) {
                (true, ["else"]) => return Ok((nodes, Ended::Else)),
                (true, ["end"]) => return Ok((nodes, Ended::End)),
                (true, ["if", path]) => {
                    let path = self.path(path, in_range)?;
                    let (then, ended) = self.block(in_range)?;
                    let (otherwise, ended) = match ended {
                        Ended::Else => self.block(in_range)?,
                        Ended::Text | Ended::End => (Vec::new(), ended),
                    };
                    self.must_be_end(&ended)?;
                    nodes.push(Node::If { path, then, otherwise });
                }
                (true, ["range", path]) => {
                    let path = self.path(path, in_range)?;
                    let (body, ended) = self.block(true)?;
                    self.must_be_end(&ended)?;
                    nodes.push(Node::Range { path, body });
                }
                (false, [path]) => nodes.push(Node::Bare(self.path(path, in_range)?)),
                (false, [path, "|", "quote"]) => nodes.push(Node::Quoted(self.path(path, in_range)?)),
                _ => return Err(self.fault(&format!("not among what is understood here: {{{{{action}}}}}"))),
            }
        }
    }

    fn path(&self, text: &'t str, in_range: bool) -> Result<Path<'t>, Fault> {
        match (text, in_range) {
            (".", false) => Err(self.fault("`.` is for the inside of a range")),
            (".", true) => Ok(Path { text, line: self.line }),
            (_, true) => Err(self.fault(&format!("{text}: inside a range there is only `.`"))),
            (_, false) => Ok(Path { text, line: self.line }),
        }
    }

    fn must_be_end(&self, ended: &Ended) -> Result<(), Fault> {
        match ended {
            Ended::End => Ok(()),
            Ended::Else => Err(self.fault("no if for this else")),
            Ended::Text => Err(self.fault("an end is missing")),
        }
    }

    fn fault(&self, what: &str) -> Fault {
        Fault { line: self.line, what: what.to_owned() }
    }
}

/// What a template sees: everything, and within a range the item that `.` stands for.
struct Sight<'v> {
    scope: &'v Value,
    item: Option<&'v Value>,
}

impl<'v> Sight<'v> {
    fn value(&self, path: &Path<'_>) -> Result<&'v Value, Fault> {
        let found = match self.item {
            Some(item) => Some(item),
            None => {
                let mut fields = path.text.strip_prefix('.').unwrap_or_default().split('.');
                fields.try_fold(self.scope, |value, field| value.get(field))
            }
        };
        found.ok_or_else(|| path.fault("is not there"))
    }
}

impl Path<'_> {
    fn fault(&self, what: &str) -> Fault {
        Fault { line: self.line, what: format!("{} {what}", self.text) }
    }
}

fn write(nodes: &[Node<'_>], sight: &Sight<'_>, out: &mut String) -> Result<(), Fault> {
    for node in nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Bare(path) => match sight.value(path)? {
                plain @ (Value::Number(_) | Value::Bool(_)) => out.push_str(&plain.to_string()),
                _ => return Err(path.fault("cannot be written without quote")),
            },
            Node::Quoted(path) => match sight.value(path)? {
                Value::String(text) if is_plain(text) => out.push_str(&quoted(text)),
                Value::String(_) => return Err(path.fault("holds what cannot be quoted")),
                _ => return Err(path.fault("is no text")),
            },
            Node::If { path, then, otherwise } => {
                write(if truth(sight.value(path)?) { then } else { otherwise }, sight, out)?;
            }
            Node::Range { path, body } => {
                let Value::Array(items) = sight.value(path)? else {
                    return Err(path.fault("is no list"));
                };
                for item in items {
                    write(body, &Sight { item: Some(item), ..*sight }, out)?;
                }
            }
        }
    }
    Ok(())
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A plain text in the quotes of YAML, which are Go's.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(source: &str) -> Result<String, String> {
        let scope = json!({
            "Values": {
                "name": "alpha", "none": "", "port": 9443, "zero": 0, "yes": true, "no": false,
                "list": ["a", "b"], "ports": [1, 2], "empty": [],
                "deep": { "er": "x" },
                "nasty": "a\"b\\c: {{ .Values.name }} # '",
                "lines": "a\nb", "tab": "a\tb", "separator": "a\u{2028}b",
            },
            "Release": { "Namespace": "ns" },
        });
        render(source, &scope).map_err(|fault| format!("line {}: {}", fault.line, fault.what))
    }

    #[test]
    fn texts_are_quoted_numbers_and_booleans_are_not() {
        for (source, text) in [
            ("", ""),
            ("a: b\n", "a: b\n"),
            ("a: {{ .Values.name | quote }}\n", "a: \"alpha\"\n"),
            ("a: {{ .Values.deep.er | quote }}", "a: \"x\""),
            ("a: {{ .Release.Namespace | quote }}", "a: \"ns\""),
            ("a: {{ .Values.port }}", "a: 9443"),
            ("a: {{ .Values.yes }}", "a: true"),
        ] {
            assert_eq!(rendered(source).as_deref(), Ok(text), "{source}");
        }
    }

    #[test]
    fn branches_and_lists_leave_no_blank_lines() {
        let branch = |value: &str| {
            rendered(&format!(
                "a:\n{{{{- if .Values.{value} }}}}\n  b\n{{{{- else }}}}\n  c\n{{{{- end }}}}\nd\n"
            ))
            .unwrap()
        };
        for yes in ["name", "port", "yes", "list", "deep"] {
            assert_eq!(branch(yes), "a:\n  b\nd\n", "{yes}");
        }
        for no in ["none", "zero", "no", "empty"] {
            assert_eq!(branch(no), "a:\n  c\nd\n", "{no}");
        }
        let list = |value: &str, item: &str| {
            rendered(&format!("a:\n{{{{- range .Values.{value} }}}}\n- {item}\n{{{{- end }}}}\n")).unwrap()
        };
        assert_eq!(list("list", "{{ . | quote }}"), "a:\n- \"a\"\n- \"b\"\n");
        assert_eq!(list("ports", "{{ . }}"), "a:\n- 1\n- 2\n");
        assert_eq!(list("empty", "{{ . | quote }}"), "a:\n");
        let nested = "{{- if .Values.no }}{{- range .Values.list }}{{ . | quote }}{{- end }}{{- else }}\n\
                      {{- if .Values.yes }}!{{- end }}{{- end }}";
        assert_eq!(rendered(nested).as_deref(), Ok("!"));
    }

    #[test]
    fn a_value_cannot_become_anything_but_a_text() {
        let text = rendered("a: {{ .Values.nasty | quote }}").unwrap();
        assert_eq!(text, r##"a: "a\"b\\c: {{ .Values.name }} # '""##);
        for bad in ["lines", "tab", "separator"] {
            let error = rendered(&format!("a: {{{{ .Values.{bad} | quote }}}}")).unwrap_err();
            assert!(error.contains("cannot be quoted"), "{error}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_where_it_stands() {
        for (source, says) in [
            ("a\nb: {{ .Values.name }}", "line 2: .Values.name cannot be written without quote"),
            ("{{ .Values.list }}", "cannot be written without quote"),
            ("{{ .Values.deep | quote }}", "is no text"),
            ("{{ .Values.port | quote }}", "is no text"),
            ("{{ .Values.nothing | quote }}", ".Values.nothing is not there"),
            ("{{ .Values.name.x | quote }}", ".Values.name.x is not there"),
            ("{{ Values.name | quote }}", "Values.name is not there"),
            ("{{ .Files | quote }}", ".Files is not there"),
            ("{{- if .Values.nothing }}{{- end }}", "is not there"),
            ("{{- if .Values.no }}{{ x y }}{{- end }}", "not among"),
            ("{{- range .Values.name }}{{- end }}", "is no list"),
            ("{{ . }}", "inside of a range"),
            ("{{- range .Values.list }}{{ .Values.name | quote }}{{- end }}", "there is only `.`"),
            ("{{- range .Values.list }}{{- else }}{{- end }}", "no if for this else"),
            ("{{- if .Values.yes }}\n\n", "line 3: an end is missing"),
            ("{{- range .Values.empty }}", "an end is missing"),
            ("{{- if .Values.yes }}{{- else }}{{- else }}{{- end }}", "no if for this else"),
            ("{{- end }}", "nothing to end here"),
            ("{{- else }}", "nothing to end here"),
            ("{{ .Values.name", "no }} behind {{"),
            ("{{ .Values.name | upper }}", "not among what is understood"),
            ("{{ .Values.name | quote | quote }}", "not among"),
            ("{{ quote .Values.name }}", "not among"),
            ("{{ include \"x\" . }}", "not among"),
            ("{{ lookup \"v1\" \"Secret\" }}", "not among"),
            ("{{ if .Values.yes }}{{ end }}", "not among"),
            ("{{- .Values.port }}", "not among"),
            ("{{ .Values.port -}}", "not among"),
            ("{{- if not .Values.yes }}{{- end }}", "not among"),
            ("{{- with .Values.deep }}{{- end }}", "not among"),
            ("{{- $x := 1 }}", "not among"),
            ("{{/* a */}}", "not among"),
            ("{{-if .Values.yes}}{{-end}}", "not among"),
            ("{{}}", "not among"),
        ] {
            let error = rendered(source).unwrap_err();
            assert!(error.contains(says), "{source}: {error}");
        }
    }
}
