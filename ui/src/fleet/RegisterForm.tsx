// What a cluster is registered with. Only the name must be given; it is checked as it is typed.

import { Alert, Button, Checkbox, ExpandableSection, Form, FormFieldGroup, FormGroup, Radio } from "@patternfly/react-core";
import { useState, type FormEvent } from "react";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault, type Fault } from "../api/fault.ts";
import { useFleet } from "../api/fleet.ts";
import { Field, ProtectionField } from "./Field.tsx";
import { handOut } from "./handed.ts";
import { COLLECTS, EMPTY, faultsOf, isReady, newCluster, type Registration } from "./registration.ts";

const BINDINGS: Record<Shapes["Binding"], string> = {
  viewers: "trunkline:viewers may view", operators: "trunkline:operators may edit", admins: "trunkline:admins may do everything",
};

export function RegisterForm({ onRegistered }: { onRegistered: (name: string) => void }) {
  const { byName, all } = useFleet();
  const [form, setForm] = useState<Registration>(EMPTY);
  const [fault, setFault] = useState<Fault | null>(null);
  const [busy, setBusy] = useState(false);
  const [more, setMore] = useState(false);
  const change = (part: Partial<Registration>) => setForm({ ...form, ...part });
  const faults = faultsOf(form, (name) => byName.has(name));
  const ready = isReady(form, faults);
  const environments = [...new Set(["production", "staging", "development", ...all.map(({ spec }) => spec.environment ?? "")])].filter((name) => name !== "").slice(0, 30);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!ready || busy) return;
    setBusy(true);
    setFault(null);
    take(rest.POST("/trunkline/v1/clusters", { body: newCluster(form) })).then(
      ({ cluster, join }) => {
        handOut(cluster.metadata.name, join);
        onRegistered(cluster.metadata.name);
      },
      (error: unknown) => {
        setFault(asFault(error));
        setBusy(false);
      },
    );
  };
  return (
    <Form onSubmit={submit}>
      {fault !== null && <Alert isInline variant="danger" title={fault.detail} role="alert" />}
      <Field
        id="name" label="Name" isRequired value={form.name} onChange={(name) => change({ name })} wrong={faults.name?.why ?? ""} autoFocus
        hint="It never changes, and stands in kubeconfigs and addresses: prod-eu"
        after={faults.name !== null && faults.name.instead !== "" && (
          <Button variant="link" isInline onClick={() => change({ name: faults.name?.instead ?? "" })}>Use {faults.name.instead}</Button>
        )}
      />
      <Field id="labels" label="Labels" value={form.labels} onChange={(labels) => change({ labels })} wrong={faults.labels} hint="For selectors and access rules: env=prod,region=eu" />
      <Field id="environment" label="Environment" value={form.environment} onChange={(environment) => change({ environment })} hint="The frame's colour goes by it" list={environments} />
      <FormGroup role="radiogroup" label="What to collect" fieldId="collect" isStack>
        {(Object.keys(COLLECTS) as Registration["collect"][]).map((kind) => (
          <Radio key={kind} id={`collect-${kind}`} name="collect" label={COLLECTS[kind]} isChecked={form.collect === kind} onChange={() => change({ collect: kind })} description={COLLECT_WORDS[kind]} />
        ))}
      </FormGroup>
      <FormGroup role="radiogroup" label="Access mode" fieldId="access" isStack>
        <Radio id="access-impersonate" name="access" label="Impersonation" isChecked={form.access === "impersonate"} onChange={() => change({ access: "impersonate" })} description="The agent acts as whoever asks, and the cluster's RBAC decides." />
        <Radio id="access-pass" name="access" label="Pass-through" isChecked={form.access === "pass-through"} onChange={() => change({ access: "pass-through" })} description="The agent has no right. Clients bring tokens that the cluster itself checks; pages here bring none." />
      </FormGroup>
      {form.access === "pass-through" && (
        <Field id="audiences" label="Audiences" isRequired value={form.audiences} onChange={(audiences) => change({ audiences })} wrong={faults.audiences} hint={`Whom the tokens are made for: urn:${form.name || "prod-eu"}`} />
      )}
      <ExpandableSection toggleText="More" isExpanded={more} onToggle={(_, expanded) => setMore(expanded)} isIndented>
        <FormFieldGroup>
          <Field id="title" label="Display name" value={form.displayName} onChange={(displayName) => change({ displayName })} hint="What people call it; may change at any time" />
          <ProtectionField id="protection" value={form.protection} onChange={(protection) => change({ protection })} />
          {form.access === "impersonate" && (
            <FormGroup role="group" label="Bindings that are made in the cluster" fieldId="bindings" isStack>
              {(Object.keys(BINDINGS) as Shapes["Binding"][]).map((binding) => (
                <Checkbox
                  key={binding} id={`binding-${binding}`} label={BINDINGS[binding]} isChecked={form.bindings[binding]}
                  onChange={(_, checked) => change({ bindings: { ...form.bindings, [binding]: checked } })}
                />
              ))}
            </FormGroup>
          )}
          <Checkbox id="ephemeral" label="No volume for the spool" description="What is not shipped yet is lost with a pod." isChecked={form.ephemeral} onChange={(_, ephemeral) => change({ ephemeral })} />
          {!form.ephemeral && <Field id="class" label="Storage class of the spool" value={form.storageClass} onChange={(storageClass) => change({ storageClass })} hint="The cluster's default when empty" />}
        </FormFieldGroup>
      </ExpandableSection>
      <div><Button type="submit" isDisabled={!ready || busy} isLoading={busy}>Register{form.name !== "" && ready ? ` ${form.name}` : ""}</Button></div>
    </Form>
  );
}

const COLLECT_WORDS: Record<Registration["collect"], string> = {
  nothing: "It can be switched on later.",
  shippers: "The service trunkline-logs takes what Filebeat, rsyslog or a Collector sends.",
  pods: "A DaemonSet reads the nodes' files as well; shippers are let in too.",
};
