// What applies to one pod: for ingress and for egress the policies that are for it, in order, and what becomes of traffic, as
// far as that can be said without knowing the traffic.
//
// As projectcalico/calico has it: an endpoint's labels are the pod's and those of Calico, with those of its namespace and service
// account under prefixes (libcalico-go/lib/backend/k8s/conversion: workload_endpoint_default.go, constants.go); a tier counts when
// a policy of it is for the endpoint in this direction; a rule that passes leads to the next tier; at the end of a tier comes its
// default action, unless all of its policies are staged (felix/rules/endpoints.go, endOfTierDrop); after the last tier the
// namespace's profile allows (conversion.go, NamespaceToProfile). The same is so without Calico: a pod that a NetworkPolicy is
// for gets only what one allows, any other gets everything.
//
// Invariants: what is said to decide does so for all traffic that comes so far; what cannot be known is said, and not guessed.

import { ACCOUNT_LABEL, ACCOUNTS, NAMESPACE_LABEL, NAMESPACES, type Policy } from "./policy.ts";
import type { Tier } from "./order.ts";
import type { Direction, Rule } from "./rules.ts";
import type { Labels } from "./selector.ts";

/** What selectors look at of a pod. */
export interface PodFacts {
  name: string;
  namespace: string;
  labels: Record<string, string>;
  serviceAccount: string;
  hostNetwork: boolean;
}

/** Labels of the pod's namespace and service account; null where they could not be read. */
export interface Around {
  namespace: Record<string, string> | null;
  serviceAccount: Record<string, string> | null;
}

export interface Endpoint {
  labels: Labels;
  hostNetwork: boolean;
  /** Prefixes of labels that could not be read. */
  unknown: string[];
}

const NAME = "projectcalico.org/name";
/** Names of service accounts from this length on are no label. */
const LONG_NAME = 63;

export function endpointOf(pod: PodFacts, around: Around): Endpoint {
  const labels = new Map(Object.entries(pod.labels));
  labels.set(NAMESPACE_LABEL, pod.namespace);
  labels.set("projectcalico.org/orchestrator", "k8s");
  if (pod.serviceAccount !== "" && pod.serviceAccount.length < LONG_NAME) labels.set(ACCOUNT_LABEL, pod.serviceAccount);
  const inherit = (prefix: string, name: string, own: Record<string, string> | null) => {
    for (const [key, value] of Object.entries(own ?? {})) labels.set(prefix + key, value);
    if (name !== "") labels.set(prefix + NAME, name);
  };
  inherit(NAMESPACES.prefix, pod.namespace, around.namespace);
  // The API server labels every namespace with its name, whether or not the rest may be read.
  labels.set(`${NAMESPACES.prefix}kubernetes.io/metadata.name`, pod.namespace);
  inherit(ACCOUNTS.prefix, pod.serviceAccount, around.serviceAccount);
  const unknown = [
    ...(around.namespace === null ? [NAMESPACES.prefix] : []),
    ...(around.serviceAccount === null ? [ACCOUNTS.prefix] : []),
  ];
  return { labels, hostNetwork: pod.hostNetwork, unknown };
}

/** Whether a policy is for a pod. */
export function isFor({ subject }: Policy, endpoint: Endpoint): "yes" | "no" | "unknown" {
  if (endpoint.hostNetwork || subject.hostsOnly) return "no";
  if (subject.unreadable !== "") return "unknown";
  const known = subject.selectors.filter(({ uses }) => ![...uses].some((label) => isUnknown(label, endpoint)));
  if (known.some((selector) => !selector.test(endpoint.labels))) return "no";
  return known.length === subject.selectors.length ? "yes" : "unknown";
}

function isUnknown(label: string, { labels, unknown }: Endpoint): boolean {
  return !labels.has(label) && unknown.some((prefix) => label.startsWith(prefix));
}

/**
 * What a rule does: it decides or passes for all traffic that comes to it; it does so for the traffic that fits it; it only logs;
 * nothing ever comes to it.
 */
export type Effect = "decides" | "passes" | "some" | "logs" | "unreached";

export interface PolicyStep {
  policy: Policy;
  /** `unknown`: whether it is for the pod cannot be said. Neither it nor a staged one changes what becomes of traffic here. */
  state: "applies" | "staged" | "unknown" | "unreached";
  rules: { rule: Rule; effect: Effect }[];
}

export interface TierStep {
  tier: Tier;
  policies: PolicyStep[];
  /** What happens at the tier's end: null where nothing comes to it, or where no policy in force of the tier is for the pod. */
  end: "Deny" | "Pass" | null;
}

