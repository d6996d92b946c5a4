//! What shippers ask of Elasticsearch beside handing records in, and what makes them start.
//!
//! Whatever they look for is there: templates, policies, pipelines, aliases, indices. Whatever they put is acknowledged, and
//! changes nothing: where records go is the gateway's to say. Nothing of it is kept, and nothing is told of the cluster.

use http::{HeaderMap, Method, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::route::is_index;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) media: &'static str,
    pub(crate) text: String,
}

/// The name of the cluster, of the node and of everything else that has none.
const NAME: &str = "trunkline";
/// Ids that Elasticsearch makes of random bytes: always the same here.
const ID: &str = "dHJ1bmtsaW5lLWludGFrZQ";
pub(crate) const JSON: &str = "application/json";

/// Answers what is asked at a path that takes no records.
pub(crate) fn said(
    method: &Method,
    segments: &[String],
    headers: &HeaderMap,
    query: &str,
    version: &str,
) -> Result<Said, Refusal> {
    let names: Vec<&str> = segments.iter().map(String::as_str).collect();
    let path = || format!("/{}", segments.join("/")).chars().take(255).collect::<String>();
    let look = method == Method::GET || method == Method::HEAD;
    let put = method == Method::PUT || method == Method::POST;
    let value = if look {
        found(&names, headers, version)
    } else if put {
        acknowledged(&names)
    } else {
        return Err(Refusal::Method(method.to_string(), path()));
    };
    if look && names.first() == Some(&"_cat") && names.get(1) == Some(&"health") {
        return Ok(health_line(query));
    }
    let value = value.ok_or_else(|| Refusal::Unknown(path()))?;
    Ok(Said { status: StatusCode::OK, media: JSON, text: value.to_string() })
}

/// What is there.
fn found(names: &[&str], headers: &HeaderMap, version: &str) -> Option<Value> {
    let under = |name: &str, value: Value| Value::Object(Map::from_iter([(name.to_owned(), value)]));
    Some(match names {
        [] => root(version),
        ["_license"] => {
            json!({"license": {"status": "active", "uid": ID, "type": "basic", "mode": "basic", "issued_to": NAME}})
        }
        ["_xpack"] => json!({
            "license": {"uid": ID, "type": "basic", "mode": "basic", "status": "active"},
            "features": {"ilm": {"available": true, "enabled": true}},
        }),
        ["_cat", "health"] => json!([]),
        ["_cluster", "health", ..] => json!({
            "cluster_name": NAME, "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
        }),
        ["_nodes", ..] => nodes(headers, version),
        ["_template", name] => under(
            name,
            json!({"order": 0, "index_patterns": ["*"], "settings": {}, "mappings": {}, "aliases": {}}),
        ),
        ["_index_template", name] => {
            json!({"index_templates": [{"name": name, "index_template": {"index_patterns": ["*"], "composed_of": []}}]})
        }
        ["_component_template", name] => {
            json!({"component_templates": [{"name": name, "component_template": {"template": {}}}]})
        }
        ["_ilm", "policy", name] => under(name, json!({"version": 1, "policy": {"phases": {}}})),
        ["_ilm", "status"] => json!({"operation_mode": "RUNNING"}),
        ["_ingest", "pipeline", name] => under(name, json!({"processors": []})),
        ["_template" | "_index_template" | "_component_template"]
        | ["_ilm", "policy"]
        | ["_ingest", "pipeline"] => json!({}),
        ["_alias", name] | [_, "_alias", name] => {
            under(name, json!({"aliases": under(name, json!({"is_write_index": true}))}))
        }
        ["_data_stream", name] => json!({"data_streams": [{
            "name": name, "timestamp_field": {"name": "@timestamp"}, "indices": [], "generation": 1, "status": "GREEN",
        }]}),
        [index] if is_index(index) => under(index, json!({"aliases": {}, "mappings": {}, "settings": {}})),
        _ => return None,
    })
}

/// What may be put, and is not.
fn acknowledged(names: &[&str]) -> Option<Value> {
    Some(match names {
        ["_template" | "_index_template" | "_component_template" | "_data_stream" | "_alias", _]
        | ["_ilm", "policy", _]
        | ["_ingest", "pipeline", _]
        | ["_aliases"]
        | [_, "_alias" | "_aliases", _] => json!({"acknowledged": true}),
        [index] if is_index(index) => {
            json!({"acknowledged": true, "shards_acknowledged": true, "index": index})
        }
        _ => return None,
    })
}

