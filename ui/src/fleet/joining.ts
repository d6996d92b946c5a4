// How far a cluster's joining is, as the gateway tells it: in the cluster's status from the registration until a minute after the
// last step, and under /joining for as long as the gateway remembers.

import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../api/client.ts";
import { asFault } from "../api/fault.ts";
import { type Cluster, useFleet } from "../api/fleet.ts";

export type Joining = Shapes["Joining"];
export type JoinStep = Shapes["JoinStep"];
export type StepName = Shapes["JoinStepName"];

const WORDS: Record<StepName, { title: string; waiting: string }> = {
  contact: { title: "First contact", waiting: "waiting for the agent to reach the gateway" },
  tls: { title: "TLS", waiting: "checking that the agent trusts the gateway" },
  token: { title: "Join token", waiting: "checking the join token" },
  certificate: { title: "Certificate", waiting: "issuing the agent's certificate" },
  tunnel: { title: "Tunnel", waiting: "waiting for the tunnel" },
  "api-server": { title: "API server", waiting: "waiting for the API server's first answer" },
  rights: { title: "Rights", waiting: "checking the agent's rights in the cluster" },
  logs: { title: "First log record", waiting: "waiting for the first log record" },
};

export interface StepView {
  step: JoinStep;
  title: string;
  /** `next` is a step whose turn has not come. */
  look: "done" | "current" | "next" | "stalled" | "failed";
  /** What there is to say about it now. */
  words: string;
}

/** The checklist: what is done, the one step it stands at, and what is to come. */
export function checklist(joining: Joining): StepView[] {
  const current = joining.steps.findIndex(({ state }) => state !== "done");
  return joining.steps.map((step, at) => {
    // A gateway that is newer than this page may know more steps.
    const { title, waiting } = (WORDS as Partial<typeof WORDS>)[step.name] ?? { title: step.name, waiting: "" };
    const look = step.state === "waiting" ? (at === current ? "current" : "next") : step.state;
    const words = look === "done" ? (step.detail ?? "") : look === "current" ? waiting : (step.cause ?? "");
    return { step, title, look, words };
  });
}

/** In a sentence, for who does not see the list. */
export function progress(joining: Joining): string {
  const views = checklist(joining);
  const done = views.filter(({ look }) => look === "done").length;
  if (joining.done) return `The cluster has joined: ${done} of ${views.length} steps are done.`;
  const at = views.find(({ look }) => look !== "done");
  const stands = at?.look === "stalled" ? "stands still" : at?.look === "failed" ? "failed" : "is under way";
  return `${done} of ${views.length} steps are done. ${at?.title ?? ""} ${stands}${at === undefined || at.words === "" ? "" : `: ${at.words}`}.`;
}

const PROGRAMS = /^(kubectl|trunkline|helm|nc|curl|openssl|timedatectl|chronyc) /;

/** What to do, line by line: a command to copy, or words. */
export function remedy(step: JoinStep): { text: string; isCommand: boolean }[] {
  const lines = (step.fix ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines.map((text) => ({ text, isCommand: PROGRAMS.test(text) }));
}

const WANT_TOKEN = new Set(["TokenExpired", "TokenUsed", "TokenUnknown", "KeyUnknown", "AwayTooLong", "VersionSkew"]);

/** Whether a new join token is what helps. */
export function wantsToken(step: JoinStep): boolean {
  return WANT_TOKEN.has(step.reason ?? "");
}

/** What a cluster's status says of its joining. */
export function joiningIn(cluster: Cluster | undefined): Joining | null {
  return cluster?.status.joining ?? null;
}

/** The step that stands still or failed; null if none does. */
export function stoppedAt(cluster: Cluster): JoinStep | null {
  return joiningIn(cluster)?.steps.find(({ state }) => state === "stalled" || state === "failed") ?? null;
}

/** How a cluster's joining goes: from the fleet's watch, or as the gateway remembers it. Null where it does not. */
export function useJoining(name: string): Joining | null {
  const live = joiningIn(useFleet().byName.get(name));
  const { data } = useQuery({
    queryKey: ["joining", name],
    enabled: name !== "" && live === null,
    queryFn: async () => {
      try {
        return (await take(rest.GET("/trunkline/v1/clusters/{name}/joining", { params: { path: { name } } }))).joining ?? null;
      } catch (error) {
        // A cluster that is gone, or one of the gateway's file.
        if (asFault(error).status === 404) return null;
        throw error;
      }
    },
  });
  return live ?? data ?? null;
}