export interface Verdict {
  direction: Direction;
  tiers: TierStep[];
  /** What becomes of traffic that no rule before fitted. */
  action: "Allow" | "Deny";
  by: { what: "rule"; policy: Policy; rule: number } | { what: "tier"; tier: Tier } | { what: "default" };
  /** How many rules before that take some traffic out, by what they do with it. */
  before: { allow: number; deny: number; pass: number };
  /** There are policies of which nobody can say whether they are for the pod. */
  uncertain: boolean;
}

/** What becomes of a pod's traffic in one direction. */
export function verdict(tiers: Tier[], endpoint: Endpoint, direction: Direction): Verdict {
  const result: Verdict = {
    direction, tiers: [], action: "Allow", by: { what: "default" }, before: { allow: 0, deny: 0, pass: 0 }, uncertain: false,
  };
  let over = false;
  for (const tier of tiers) {
    if (tier.missing) continue;
    const walk = walkTier(tier, endpoint, direction, over);
    if (walk.step.policies.length === 0) continue;
    result.tiers.push(walk.step);
    result.uncertain ||= walk.step.policies.some(({ state }) => state === "unknown");
    if (over) continue;
    for (const action of ["allow", "deny", "pass"] as const) result.before[action] += walk.before[action];
    if (walk.decided !== null) {
      over = true;
      result.action = walk.decided.policy.rules[direction][walk.decided.rule]?.action === "Allow" ? "Allow" : "Deny";
      result.by = { what: "rule", ...walk.decided };
    } else if (walk.step.end === "Deny") {
      over = true;
      result.action = "Deny";
      result.by = { what: "tier", tier };
    }
  }
  return result;
}

interface Walk {
  step: TierStep;
  decided: { policy: Policy; rule: number } | null;
  before: Verdict["before"];
}

function walkTier(tier: Tier, endpoint: Endpoint, direction: Direction, over: boolean): Walk {
  const step: TierStep = { tier, policies: [], end: null };
  const walk: Walk = { step, decided: null, before: { allow: 0, deny: 0, pass: 0 } };
  let past = over;
  let counts = false;
  for (const policy of tier.policies) {
    if (!policy.directions.includes(direction)) continue;
    const applies = isFor(policy, endpoint);
    if (applies === "no") continue;
    const rules = policy.rules[direction];
    if (applies === "unknown" || policy.staged) {
      const rest = rules.map((rule) => ({ rule, effect: effectOf(rule) }));
      step.policies.push({ policy, state: applies === "unknown" ? "unknown" : "staged", rules: rest });
      continue;
    }
    counts = true;
    const state = past ? "unreached" : "applies";
    const effects = rules.map((rule, index) => {
      if (past) return { rule, effect: "unreached" as const };
      const effect = effectOf(rule);
      if (effect === "decides") walk.decided = { policy, rule: index };
      if (effect === "decides" || effect === "passes") past = true;
      if (effect === "some" && rule.action !== "Log") walk.before[lower(rule.action)]++;
      return { rule, effect };
    });
    step.policies.push({ policy, state, rules: effects });
  }
  if (counts && !past) step.end = tier.defaultAction;
  return walk;
}

function effectOf(rule: Rule): Effect {
  if (rule.action === "Log") return "logs";
  if (!rule.everything) return "some";
  return rule.action === "Pass" ? "passes" : "decides";
}

function lower(action: Exclude<Rule["action"], "Log">): "allow" | "deny" | "pass" {
  return action === "Allow" ? "allow" : action === "Deny" ? "deny" : "pass";
}

/** What becomes of a pod's traffic, in a sentence or two. */
export function verdictWords({ action, by, before, tiers, uncertain }: Verdict): string {
  const taken = [["allow", before.allow], ["deny", before.deny], ["pass", before.pass]].filter(([, many]) => many !== 0);
  const but = taken.length === 0 ? "" : `, but for what rules before it catch: ${taken.map(([word, many]) => `${many} ${word}`).join(", ")}`;
  const done = action === "Allow" ? "allowed" : "denied";
  const doubt = uncertain ? " It cannot be said of every policy whether it is for this pod." : "";
  switch (by.what) {
    case "rule":
      return `Everything is ${done} by rule ${by.rule + 1} of ${by.policy.name}${but}.${doubt}`;
    case "tier":
      return `Everything is ${done} at the end of the tier ${by.tier.name}${but}.${doubt}`;
    case "default":
      return tiers.length === 0 ? `Everything is allowed: no policy is for this pod.${doubt}` : `Everything is allowed by default${but}.${doubt}`;
  }
}
