// Taking a cluster out of the fleet: by its name, typed, and with what stays behind said.

import { Alert, FormGroup, List, ListItem, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { useNavigate } from "react-router";
import { rest, take } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";
import { CodeToCopy } from "./CodeToCopy.tsx";
import { uninstall } from "./commands.ts";
import { WhoIsCut } from "./LockDialog.tsx";
import { WriteDialog } from "./WriteDialog.tsx";

export function RemoveDialog({ cluster, onClose }: { cluster: Cluster; onClose: () => void }) {
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const name = cluster.metadata.name;
  const go = async () => {
    await take(rest.DELETE("/trunkline/v1/clusters/{name}", { params: { path: { name } } }));
    onClose();
    void navigate("/clusters");
  };
  return (
    <WriteDialog title={`Remove ${name}`} action="Remove" danger clusters={[cluster]} ready={typed === name} onGo={go} onClose={onClose}>
      <WhoIsCut name={name} />
      <Alert isInline isPlain variant="info" title="What stays behind">
        <List>
          <ListItem>The agent and its namespace in the cluster, turned away from now on: the commands below take them out, before or after.</ListItem>
          <ListItem>Log records of the cluster in the store, until their time is over.</ListItem>
          <ListItem>Audit records of what was done there.</ListItem>
        </List>
        The same name registered again is another cluster, and inherits nothing.
      </Alert>
      {uninstall(name).map(({ words, text }) => <div key={words}><CodeToCopy words={words} text={text} /></div>)}
      <FormGroup label={<>Type <strong>{name}</strong> to remove it</>} fieldId="remove-name" isRequired>
        <TextInput id="remove-name" value={typed} onChange={(_, value) => setTyped(value)} isRequired autoComplete="off" spellCheck={false} />
      </FormGroup>
    </WriteDialog>
  );
}