fn root(version: &str) -> Value {
    json!({
        "name": NAME,
        "cluster_name": NAME,
        "cluster_uuid": ID,
        "version": {
            "number": version,
            "build_flavor": "default",
            "build_type": "docker",
            "build_hash": "0000000000000000000000000000000000000000",
            "build_date": "1970-01-01T00:00:00Z",
            "build_snapshot": false,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    })
}

/// One node, under the address that the shipper has already: whoever looks for more finds this one.
fn nodes(headers: &HeaderMap, version: &str) -> Value {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let said = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    let address = if host.len() <= 255 && host.bytes().all(said) { host } else { "" };
    json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": NAME,
        "nodes": {ID: {
            "name": NAME, "version": version, "roles": ["data", "ingest", "master"],
            "http": {"bound_address": [address], "publish_address": address},
        }},
    })
}

/// `_cat` speaks in columns, unless it is asked otherwise.
fn health_line(query: &str) -> Said {
    if query.split('&').any(|pair| pair == "format=json") {
        let text =
            json!([{"cluster": NAME, "status": "green", "node.total": "1", "node.data": "1"}]).to_string();
        return Said { status: StatusCode::OK, media: JSON, text };
    }
    let text = format!("0 00:00:00 {NAME} green 1 1 0 0 0 0 0 0 - 100.0%\n");
    Said { status: StatusCode::OK, media: "text/plain; charset=UTF-8", text }
}

/// A no in Elasticsearch's form.
pub(crate) fn refused(refusal: &Refusal) -> Said {
    let cause = json!({"type": refusal.kind(), "reason": refusal.to_string()});
    let mut error = cause.clone();
    if let Some(fields) = error.as_object_mut() {
        fields.insert("root_cause".into(), json!([cause]));
    }
    let status = refusal.status();
    Said { status, media: JSON, text: json!({"error": error, "status": status.as_u16()}).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &Method, path: &str) -> Result<Value, Refusal> {
        let segments: Vec<_> = path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        let headers = HeaderMap::from_iter([(header::HOST, http::HeaderValue::from_static("intake:9200"))]);
        let said = said(method, &segments, &headers, "", "8.19.0")?;
        assert_eq!(said.status, StatusCode::OK);
        Ok(serde_json::from_str(&said.text).unwrap_or(Value::Null))
    }

    #[test]
    fn whatever_shippers_look_for_is_there() {
        assert_eq!(ask(&Method::GET, "/").unwrap()["version"]["number"], "8.19.0");
        assert_eq!(ask(&Method::GET, "/_license").unwrap()["license"]["status"], "active");
        assert_eq!(
            ask(&Method::GET, "/_nodes/_all/http").unwrap()["nodes"][ID]["http"]["publish_address"],
            "intake:9200"
        );
        for path in [
            "/_xpack",
            "/_cluster/health",
            "/_cluster/health/logs",
            "/_cat/health",
            "/_nodes/http",
            "/_template/x",
            "/_index_template/x",
            "/_component_template/x",
            "/_ilm/policy/x",
            "/_ingest/pipeline/x",
            "/_alias/x",
            "/x/_alias/x",
            "/_data_stream/x",
            "/logs-x",
        ] {
            assert!(ask(&Method::GET, path).is_ok() && ask(&Method::HEAD, path).is_ok(), "{path}");
        }
        for path in [
            "/_template/x",
            "/_index_template/x",
            "/_ilm/policy/x",
            "/logs-x",
            "/_data_stream/x",
            "/x/_alias/x",
        ] {
            assert_eq!(ask(&Method::PUT, path).unwrap()["acknowledged"], true, "{path}");
        }
    }

    #[test]
    fn everything_else_says_what_this_is() {
        for (method, path, status) in [
            (Method::GET, "/_search", 404),
            (Method::POST, "/logs/_search", 404),
            (Method::GET, "/_cat/indices", 404),
            (Method::PUT, "/_cluster/settings", 404),
            (Method::PUT, "/_security/user/x", 404),
            (Method::POST, "/_scripts/x", 404),
            (Method::DELETE, "/logs-x", 405),
            (Method::DELETE, "/_template/x", 405),
        ] {
            let refusal = ask(&method, path).unwrap_err();
            let said = refused(&refusal);
            assert_eq!(said.status.as_u16(), status, "{method} {path}");
            let body: Value = serde_json::from_str(&said.text).unwrap();
            assert_eq!(
                (body["status"].as_u64(), &body["error"]["root_cause"][0]["type"]),
                (Some(status.into()), &body["error"]["type"])
            );
            assert!(body["error"]["reason"].as_str().unwrap().contains("Trunkline's log intake"));
        }
    }
}
