// Changing what people are told of a cluster. When somebody else was quicker, it shows what they changed, and goes on from there.

import { Alert, Button, FormGroup, TextArea } from "@patternfly/react-core";
import { useState } from "react";
import { rest, take } from "../api/client.ts";
import { asFault, type Fault } from "../api/fault.ts";
import type { Cluster } from "../api/fleet.ts";
import { conflicts, draftOf, patchOf, rebased, type Difference, type Draft } from "./edits.ts";
import { Field, ProtectionField } from "./Field.tsx";
import { typedLabels } from "./labels.ts";
import { SmallTable } from "./one/SmallTable.tsx";
import { WriteDialog } from "./WriteDialog.tsx";

export function EditDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  // What the editing began with; the cluster may change under it.
  const [before, setBefore] = useState(cluster);
  const [draft, setDraft] = useState<Draft>(() => draftOf(cluster));
  const [now, setNow] = useState<Cluster | null>(null);
  const name = before.metadata.name;
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const typed = typedLabels(draft.labels);
  const wrong = "wrong" in typed ? typed.wrong : "";
  const patch = patchOf(before, draft);
  const params = { params: { path: { name } } };
  const go = async () => {
    if (patch === null) return;
    try {
      await take(rest.PATCH("/trunkline/v1/clusters/{name}", { ...params, body: patch }));
      onClose();
    } catch (error) {
      if (asFault(error).reason === "Conflict") setNow(await take(rest.GET("/trunkline/v1/clusters/{name}", params)));
      throw error;
    }
  };
  const rebase = () => {
    if (now === null) return;
    setDraft(rebased(before, now, draft));
    setBefore(now);
    setNow(null);
  };
  return (
    <WriteDialog
      title={`Edit ${name}`}
      action="Save"
      clusters={[cluster]}
      ready={patch !== null && wrong === "" && now === null}
      onGo={go}
      onClose={onClose}
      onFault={(fault) => (fault.reason === "Conflict" ? now !== null && <Conflict differences={conflicts(before, now, draft)} onRebase={rebase} /> : <Told fault={fault} />)}
    >
      <Field id="edit-title" label="Display name" value={draft.displayName} onChange={(displayName) => change({ displayName })} hint={`What people call it; ${name} when empty`} />
      <FormGroup label="Description" fieldId="edit-description">
        <TextArea id="edit-description" value={draft.description} onChange={(_, description) => change({ description })} resizeOrientation="vertical" />
      </FormGroup>
      <Field id="edit-labels" label="Labels" value={draft.labels} onChange={(labels) => change({ labels })} wrong={wrong} hint="All of them: what is not there any more is taken away. Access rules may go by them." />
      <Field id="edit-environment" label="Environment" value={draft.environment} onChange={(environment) => change({ environment })} hint="The frame's colour goes by it" />
      <ProtectionField id="edit-protection" value={draft.protection} onChange={(protection) => change({ protection })} />
    </WriteDialog>
  );
}

function Told({ fault }: { fault: Fault }) {
  return <Alert isInline variant="danger" title={fault.detail} />;
}

function Conflict({ differences, onRebase }: { differences: Difference[]; onRebase: () => void }) {
  return (
    <Alert isInline variant="warning" title="Somebody else changed it meanwhile" role="alert">
      <SmallTable
        label="what somebody else changed"
        rows={differences}
        rowKey={({ title }) => title}
        none="Nothing that is edited here: it was locked or unlocked, or its manifest changed."
        columns={[
          { title: "Field", cell: ({ title }) => <strong>{title}</strong> },
          { title: "It was", cell: ({ before }) => before || "–" },
          { title: "They made it", cell: ({ now }) => now || "–" },
          { title: "You want", cell: ({ wanted, both }) => (both ? <strong>{wanted || "–"}</strong> : "theirs") },
        ]}
      />
      <p>Going on keeps their changes, with yours on top: labels one by one.</p>
      <Button variant="secondary" onClick={onRebase}>Go on with mine on top</Button>
    </Alert>
  );
}
