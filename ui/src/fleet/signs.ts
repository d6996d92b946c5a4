// What can be seen to be amiss with a cluster beside its state: an old agent, a certificate that ends, logs that stay behind.

import type { Cluster } from "../api/fleet.ts";
import { behindMs, type LogSum } from "./logs.ts";
import { isOlder } from "./version.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Certificates from files are renewed by people, who want a week. */
const SOON = 7 * DAY;
/** Enrolled agents renew theirs at half of its life (12 h of 24 h): one with so little left was not renewed when it should have been. */
const LATE = 2 * HOUR;
/** Records that are so late, or a spool that is so full, want a look. */
export const LAG_MS = 60_000;
export const FULL = 0.8;

/** Words that `?status=` takes beside the states. */
export type Sign = "update" | "certificate" | "logs" | "lost";

export interface Signs {
  /** The agent is older than the gateway. */
  update: boolean;
  /** Why the certificate wants a look; empty if it does not. */
  certificate: string;
  /** Why the logs want a look; empty if they do not. */
  logs: string;
  /** Records were lost, or not taken, since the gateway started. */
  lost: boolean;
}

export function signsOf(cluster: Cluster, log: LogSum | undefined, gatewayVersion: string, now: number): Signs {
  const { agentVersion } = cluster.status;
  return {
    update: agentVersion ? isOlder(agentVersion, gatewayVersion) : false,
    certificate: ofCertificate(cluster, now),
    logs: log === undefined ? "" : ofLogs(log, now),
    lost: log !== undefined && log.lost + log.deadLetters > 0,
  };
}

/** When the first of a cluster's certificates ends, in ms since 1970; null where none is known. */
export function certificateEnds(cluster: Cluster): number | null {
  const inUse = cluster.status.certificateNotAfter;
  if (inUse) return Date.parse(inUse);
  const held = (cluster.status.slots ?? []).flatMap(({ certificateNotAfter }) => certificateNotAfter ? [Date.parse(certificateNotAfter)] : []);
  return held.length === 0 ? null : Math.min(...held);
}

function ofCertificate(cluster: Cluster, now: number): string {
  const ends = cluster.status.certificateNotAfter ? Date.parse(cluster.status.certificateNotAfter) : null;
  if (ends === null) return "";
  if (ends <= now) return "a certificate in use has ended";
  const enrolled = cluster.status.origin !== "file";
  if (enrolled) return ends - now < LATE ? "the certificate was not renewed in time: the agent renews at half of its life" : "";
  return ends - now < SOON ? "the certificate ends within 7 days, and its agent does not renew it: it comes from files" : "";
}

function ofLogs(log: LogSum, now: number): string {
  if (log.why !== "") return log.why;
  if (log.full >= FULL) return `a spool is ${Math.round(log.full * 100)} % full; when it is full, records are refused or the oldest are lost`;
  const behind = behindMs(log, now);
  return behind !== null && behind > LAG_MS ? "records arrive late" : "";
}
