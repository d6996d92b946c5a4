// Which policies are shown: by words, kind, label, and whether they are in force. Pure; what hides is counted by who asks.

import type { Tier } from "./order.ts";
import type { Policy } from "./policy.ts";

export interface Filter {
  /** Words that must all be in what is seen of a policy. */
  text: string;
  /** `staged`, `enforced`, or empty for both. */
  force: string;
  kind: string;
  /** `key=value` or `key`, of the policy itself. */
  label: string;
}

export function isFilter({ text, force, kind, label }: Filter): boolean {
  return text.trim() !== "" || force !== "" || kind !== "" || label.trim() !== "";
}

export function fits(policy: Policy, { text, force, kind, label }: Filter): boolean {
  if (force === "staged" && !policy.staged) return false;
  if (force === "enforced" && policy.staged) return false;
  if (kind !== "" && policy.kind.kind !== kind) return false;
  if (label.trim() !== "" && !hasLabel(policy, label.trim())) return false;
  const seen = [policy.name, policy.namespace, policy.tier, policy.kind.kind, policy.subject.pods, policy.subject.namespaces].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => seen.includes(word));
}

function hasLabel({ object }: Policy, asked: string): boolean {
  const [key = "", value] = asked.split(/=+/);
  const found = new Map(Object.entries(object.metadata.labels ?? {})).get(key.trim());
  return found !== undefined && (value === undefined || found === value.trim());
}

/** The tiers with what fits; a tier of which nothing fits stays if nothing was asked for. */
export function filtered(tiers: Tier[], filter: Filter): Tier[] {
  if (!isFilter(filter)) return tiers;
  return tiers
    .map((tier) => ({ ...tier, policies: tier.policies.filter((policy) => fits(policy, filter)) }))
    .filter(({ policies }) => policies.length > 0);
}
