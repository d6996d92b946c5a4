// One rule: looked at, changed, made or removed. A change by somebody else meanwhile is told, and nothing is overwritten.

import {
  ActionGroup, Alert, Button, Checkbox, Form, FormGroup, FormHelperText, FormSelect, FormSelectOption, HelperText, HelperTextItem, PageSection, TextInput,
} from "@patternfly/react-core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useNavigate, useParams } from "react-router";
import { rest, take } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { Confirm } from "../parts/Confirm.tsx";
import { Head } from "../parts/Head.tsx";
import { Asked } from "../parts/states.tsx";
import { draftOf, specOf, type Draft } from "./draft.ts";
import type { Rule } from "./Rules.tsx";

const EMPTY: Rule = {
  apiVersion: "trunkline.dev/v1",
  kind: "AccessRule",
  metadata: { name: "", revision: 0, origin: "registry" },
  spec: { subjects: {}, clusters: {}, role: "viewer" },
};

export function RulePage() {
  const name = useParams()["rule"] ?? "new";
  const isNew = name === "new";
  const rule = useQuery({
    queryKey: ["rule", name],
    queryFn: () => (isNew ? Promise.resolve(EMPTY) : take(rest.GET("/trunkline/v1/access/rules/{rule}", { params: { path: { rule: name } } }))),
    staleTime: 0,
  });
  return (
    <>
      <Head title={isNew ? "New rule" : name} about="An access rule. It is in force for new requests at once; what is under way and stands on it no more is cut." />
      <PageSection hasBodyWrapper={false}>
        <Asked query={rule} of="the rule">{(found) => <Editor key={`${name} ${found.metadata.revision ?? 0}`} rule={found} isNew={isNew} />}</Asked>
      </PageSection>
    </>
  );
}

interface Field {
  key: keyof Draft;
  label: string;
  help?: string;
  only?: "custom";
}

const FIELDS: Field[] = [
  { key: "description", label: "Description" },
  { key: "users", label: "Users", help: "Separated by commas; * is everybody who is signed in." },
  { key: "groups", label: "Groups", help: "As they are at sign-in, prefix included: corp:team-a." },
  { key: "clusters", label: "Clusters", help: "By name; * is every managed cluster, and management is meant only where it is named." },
  { key: "selector", label: "Clusters by labels", help: "As kubectl's -l: env=prod,region in (eu, us)." },
  { key: "namespaces", label: "Namespaces", help: "Only these; all when left empty." },
  { key: "verbs", label: "Verbs", help: "get, list, watch, create, update, patch, delete, deletecollection or *.", only: "custom" },
  { key: "resources", label: "Resources", help: "pods, pods/log, deployments.apps; all when left empty.", only: "custom" },
  { key: "asUser", label: "Go on as this user", help: "In place of who asks." },
  { key: "asGroups", label: "Go on in these groups", help: "And no others." },
];

function Editor({ rule, isNew }: { rule: Rule; isNew: boolean }) {
  const [name, setName] = useState(rule.metadata.name);
  const [draft, setDraft] = useState(() => draftOf(rule.spec));
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const [removing, setRemoving] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const fixed = rule.metadata.origin !== undefined && rule.metadata.origin !== "registry";
  const put = <K extends keyof Draft>(key: K, value: Draft[K]) => setDraft((before) => ({ ...before, [key]: value }));

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      await rest.PUT("/trunkline/v1/access/rules/{rule}", {
        params: { path: { rule: name } },
        body: { name, revision: rule.metadata.revision ?? 0, spec: specOf(draft, rule.spec) },
      });
      await queries.invalidateQueries({ queryKey: ["rules"] });
      await queries.invalidateQueries({ queryKey: ["rule", name] });
      void navigate("/access");
    } catch (error) {
      const told = asFault(error);
      const conflict = told.reason === "Conflict" || told.reason === "Exists";
      setFault(conflict ? `Somebody changed it meanwhile, and nothing was overwritten: open it again. ${told.detail}` : told.detail);
      setBusy(false);
    }
  };
  return (
    <Form onSubmit={(event) => void save(event)} isWidthLimited>
      {fault !== "" && <Alert isInline variant="danger" title="Not saved" role="alert">{fault}</Alert>}
      {fixed && <Alert isInline variant="info" title={`It is ${rule.metadata.origin === "file" ? "in the gateway's file: change it there" : "built in, and cannot be changed"}`} />}
      {isNew && (
        <FormGroup label="Name" fieldId="name" isRequired>
          <TextInput id="name" isRequired value={name} pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?" onChange={(_, value) => setName(value)} />
        </FormGroup>
      )}
      <FormGroup label="Role" fieldId="role">
        <FormSelect id="role" value={draft.role} isDisabled={fixed} onChange={(_, value) => put("role", value as Draft["role"])}>
          <FormSelectOption value="viewer" label="viewer: look, and read logs" />
          <FormSelectOption value="operator" label="operator: everything but who may do what" />
          <FormSelectOption value="admin" label="admin: everything" />
          <FormSelectOption value="custom" label="custom: the verbs and resources that are named" />
        </FormSelect>
      </FormGroup>
      {FIELDS.filter(({ only }) => only === undefined || only === draft.role).map(({ key, label, help }) => (
        <FormGroup key={key} label={label} fieldId={key}>
          <TextInput id={key} value={String(draft[key])} {...(fixed ? { readOnlyVariant: "default" as const } : {})} onChange={(_, value) => put(key, value as never)} />
          {help !== undefined && <FormHelperText><HelperText><HelperTextItem>{help}</HelperTextItem></HelperText></FormHelperText>}
        </FormGroup>
      ))}
      <FormGroup label="The fleet itself" fieldId="fleet">
        <FormSelect id="fleet" value={draft.fleet} isDisabled={fixed} onChange={(_, value) => put("fleet", value as Draft["fleet"])}>
          <FormSelectOption value="none" label="nothing" />
          <FormSelectOption value="viewer" label="viewer: sees all of it" />
          <FormSelectOption value="admin" label="admin: changes it and reads the audit log" />
        </FormSelect>
      </FormGroup>
      <Checkbox id="record" label="Record terminals" isChecked={draft.record} isDisabled={fixed} onChange={(_, checked) => put("record", checked)} />
      <ActionGroup>
        {!fixed && <Button type="submit" isDisabled={busy || name === ""} isLoading={busy}>Save</Button>}
        {!fixed && !isNew && <Button variant="danger" onClick={() => setRemoving(true)}>Remove</Button>}
        <Button variant="link" onClick={() => void navigate("/access")}>{fixed ? "Back" : "Cancel"}</Button>
      </ActionGroup>
      {removing && (
        <Confirm
          title={`Remove the rule ${rule.metadata.name}`}
          verb="Remove"
          typed={rule.metadata.name}
          run={async () => {
            await rest.DELETE("/trunkline/v1/access/rules/{rule}", { params: { path: { rule: rule.metadata.name } } });
            await queries.invalidateQueries({ queryKey: ["rules"] });
            void navigate("/access");
          }}
          onClose={() => setRemoving(false)}
        >
          What is under way by this rule alone is cut within a second, and told why.
        </Confirm>
      )}
    </Form>
  );
}
