// The columns of the managed clusters' table.

import { Label, LabelGroup } from "@patternfly/react-core";
import { SyncAltIcon } from "@patternfly/react-icons";
import { Link } from "react-router";
import { titleOf } from "../api/fleet.ts";
import { EnvironmentLabel, ProtectionLabel, StateLabel } from "../parts/cluster.tsx";
import type { DataColumn } from "../parts/DataTable.tsx";
import { count, milliseconds } from "../parts/numbers.ts";
import { harmless } from "../parts/text.ts";
import { Age, span, useNow } from "../parts/time.tsx";
import { behindMs } from "./logs.ts";
import { labelText } from "./labels.ts";
import { clusterPath } from "./paths.ts";
import { STATES, type ClusterRow } from "./rows.ts";
import { certificateEnds } from "./signs.ts";
import { versionKey } from "./version.ts";

/** What is not known comes after all that is. */
const LAST = Number.MAX_SAFE_INTEGER;
const FIRST = -1;

/** The worst first. */
const URGENCY: readonly string[] = ["duplicate-identity", "disconnected", "degraded", "joining", "locked", ...STATES];

export function columns(withLogs: boolean): DataColumn<ClusterRow>[] {
  return [
    {
      key: "name", title: "Cluster", width: 14, sort: ({ name }) => name,
      cell: ({ cluster, name }) => {
        const title = titleOf(cluster);
        return <><Link to={clusterPath(name)}>{title}</Link>{title !== name && <small className="tl-subtle"> {name}</small>}</>;
      },
    },
    {
      key: "state", title: "Status", width: 10, sort: ({ cluster }) => URGENCY.indexOf(cluster.status.state),
      cell: ({ cluster }) => <State reason={cluster.status.reason ?? ""} state={cluster.status.state} />,
    },
    { key: "env", title: "Environment", width: 8, sort: ({ cluster }) => cluster.spec.environment ?? "", cell: ({ cluster }) => <EnvironmentLabel environment={cluster.spec.environment ?? ""} /> },
    {
      key: "kubernetes", title: "Kubernetes", width: 7, sort: ({ cluster }) => versionKey(cluster.status.kubernetesVersion),
      cell: ({ cluster }) => harmless(cluster.status.kubernetesVersion ?? "–"),
    },
    {
      key: "agent", title: "Agent", width: 9, sort: ({ cluster }) => versionKey(cluster.status.agentVersion),
      cell: ({ cluster, signs }) => (
        <>
          {harmless(cluster.status.agentVersion ?? "–")}
          {signs.update && <> <Label isCompact color="blue" icon={<SyncAltIcon />} title="older than the gateway">update</Label></>}
        </>
      ),
    },
    { key: "nodes", title: "Nodes", width: 5, sort: ({ cluster }) => cluster.status.nodes ?? FIRST, cell: ({ cluster }) => (cluster.status.nodes == null ? "–" : count(cluster.status.nodes)) },
    {
      key: "seen", title: "Last seen", width: 6, sort: ({ cluster }) => (cluster.status.lastSeen ? Date.parse(cluster.status.lastSeen) : FIRST),
      cell: ({ cluster }) => (isUp(cluster.status.state) ? "now" : <Age of={cluster.status.lastSeen} ago />),
    },
    { key: "rtt", title: "RTT", width: 5, sort: ({ cluster }) => cluster.status.rttMs ?? FIRST, cell: ({ cluster }) => milliseconds(cluster.status.rttMs) },
    ...(withLogs ? LOGS : []),
    { key: "certificate", title: "Certificate", width: 8, sort: ({ cluster }) => certificateEnds(cluster) ?? LAST, cell: (row) => <Certificate row={row} /> },
    { key: "labels", title: "Labels", width: 14, sort: ({ cluster }) => labelText(cluster.metadata.labels), cell: ({ cluster }) => <Labels labels={cluster.metadata.labels} /> },
    { key: "protection", title: "Protection", width: 10, sort: ({ cluster }) => cluster.spec.protection ?? "none", cell: ({ cluster }) => <ProtectionLabel protection={cluster.spec.protection} /> },
  ];
}

const LOGS: DataColumn<ClusterRow>[] = [
  { key: "rate", title: "Logs/s", width: 5, sort: ({ log }) => log?.rate ?? FIRST, cell: ({ log }) => (log === undefined ? "–" : rate(log.rate)) },
  {
    key: "lag", title: "Log lag", width: 6, sort: ({ log }) => (log === undefined ? FIRST : (behindMs(log, Date.now()) ?? FIRST)),
    cell: (row) => <Lag row={row} />,
  },
];

function isUp(state: string): boolean {
  return state === "connected" || state === "degraded" || state === "duplicate-identity";
}

function rate(perSecond: number): string {
  return perSecond >= 10 ? count(Math.round(perSecond)) : perSecond.toFixed(perSecond === 0 ? 0 : 1);
}

function State({ state, reason }: { state: ClusterRow["cluster"]["status"]["state"]; reason: string }) {
  return (
    <span title={reason === "" ? undefined : harmless(reason)}>
      <StateLabel state={state} />
      {reason !== "" && <small className="tl-reason"> {harmless(reason)}</small>}
    </span>
  );
}

export function Labels({ labels, all = false }: { labels: Readonly<Record<string, string>> | undefined; all?: boolean }) {
  const each = Object.entries(labels ?? {});
  if (each.length === 0) return all ? <span>none</span> : null;
  if (!all) return <span title={labelText(labels)}>{each.map(([key, value]) => `${key}=${value}`).join(" ")}</span>;
  return (
    <LabelGroup numLabels={20} aria-label="Labels">
      {each.map(([key, value]) => <Label key={key} isCompact variant="outline">{key}={value}</Label>)}
    </LabelGroup>
  );
}

function Lag({ row: { log, signs } }: { row: ClusterRow }) {
  const now = useNow();
  if (log === undefined) return <>–</>;
  const behind = behindMs(log, now);
  const words = behind === null ? "–" : behind < 1_000 ? "< 1 s" : span(behind);
  const lost = log.lost + log.deadLetters;
  return (
    <span title={signs.logs === "" ? undefined : harmless(signs.logs)}>
      {signs.logs === "" ? words : <Label isCompact color="orange">{words}</Label>}
      {lost > 0 && <> <Label isCompact color="red">{count(lost)} lost</Label></>}
    </span>
  );
}

function Certificate({ row: { cluster, signs } }: { row: ClusterRow }) {
  const now = useNow();
  const ends = certificateEnds(cluster);
  if (ends === null) return <>–</>;
  const left = ends <= now ? "ended" : span(ends - now);
  const exact = new Date(ends).toISOString();
  return <span title={signs.certificate === "" ? exact : `${signs.certificate}; ${exact}`}>{signs.certificate === "" ? left : <Label isCompact color="orange">{left}</Label>}</span>;
}
