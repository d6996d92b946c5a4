// A cluster at a glance: what is broken first, then what warned, then what it has, and the way to it.

import { Alert, Card, CardBody, CardTitle, Gallery, PageSection, Stack, StackItem } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { titleOf, useFleet, type Cluster } from "../../api/fleet.ts";
import { useNamespace } from "../../app/place.ts";
import { EnvironmentLabel, ProtectionLabel, StateLabel } from "../../parts/cluster.tsx";
import { Head } from "../../parts/Head.tsx";
import { Failed, Loading, Nothing } from "../../parts/states.tsx";
import { asText } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { useWorkloads } from "../workloads/useWorkloads.ts";
import { ObjectCounts, PolicyCounts } from "./Counts.tsx";
import { Broken, Warnings } from "./Failing.tsx";
import { Nodes } from "./Nodes.tsx";
import { MyRights } from "./Rights.tsx";
import { Hops, LogLane, Tunnel } from "./Way.tsx";

export function Overview() {
  const { cluster = "" } = useParams();
  const { byName, synced, fault } = useFleet();
  const known = byName.get(cluster);
  if (known === undefined) {
    if (fault !== null) return <PageSection><Failed error={fault} /></PageSection>;
    if (!synced) return <PageSection><Loading of="the fleet" /></PageSection>;
    return <PageSection><Nothing title={`There is no cluster ${cluster}`} action={<Link to="/clusters">All clusters</Link>}>It was removed, or you may not see it.</Nothing></PageSection>;
  }
  const { status, spec } = known;
  const labels = (
    <>
      <StateLabel state={status.state} /> <EnvironmentLabel environment={spec.environment ?? ""} /> <ProtectionLabel protection={spec.protection} />{" "}
      {status.kubernetesVersion !== null && status.kubernetesVersion !== undefined && `Kubernetes ${asText(status.kubernetesVersion)}`}
    </>
  );
  const reached = status.state === "connected" || status.state === "degraded" || status.origin === "management";
  return (
    <>
      <Head title={titleOf(known)} about={labels} />
      <PageSection hasBodyWrapper={false} isFilled>
        <Stack hasGutter>
          {spec.description !== undefined && spec.description !== "" && <StackItem>{asText(spec.description)}</StackItem>}
          <StackItem><Trouble cluster={known} /></StackItem>
          <StackItem>{reached ? <Whole key={cluster} cluster={known} /> : <Away cluster={known} />}</StackItem>
        </Stack>
      </PageSection>
    </>
  );
}

/** Why it is in the state it is in, where that is not a good one. */
function Trouble({ cluster }: { cluster: Cluster }) {
  const { status, metadata: { name } } = cluster;
  if (status.state === "connected" && (status.reason ?? "") === "") return null;
  const variant = status.state === "degraded" || status.state === "connected" ? "warning" : status.state === "joining" ? "info" : "danger";
  const title = {
    connected: "It is connected", degraded: "The tunnel is up; the cluster is not well", disconnected: "The cluster is not connected",
    joining: "The cluster is joining", locked: "The cluster is locked", "duplicate-identity": "Two agents say they are this cluster",
  }[status.state];
  return (
    <Alert isInline variant={variant} title={title} actionLinks={<Link to={`/clusters/${encodeURIComponent(name)}`}>Troubleshoot</Link>}>
      {asText(status.reason ?? "")}
      {status.state === "disconnected" && <p>Last seen <Age of={status.lastSeen} ago />.</p>}
    </Alert>
  );
}

function Part({ title, wide = false, children }: { title: string; wide?: boolean; children: ReactNode }) {
  return (
    <Card isCompact className={wide ? "tl-card tl-card-wide" : "tl-card"}>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody>{children}</CardBody>
    </Card>
  );
}

function Whole({ cluster }: { cluster: Cluster }) {
  const { name } = cluster.metadata;
  const [namespace] = useNamespace();
  const workloads = useWorkloads(name, namespace);
  return (
    <Gallery hasGutter minWidths={{ default: "100%", md: "20rem" }}>
      <Part title={namespace === "" ? "Broken workloads" : `Broken workloads in ${namespace}`} wide><Broken cluster={name} view={workloads} /></Part>
      <Part title="Warnings of the last hour"><Warnings cluster={name} warnings={workloads.warnings} /></Part>
      <Part title="Nodes"><Nodes cluster={name} /></Part>
      <Part title="Health"><Hops cluster={name} /></Part>
      <Part title="Tunnel"><Tunnel cluster={cluster} /></Part>
      <Part title="Logs"><LogLane cluster={name} /></Part>
      <Part title="Objects"><ObjectCounts cluster={name} /></Part>
      <Part title="Policies"><PolicyCounts cluster={name} /></Part>
      <Part title="My rights here"><MyRights cluster={name} namespace={namespace} /></Part>
    </Gallery>
  );
}

/** What is known of a cluster that is not reached. */
function Away({ cluster }: { cluster: Cluster }) {
  return (
    <Gallery hasGutter minWidths={{ default: "100%", md: "20rem" }}>
      <Part title="Health"><Hops cluster={cluster.metadata.name} /></Part>
      <Part title="Tunnel"><Tunnel cluster={cluster} /></Part>
      <Part title="Logs"><LogLane cluster={cluster.metadata.name} /></Part>
    </Gallery>
  );
}
