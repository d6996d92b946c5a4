// What can be done with several clusters at once: labels, locking, new join tokens.

import { Alert, Button, Flex, FlexItem, FormGroup, FormHelperText, HelperText, HelperTextItem, List, ListItem, Progress, TextInput } from "@patternfly/react-core";
import { useState, type ReactNode } from "react";
import { rest, take } from "../api/client.ts";
import { save } from "../parts/download.ts";
import { count } from "../parts/numbers.ts";
import { manifestScript, toEach, type Outcome } from "./bulk.ts";
import { typedLabels } from "./labels.ts";
import type { ClusterRow } from "./rows.ts";
import { WriteDialog } from "./WriteDialog.tsx";

type What = "label" | "lock" | "join";

export function Bulk({ rows, onDone }: { rows: ClusterRow[]; onDone: () => void }) {
  const [what, setWhat] = useState<What | null>(null);
  // What was chosen when the dialog opened is what it is about, whatever comes and goes meanwhile.
  const [about, setAbout] = useState<ClusterRow[]>([]);
  const begin = (next: What) => {
    setAbout(rows);
    setWhat(next);
  };
  const close = () => setWhat(null);
  const dialog = { rows: about, onClose: close, onDone };
  return (
    <>
      <Flex className="tl-bulk" role="group" aria-label="With the chosen clusters" alignItems={{ default: "alignItemsCenter" }}>
        <FlexItem><strong role="status">{count(rows.length)} chosen</strong></FlexItem>
        <FlexItem><Button variant="secondary" size="sm" onClick={() => begin("label")}>Label</Button></FlexItem>
        <FlexItem><Button variant="secondary" size="sm" onClick={() => begin("join")}>New join tokens</Button></FlexItem>
        <FlexItem><Button variant="secondary" size="sm" isDanger onClick={() => begin("lock")}>Lock</Button></FlexItem>
        <FlexItem><Button variant="link" size="sm" onClick={onDone}>Choose none</Button></FlexItem>
      </Flex>
      {what === "label" && <LabelDialog {...dialog} />}
      {what === "lock" && <LockAllDialog {...dialog} />}
      {what === "join" && <JoinAllDialog {...dialog} />}
    </>
  );
}

interface DialogProps {
  rows: ClusterRow[];
  onClose: () => void;
  onDone: () => void;
}

interface SeveralProps<T> extends DialogProps {
  title: string;
  action: string;
  danger?: boolean;
  ready: boolean;
  act: (name: string) => Promise<T>;
  onOutcome?: (outcome: Outcome<T>) => void;
  children: ReactNode;
}

/** A dialog that does something to each, and stays when some of it failed. */
function Several<T>({ rows, onClose, onDone, title, action, danger = false, ready, act, onOutcome, children }: SeveralProps<T>) {
  const [through, setThrough] = useState<number | null>(null);
  const [failed, setFailed] = useState<Outcome<T>["failed"]>([]);
  const [left, setLeft] = useState<string[] | null>(null);
  // Those of the gateway's file are changed there.
  const clusters = rows.map(({ cluster }) => cluster).filter(({ status }) => status.origin !== "file");
  const names = left ?? clusters.map(({ metadata }) => metadata.name);
  const go = async () => {
    setThrough(0);
    setFailed([]);
    const outcome = await toEach(names, act, setThrough);
    onOutcome?.(outcome);
    setThrough(null);
    setFailed(outcome.failed);
    setLeft(outcome.failed.map(({ name }) => name));
    const [first] = outcome.failed;
    if (first !== undefined) throw first.fault;
    onDone();
    onClose();
  };
  return (
    <WriteDialog
      title={title}
      action={left === null ? action : "Try again with these"}
      danger={danger}
      ready={ready && names.length > 0}
      clusters={clusters.filter(({ metadata }) => names.includes(metadata.name))}
      onGo={go}
      onClose={onClose}
      onFault={() => (
        <Alert isInline variant="danger" title={`${count(failed.length)} of ${count(clusters.length)} did not work`}>
          <List>{failed.slice(0, 12).map(({ name, fault }) => <ListItem key={name}><strong>{name}</strong>: {fault.detail}</ListItem>)}</List>
        </Alert>
      )}
    >
      {clusters.length < rows.length && (
        <Alert isInline isPlain variant="info" title={`${count(rows.length - clusters.length)} of the chosen stand in the gateway's file and are left out: they are changed there.`} />
      )}
      {children}
      {through !== null && <Progress value={through} max={names.length} title="Done" measureLocation="outside" label={`${count(through)} of ${count(names.length)}`} />}
    </WriteDialog>
  );
}

function LabelDialog(props: DialogProps) {
  const [text, setText] = useState("");
  const typed = typedLabels(text, true);
  const wrong = "wrong" in typed ? typed.wrong : "";
  const labels = "labels" in typed ? typed.labels : {};
  return (
    <Several
      {...props}
      title="Change labels"
      action="Change labels"
      ready={wrong === "" && Object.keys(labels).length > 0}
      act={(name) => take(rest.PATCH("/trunkline/v1/clusters/{name}", { params: { path: { name } }, body: { labels } }))}
    >
      <FormGroup label="Labels" fieldId="bulk-labels" isRequired>
        <TextInput id="bulk-labels" value={text} onChange={(_, value) => setText(value)} placeholder="env=prod,old-" validated={wrong === "" ? "default" : "error"} aria-describedby="bulk-labels-help" />
        <FormHelperText>
          <HelperText><HelperTextItem id="bulk-labels-help" variant={wrong === "" ? "default" : "error"}>{wrong || "key=value sets a label, key- takes it away; others stay."}</HelperTextItem></HelperText>
        </FormHelperText>
      </FormGroup>
    </Several>
  );
}

function LockAllDialog(props: DialogProps) {
  const [reason, setReason] = useState("");
  return (
    <Several
      {...props}
      title={`Lock ${count(props.rows.length)} clusters`}
      action="Lock them"
      danger
      ready={reason.trim() !== ""}
      act={(name) => take(rest.POST("/trunkline/v1/clusters/{name}/lock", { params: { path: { name } }, body: { reason: reason.trim() } }))}
    >
      <Alert isInline isPlain variant="warning" title="Whatever anybody has under way there is cut within a second, and nobody comes in until they are unlocked." />
      <FormGroup label="Reason, as those who are cut read it" fieldId="bulk-reason" isRequired>
        <TextInput id="bulk-reason" value={reason} onChange={(_, value) => setReason(value)} isRequired />
      </FormGroup>
    </Several>
  );
}

function JoinAllDialog(props: DialogProps) {
  return (
    <Several
      {...props}
      title="New join tokens"
      action="Make and save"
      ready
      act={async (name) => (await take(rest.POST("/trunkline/v1/clusters/{name}/join", { params: { path: { name } } }))).join.manifest}
      onOutcome={({ done }) => {
        const manifests = done.map(({ name, answer }) => ({ name, manifest: answer }));
        if (manifests.length > 0) save("trunkline-agents.sh", "text/x-shellscript", manifestScript(manifests));
      }}
    >
      <p>
        For each, the join token before ends, and its manifest with a new one is made: in this gateway's version, so this is also how agents are updated. They are saved as one script,
        which writes a file for each cluster. Links that are up stay up.
      </p>
    </Several>
  );
}
