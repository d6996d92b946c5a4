// What a cluster is: what people said of it, and what its agent told.

import { DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm } from "@patternfly/react-core";
import type { ReactNode } from "react";
import type { Cluster } from "../../api/fleet.ts";
import { useSession } from "../../app/session.tsx";
import { count, milliseconds } from "../../parts/numbers.ts";
import { harmless } from "../../parts/text.ts";
import { Age } from "../../parts/time.tsx";
import { LineToCopy } from "../CodeToCopy.tsx";
import { Labels } from "../columns.tsx";
import { protectionWords } from "../Field.tsx";
import { isOlder } from "../version.ts";

export function About({ cluster }: { cluster: Cluster }) {
  const { metadata, spec, status } = cluster;
  const { gateway } = useSession();
  const old = status.agentVersion && isOlder(status.agentVersion, gateway.version);
  const mode = status.passThrough?.length
    ? `pass-through: tokens for ${status.passThrough.join(" or ")}`
    : status.identity === "pass-through" ? "pass-through" : "impersonation: the agent acts as whoever asks";
  return (
    <DescriptionList isHorizontal isCompact columnModifier={{ default: "1Col", xl: "2Col" }} aria-label="About the cluster">
      <Said of="Name"><code>{metadata.name}</code></Said>
      <Said of="Description">{spec.description || "–"}</Said>
      <Said of="Labels"><Labels labels={metadata.labels} all /></Said>
      <Said of="Protection">{protectionWords(spec.protection)}</Said>
      <Said of="Kubernetes">{harmless(status.kubernetesVersion ?? "–")}</Said>
      <Said of="Nodes">{status.nodes == null ? "–" : count(status.nodes)}</Said>
      <Said of="Agent">{harmless(status.agentVersion ?? "–")}{old ? `, the gateway is ${gateway.version}` : ""}</Said>
      <Said of="Access mode">{mode}</Said>
      <Said of="Last seen">{status.state === "connected" || status.state === "degraded" ? "now" : <Age of={status.lastSeen} ago />}</Said>
      <Said of="Round trip">{milliseconds(status.rttMs)}</Said>
      {spec.locked && <Said of="Locked">by {spec.locked.by} <Age of={spec.locked.since} ago />{spec.locked.reason ? `: ${spec.locked.reason}` : ""}</Said>}
      <Said of="Registered">{metadata.created ? <><Age of={metadata.created} ago />{metadata.createdBy ? ` by ${metadata.createdBy}` : ""}</> : "it stands in the gateway's file"}</Said>
      <Said of="Identity"><code className="tl-code">{metadata.uid ?? "–"}</code></Said>
      <Said of="Revision">{metadata.revision}</Said>
      <Said of="By kubectl"><LineToCopy text={`trunkline use ${metadata.name} && kubectl get pods -A`} /></Said>
    </DescriptionList>
  );
}

export function Said({ of, children }: { of: string; children: ReactNode }) {
  return (
    <DescriptionListGroup>
      <DescriptionListTerm>{of}</DescriptionListTerm>
      <DescriptionListDescription>{children}</DescriptionListDescription>
    </DescriptionListGroup>
  );
}
