/** A cluster that joins, step by step; it may be made to stand still at one. */
import { iso, STEPS, type Joining, type Step } from "./shapes.ts";

const DONE: Record<Step["name"], (now: number) => Partial<Step>> = {
  contact: () => ({ detail: "from 203.0.113.7:41231" }),
  tls: () => ({ detail: "the agent trusts the gateway: the pin matches" }),
  token: () => ({ detail: "the join token was accepted" }),
  certificate: (now) => ({ detail: `good for 24 h, until ${iso(now + 86_400_000)}` }),
  tunnel: () => ({ detail: "from 203.0.113.7:41231, agent 0.1.0", ms: 38.2 }),
  "api-server": () => ({ detail: "v1.34.2, 12 nodes" }),
  rights: () => ({ detail: "5 of 5" }),
  logs: () => ({ detail: "the first record has come" }),
};

type Stall = Pick<Step, "state" | "reason" | "cause" | "fix">;

/** What it may stand still for, by the step's name: the causes that a gateway tells apart. */
export const STALLS: Record<Step["name"], Stall> = {
  contact: { state: "stalled", reason: "NoContact", cause: "nobody has come to gateway.example.com:8444 for this cluster in 20 s: the way out of the cluster may be closed", fix: "kubectl -n trunkline logs deploy/trunkline-agent" },
  tls: { state: "failed", reason: "TlsIntercepted", cause: "the agent was shown a certificate of “Corp Root CA”, and its manifest pins sha256:7f3a…: something on the way opens TLS", fix: "kubectl -n trunkline logs deploy/trunkline-agent" },
  token: { state: "failed", reason: "TokenUsed", cause: "an agent from 203.0.113.7 brings a join token that was used two minutes ago by an agent from 198.51.100.9", fix: "trunkline clusters register branch-42 --renew\nkubectl apply -f trunkline-agent-branch-42.yaml" },
  certificate: { state: "failed", reason: "ClockOff", cause: "the cluster's clock is 14 min behind the gateway's: its certificate would not hold yet", fix: "timedatectl set-ntp true" },
  tunnel: { state: "stalled", reason: "NoTunnel", cause: "the agent has its certificate, and no link has come up for 20 s", fix: "kubectl -n trunkline logs deploy/trunkline-agent" },
  "api-server": { state: "stalled", reason: "ApiServerDown", cause: "the API server does not answer the agent: connection refused (10.96.0.1:443)", fix: "kubectl get --raw /readyz" },
  rights: { state: "failed", reason: "RightMissing", cause: "the agent may not impersonate groups: the cluster role trunkline-agent lacks the rule", fix: "kubectl apply -f trunkline-agent-branch-42.yaml" },
  logs: { state: "stalled", reason: "NoRecords", cause: "no record has come for 60 s; is a shipper set up?", fix: "kubectl -n trunkline get ds" },
};

/** As it stands after so many steps. */
export function joiningAt(done: number, since: number, now: number, stalledAt?: Step["name"]): Joining {
  const stuck = stalledAt === undefined ? -1 : STEPS.indexOf(stalledAt);
  const through = stuck >= 0 ? Math.min(done, stuck) : done;
  const steps = STEPS.map((name, index): Step => {
    if (index < through) return { name, state: "done", since: iso(now - (through - index) * 1000), ...DONE[name](now) };
    if (index === through && index === stuck) return { name, since: iso(now - 21_000), ...STALLS[name] };
    return { name, state: "waiting", since: index === through ? iso(now) : null };
  });
  return { since: iso(since), done: through === STEPS.length, steps };
}
