// How a cluster looks wherever it is named: its state by shape, colour and word, its environment, its protection.

import { Label } from "@patternfly/react-core";
import {
  CheckCircleIcon, DisconnectedIcon, ExclamationCircleIcon, ExclamationTriangleIcon, InProgressIcon, LockIcon, ShieldAltIcon,
} from "@patternfly/react-icons";
import type { ComponentProps, ComponentType } from "react";
import type { Shapes } from "../api/client.ts";
import type { Cluster } from "../api/fleet.ts";
import { milliseconds } from "./numbers.ts";

type State = Shapes["ClusterState"];
type Colour = NonNullable<ComponentProps<typeof Label>["color"]>;

const STATES: Record<State, { words: string; colour: Colour; icon: ComponentType }> = {
  joining: { words: "Joining", colour: "blue", icon: InProgressIcon },
  connected: { words: "Connected", colour: "green", icon: CheckCircleIcon },
  degraded: { words: "Degraded", colour: "orange", icon: ExclamationTriangleIcon },
  disconnected: { words: "Disconnected", colour: "grey", icon: DisconnectedIcon },
  locked: { words: "Locked", colour: "purple", icon: LockIcon },
  "duplicate-identity": { words: "Duplicate identity", colour: "red", icon: ExclamationCircleIcon },
};

export function stateWords(state: State): string {
  return STATES[state].words;
}

/** The state in a word. */
export function StateLabel({ state }: { state: State }) {
  const { words, colour, icon: Icon } = STATES[state];
  return <Label isCompact color={colour} icon={<Icon />}>{words}</Label>;
}

/** The state as a dot with its word for those who do not see it, and the round trip. */
export function StateDot({ cluster }: { cluster: Cluster }) {
  const { words, icon: Icon } = STATES[cluster.status.state];
  const rtt = cluster.status.state === "connected" ? cluster.status.rttMs : null;
  return (
    <span className="tl-dot" data-state={cluster.status.state}>
      <Icon />
      <span className="pf-v6-screen-reader">{words}</span>
      {rtt !== null && rtt !== undefined && <span className="tl-rtt">{milliseconds(rtt)}</span>}
    </span>
  );
}

/** The kinds of environments that have a look of their own; any other has the look of none. */
export function environmentLook(environment: string): "production" | "staging" | "development" | "other" | "none" {
  const name = environment.toLowerCase();
  if (name === "") return "none";
  if (/^prod/.test(name)) return "production";
  if (/^(stag|pre|qa|uat)/.test(name)) return "staging";
  if (/^(dev|test|lab|sandbox)/.test(name)) return "development";
  return "other";
}

const LOOKS: Record<ReturnType<typeof environmentLook>, Colour> = {
  production: "red", staging: "orange", development: "teal", other: "blue", none: "grey",
};

export function EnvironmentLabel({ environment }: { environment: string }) {
  if (environment === "") return null;
  return <Label isCompact variant="outline" color={LOOKS[environmentLook(environment)]}>{environment}</Label>;
}

const PROTECTIONS: Record<Shapes["Protection"], string> = {
  none: "",
  confirm: "Changes are confirmed",
  "read-only": "Read-only",
};

export function ProtectionLabel({ protection }: { protection: Shapes["Protection"] | undefined }) {
  const words = PROTECTIONS[protection ?? "none"];
  if (words === "") return null;
  return <Label isCompact variant="outline" icon={<ShieldAltIcon />}>{words}</Label>;
}

/** Whether nothing may be changed in a cluster, so that actions are absent and do not fail. */
export function isReadOnly(cluster: Cluster | undefined): boolean {
  return cluster?.spec.protection === "read-only" || cluster?.status.state === "locked";
}
