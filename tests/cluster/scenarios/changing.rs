//! Creating, applying, patching, deleting, as kubectl does them.

use anyhow::{Result, ensure};

use crate::callers::Way;
use crate::papers::User::Jane;
use crate::same;
use crate::stage::Stage;

const FIRST: &str =
    r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a": "1"}}"#;
const SECOND: &str =
    r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a": "2"}}"#;
const DEPLOYMENT: &str = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "mine"}, "spec":
  {"replicas": 0, "selector": {"matchLabels": {"app": "mine"}}, "template": {"metadata": {"labels": {"app": "mine"}},
   "spec": {"containers": [{"name": "main", "image": "trunkline.test/busybox:1"}]}}}}"#;

pub(crate) async fn changes_answer_what_direct_changes_answer(stage: &mut Stage) -> Result<String> {
    // What is printed as JSON is compared without what differs between two objects of the same making.
    let objects: &[(&[&str], &str)] = &[
        (&["apply", "--server-side", "--field-manager=one", "-f", "-", "-o", "json"], FIRST),
        (&["patch", "configmap", "mine", "--type=merge", "-p", r#"{"data":{"b":"3"}}"#, "-o", "json"], ""),
        (
            &[
                "patch",
                "configmap",
                "mine",
                "--type=json",
                "-o",
                "json",
                "-p",
                r#"[{"op":"add","path":"/data/c","value":"4"}]"#,
            ],
            "",
        ),
        (&["label", "configmap", "mine", "colour=red", "-o", "json"], ""),
        (&["create", "-f", "-", "--dry-run=server", "-o", "json"], DEPLOYMENT),
    ];
    let words: &[(&[&str], &str)] = &[
        (&["apply", "--server-side", "--field-manager=two", "-f", "-"], SECOND), // a conflict
        (&["apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-"], SECOND),
        (&["diff", "--server-side", "-f", "-"], SECOND),
        (&["create", "-f", "-"], FIRST), // there is one
        (&["patch", "configmap", "mine", "-p", "{"], ""),
        (&["create", "-f", "-"], DEPLOYMENT),
        (&["patch", "deployment", "mine", "-p", r#"{"spec":{"template":{"spec":{"nodeName":"none"}}}}"#], ""),
        (&["scale", "deployment", "mine", "--replicas=0"], ""),
        (&["delete", "deployment/mine", "configmap/mine"], ""),
        (&["delete", "configmap/mine"], ""), // there is none
    ];
    let outcomes = same::on_every_way("changes", async |way| {
        let mut seen = Vec::new();
        for (args, input) in objects {
            seen.push(
                same::timeless(stage.kubectl(Jane, "alpha", way).args(*args).input(*input))
                    .await?
                    .to_string(),
            );
        }
        let mut outcomes = Vec::new();
        for (args, input) in words {
            outcomes.push(stage.kubectl(Jane, "alpha", way).args(*args).input(*input).run().await?);
        }
        Ok((seen, outcomes))
    });
    let codes: Vec<_> = outcomes.await?.1.iter().map(|outcome| outcome.code).collect();
    let expected = [1, 0, 0, 1, 1, 0, 0, 0, 0, 1].map(Some);
    ensure!(codes == expected, "{codes:?}");
    Ok(format!("{} commands on each way", objects.len() + words.len()))
}

pub(crate) async fn an_object_made_through_the_gateway_belongs_to_its_maker(
    stage: &mut Stage,
) -> Result<String> {
    // A certificate request keeps who made it: the one object in which a wrong identity would stay.
    let request = |way: Way| {
        let name = format!("made-{way:?}").to_lowercase();
        let body = serde_json::json!({"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": name}, "spec": {"signerName": "trunkline.test/none", "usages": ["client auth"],
            "request": CSR}});
        (name, body.to_string())
    };
    same::on_every_way("the maker of an object", async |way| {
        let (name, body) = request(way);
        stage.kubectl(Jane, "alpha", way).args(["create", "-f", "-"]).input(body).bytes().await?;
        let fields = "-o=jsonpath={.spec.username} {.spec.groups} {.spec.uid} {.spec.extra}";
        let maker =
            stage.kubectl(Jane, "alpha", Way::Direct).args(["get", "csr", &name, fields]).text().await?;
        stage.kubectl(Jane, "alpha", way).args(["delete", "csr", &name]).bytes().await?;
        Ok(maker)
    })
    .await
}

/// A certificate request for nobody, in base64.
const CSR: &str = "\
    LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIS01ITUNBUUF3RVRFUE1BMEdBMVVFQXd3R2JtOWliMlI1TUZr\
    d0V3WUhLb1pJemowQ0FRWUlLb1pJemowRApBUWNEUWdBRVJUZmo4NjNEWVRuNUExVjY1TE1HKzJLcnNmUVFUL3JoeEIxeFVjV0kv\
    QUhLQndTQmduaEk2WnY5ClF2VFpnWElRbTZzYlN2TmhDQ3QveVl4VzRSMkNjS0FBTUFvR0NDcUdTTTQ5QkFNQ0EwY0FNRVFDSUJj\
    S2pudjcKYmpSRUVtdVlmMVpaaHQ2ZWNvU0kzcnpyWUlqaGdDcG9wcmo4QWlCWUF4TUlyM0s1WlJSKzJDTWFONHV0WEZGbgp0L1Vz\
    aDN2TnlqTng0dlJnWGc9PQotLS0tLUVORCBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0K";
