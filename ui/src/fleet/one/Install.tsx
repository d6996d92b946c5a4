// The agent in the cluster: what installs or updates it, and what takes it out again.

import { Card, CardBody, CardTitle, Stack, StackItem } from "@patternfly/react-core";
import { useSession } from "../../app/session.tsx";
import { CodeToCopy } from "../CodeToCopy.tsx";
import { uninstall } from "../commands.ts";
import { JoinBlock } from "../JoinBlock.tsx";
import { useJoining } from "../joining.ts";
import type { ClusterRow } from "../rows.ts";

export function Install({ row: { cluster, name, signs } }: { row: ClusterRow }) {
  const { gateway } = useSession();
  const joining = useJoining(name);
  const joined = cluster.status.state !== "joining" && (joining === null || joining.done);
  return (
    <Stack hasGutter>
      <StackItem>
        <Card component="section">
          <CardTitle component="h2">{joined ? "Update, or install anew" : "Install"}</CardTitle>
          <CardBody>
            {signs.update && <p>The agent is {cluster.status.agentVersion}, the gateway {gateway.version}: the new manifest brings the agent of the gateway's version.</p>}
            <JoinBlock name={name} joined={joined} />
          </CardBody>
        </Card>
      </StackItem>
      <StackItem>
        <Card component="section">
          <CardTitle component="h2">Take it out again</CardTitle>
          <CardBody>
            <Stack hasGutter>
              <StackItem><p>Run one of these in the cluster; removing it from the fleet, under Actions, may be done before or after.</p></StackItem>
              {uninstall(name).map(({ words, text }) => <StackItem key={words}><CodeToCopy words={words} text={text} /></StackItem>)}
            </Stack>
          </CardBody>
        </Card>
      </StackItem>
    </Stack>
  );
}
