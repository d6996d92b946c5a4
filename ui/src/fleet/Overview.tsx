// `/`: how the fleet is, and what needs somebody now. Before there is a cluster: how to get one.

import { Grid, GridItem, PageSection, Stack, StackItem } from "@patternfly/react-core";
import { useMemo } from "react";
import { useFleet } from "../api/fleet.ts";
import { useSession } from "../app/session.tsx";
import { Head } from "../parts/Head.tsx";
import { useNow } from "../parts/time.tsx";
import { ByLabel } from "./ByLabel.tsx";
import { FirstRun } from "./FirstRun.tsx";
import { LinkButton } from "./LinkButton.tsx";
import { useRows, WithFleet } from "./live.tsx";
import { needsOf } from "./needs.ts";
import { NeedsYou } from "./NeedsYou.tsx";
import { useFleetRole } from "./role.ts";
import { Tiles } from "./Tiles.tsx";
import "./fleet.css";

export function Overview() {
  const role = useFleetRole();
  return (
    <>
      <Head title="Fleet" actions={role === "admin" && <LinkButton to="/clusters/new">Register a cluster</LinkButton>} />
      <PageSection className="tl-fleet"><WithFleet><AllOfIt /></WithFleet></PageSection>
    </>
  );
}

function AllOfIt() {
  const { all } = useFleet();
  const { rows, logs } = useRows();
  const { gateway } = useSession();
  const now = useNow();
  const store = logs.status?.store;
  const groups = useMemo(
    () => needsOf({ clusters: all, logs: logs.byCluster, store, gatewayVersion: gateway.version, now }),
    [all, logs.byCluster, store, gateway.version, now],
  );
  if (rows.length === 0) return <FirstRun />;
  return (
    <Stack hasGutter>
      <StackItem><Tiles rows={rows} logs={logs} /></StackItem>
      <StackItem>
        <Grid hasGutter>
          <GridItem xl={7}><NeedsYou groups={groups} /></GridItem>
          <GridItem xl={5}><ByLabel rows={rows} /></GridItem>
        </Grid>
      </StackItem>
    </Stack>
  );
}
