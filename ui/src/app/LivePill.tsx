// Whether what is shown is live.

import { Button, Label } from "@patternfly/react-core";
import { CircleIcon, DisconnectedIcon, SyncAltIcon } from "@patternfly/react-icons";
import { live, useLive } from "../api/tab.ts";
import { Age } from "../parts/time.tsx";

export function LivePill() {
  const state = useLive();
  if (state.at === "live") return <Label isCompact color="green" icon={<CircleIcon />} role="status">Live</Label>;
  if (state.at === "connecting") return <Label isCompact icon={<SyncAltIcon />} role="status">Connecting</Label>;
  return (
    <span role="status" className="tl-pill">
      <Label isCompact color="orange" icon={<DisconnectedIcon />} title={state.why}>
        Not live since <Age of={state.since} />
        <span className="pf-v6-screen-reader">: {state.why}</span>
      </Label>
      <Button variant="link" isInline onClick={() => live.retry()}>Try now</Button>
    </span>
  );
}
