// How policies look wherever they are named: kind, force, action; each by word and not by colour alone.

import { Label } from "@patternfly/react-core";
import { BanIcon, CheckCircleIcon, EyeIcon, ForwardIcon, ListIcon } from "@patternfly/react-icons";
import type { ComponentType } from "react";
import { Link } from "react-router";
import { asText } from "../parts/text.ts";
import { kindTitle } from "./kinds.ts";
import type { Tier } from "./order.ts";
import { actionSummary, type Policy } from "./policy.ts";
import type { Action, Direction } from "./rules.ts";
import { pageOf } from "./usePolicies.ts";

const ACTIONS: Record<Action, { colour: "green" | "red" | "blue" | "grey"; icon: ComponentType }> = {
  Allow: { colour: "green", icon: CheckCircleIcon },
  Deny: { colour: "red", icon: BanIcon },
  Pass: { colour: "blue", icon: ForwardIcon },
  Log: { colour: "grey", icon: ListIcon },
};

export function ActionLabel({ action }: { action: Action }) {
  const { colour, icon: Icon } = ACTIONS[action];
  return <Label isCompact color={colour} icon={<Icon />}>{action}</Label>;
}

export function StagedLabel({ policy }: { policy: Policy }) {
  if (!policy.staged) return null;
  const words = policy.stagedAction === "Set" ? "Staged" : `Staged: ${policy.stagedAction.toLowerCase()}`;
  return <Label isCompact color="purple" icon={<EyeIcon />} title="Calico reports what it would do, and does nothing">{asText(words)}</Label>;
}

export function KindLabel({ policy }: { policy: Policy }) {
  return <Label isCompact variant="outline" title={kindTitle(policy.kind.kind)}>{policy.kind.short}</Label>;
}

export function PolicyLink({ cluster, policy }: { cluster: string; policy: Policy }) {
  return <Link to={pageOf(cluster, policy.kind, policy.object)}>{asText(policy.name)}</Link>;
}

/** Whom it is for, in words. */
export function forWords({ subject, namespace }: Policy): string {
  const pods = subject.pods === "" ? "all pods" : subject.pods;
  const where = subject.namespaces === "" ? "in all namespaces" : namespace === "" ? `in namespaces ${subject.namespaces}` : `in ${namespace}`;
  return asText(`${pods} ${where}${subject.hostsOnly ? " (hosts only)" : ""}`);
}

/** `2 allow, 1 deny`; what it says where the policy has no rule, or nothing to do with the direction. */
export function rulesWords(policy: Policy, direction: Direction): string {
  if (!policy.directions.includes(direction)) return "–";
  const shape = policy.kind.shape;
  if (policy.rules[direction].length === 0 && shape !== "calico" && shape !== "kubernetes") return "no rule";
  return actionSummary(policy.rules[direction]) || "nothing allowed";
}

/** What happens at a tier's end, in words. */
export function endWords({ defaultAction }: Pick<Tier, "defaultAction">): string {
  return defaultAction === "Pass" ? "the rest goes on to the next tier" : "the rest is denied";
}
