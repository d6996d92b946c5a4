// Closing a cluster to everybody at once, and opening it again.

import { Alert, FormGroup, List, ListItem, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { rest, take } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";
import { harmless } from "../parts/text.ts";
import { Age } from "../parts/time.tsx";
import { byUser, useUnderWay } from "./sessions.ts";
import { WriteDialog } from "./WriteDialog.tsx";

interface DialogProps {
  cluster: Cluster;
  onClose: () => void;
}

export function LockDialog({ cluster, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  const name = cluster.metadata.name;
  const go = async () => {
    await take(rest.POST("/trunkline/v1/clusters/{name}/lock", { params: { path: { name } }, body: { reason: reason.trim() } }));
    onClose();
  };
  return (
    <WriteDialog title={`Lock ${name}`} action="Lock" danger clusters={[cluster]} ready={reason.trim() !== ""} onGo={go} onClose={onClose}>
      <WhoIsCut name={name} />
      <FormGroup label="Reason, as those who are cut read it" fieldId="lock-reason" isRequired>
        <TextInput id="lock-reason" value={reason} onChange={(_, value) => setReason(value)} isRequired autoFocus placeholder="incident 42" />
      </FormGroup>
    </WriteDialog>
  );
}

/** Whom it hits now. */
export function WhoIsCut({ name }: { name: string }) {
  const { data, error } = useUnderWay(name);
  const users = byUser(data ?? []);
  const requests = (data ?? []).length;
  const title = error !== null
    ? "Who has something under way there could not be found out; it is cut in any case."
    : data === undefined ? "Looking who has something under way there…"
    : requests === 0 ? "Nobody has anything under way there now."
    : `Cut within a second: ${requests === 1 ? "1 request" : `${requests} requests`} of ${users.length === 1 ? "1 user" : `${users.length} users`}.`;
  return (
    <Alert isInline isPlain variant={requests === 0 ? "info" : "warning"} title={title}>
      {users.length > 0 && <List>{users.slice(0, 10).map(({ user, count }) => <ListItem key={user}>{harmless(user)}: {count}</ListItem>)}</List>}
      {users.length > 10 && <p>and {users.length - 10} more</p>}
    </Alert>
  );
}

export function UnlockDialog({ cluster, onClose }: DialogProps) {
  const name = cluster.metadata.name;
  const lock = cluster.spec.locked;
  const go = async () => {
    await take(rest.POST("/trunkline/v1/clusters/{name}/unlock", { params: { path: { name } } }));
    onClose();
  };
  return (
    <WriteDialog title={`Unlock ${name}`} action="Unlock" clusters={[cluster]} ready onGo={go} onClose={onClose}>
      <p>
        {lock ? <>It was locked by {lock.by} <Age of={lock.since} ago />{lock.reason ? <>: “{lock.reason}”</> : ""}. </> : null}
        Its agent comes in again, and whoever a rule lets may use it.
      </p>
    </WriteDialog>
  );
}
