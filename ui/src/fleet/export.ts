// Clusters as files: CSV for spreadsheets, JSON for programs.
//
// Invariant: no cell of the CSV is taken for a formula by a spreadsheet: what begins like one gets a quotation mark before it.

import type { Cluster } from "../api/fleet.ts";
import { csvLine } from "../parts/csv.ts";
import { labelText } from "./labels.ts";
import type { ClusterRow } from "./rows.ts";
import { certificateEnds } from "./signs.ts";

const COLUMNS: [string, (row: ClusterRow) => string | number | null | undefined][] = [
  ["name", ({ name }) => name],
  ["displayName", ({ cluster }) => cluster.spec.displayName],
  ["state", ({ cluster }) => cluster.status.state],
  ["reason", ({ cluster }) => cluster.status.reason],
  ["environment", ({ cluster }) => cluster.spec.environment],
  ["protection", ({ cluster }) => cluster.spec.protection],
  ["labels", ({ cluster }) => labelText(cluster.metadata.labels)],
  ["kubernetesVersion", ({ cluster }) => cluster.status.kubernetesVersion],
  ["agentVersion", ({ cluster }) => cluster.status.agentVersion],
  ["nodes", ({ cluster }) => cluster.status.nodes],
  ["lastSeen", ({ cluster }) => cluster.status.lastSeen],
  ["rttMs", ({ cluster }) => cluster.status.rttMs],
  ["certificateNotAfter", ({ cluster }) => moment(certificateEnds(cluster))],
  ["logRate", ({ log }) => log?.rate],
  ["logLagMs", ({ log }) => log?.lagMs],
  ["logWaiting", ({ log }) => log?.waiting],
  ["logLost", ({ log }) => (log === undefined ? undefined : log.lost + log.deadLetters)],
  ["created", ({ cluster }) => cluster.metadata.created],
  ["createdBy", ({ cluster }) => cluster.metadata.createdBy],
  ["origin", ({ cluster }) => cluster.status.origin],
  ["uid", ({ cluster }) => cluster.metadata.uid],
];

function moment(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** RFC 4180, with a head. */
export function csv(rows: readonly ClusterRow[]): string {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, value]) => value(row)))];
  return lines.map(csvLine).join("");
}

/** The list as the gateway gives it. */
export function json(rows: readonly ClusterRow[]): string {
  const items: Cluster[] = rows.map(({ cluster }) => cluster);
  return `${JSON.stringify({ apiVersion: "trunkline.dev/v1", kind: "ClusterList", items }, null, 2)}\n`;
}
