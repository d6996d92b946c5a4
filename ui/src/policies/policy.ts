// A policy of any kind in one shape: where it stands in the order, whom it is for, what its rules say.
//
// Kinds and what they mean:
// - Calico's (projectcalico.org/v3, or crd.projectcalico.org/v1 where there is no other): api/pkg/apis/projectcalico/v3;
// - NetworkPolicy (networking.k8s.io/v1): in Calico's order it stands in the tier `default` with the order 1,000
//   (libcalico-go/lib/backend/k8s/conversion/conversion.go, K8sNetworkPolicyToCalico);
// - AdminNetworkPolicy and its baseline (policy.networking.k8s.io/v1alpha1) by priority in tiers of their own, before and after
//   (Calico 3.29 to 3.31: libcalico-go adminnetworkpolicy conversion, api tier.go AdminNetworkPolicyTierOrder);
// - ClusterNetworkPolicy (v1alpha2) by priority in `kube-admin` or `kube-baseline` (clusternetworkpolicy.go, clusterNetworkPolicyTier).
//
// Invariants: never throws, whatever the object holds; a selector that cannot be read is said, and fits nobody for certain.

import type { KubeObject } from "../api/kube.ts";
import { labelSelector, labelSelectorWords } from "./labelSelector.ts";
import type { PolicyKind, Shape } from "./kinds.ts";
import { fields, isThere, list, number, text, texts, type Fields } from "./read.ts";
import { adminRule, calicoRule, kubernetesRule, type Direction, type Rule } from "./rules.ts";
import { parseSelector, SelectorError, type Labels, type Selector } from "./selector.ts";

export const NAMESPACE_LABEL = "projectcalico.org/namespace";
export const ACCOUNT_LABEL = "projectcalico.org/serviceaccount";
export const NAMESPACES = { prefix: "pcns.", present: NAMESPACE_LABEL };
export const ACCOUNTS = { prefix: "pcsa.", present: ACCOUNT_LABEL };

/** Whom a policy is for, among pods. */
export interface Subject {
  selectors: Selector[];
  /** In words: which pods, and of which namespaces. */
  pods: string;
  namespaces: string;
  /** Why it cannot be known; empty when it can. */
  unreadable: string;
  /** It is for hosts alone: before DNAT, or without tracking. */
  hostsOnly: boolean;
}

export interface Policy {
  /** `Kind/namespace/name` */
  key: string;
  kind: PolicyKind;
  object: KubeObject;
  /** Without the tier's name before it. */
  name: string;
  namespace: string;
  tier: string;
  /** Within the tier; null is after all others. */
  order: number | null;
  /** Calico only reports what it would do. */
  staged: boolean;
  /** What a staged policy is for: `Set`, `Delete`, ...; empty for others. */
  stagedAction: string;
  directions: Direction[];
  rules: Record<Direction, Rule[]>;
  subject: Subject;
}

export const DEFAULT_TIER = "default";
const KUBERNETES_ORDER = 1_000;

/** The policy that an object is. */
export function policyOf(object: KubeObject, kind: PolicyKind): Policy {
  const spec = fields(object["spec"]);
  const { metadata } = object;
  const namespace = metadata.namespace ?? "";
  const staged = kind.kind.startsWith("Staged");
  return {
    key: `${kind.kind}/${namespace}/${metadata.name}`,
    kind,
    object,
    name: nameOf(metadata.name),
    namespace,
    ...placeOf(kind.shape, spec, metadata.name),
    staged,
    stagedAction: staged ? text(spec["stagedAction"]) || "Set" : "",
    directions: directionsOf(kind.shape, spec),
    rules: { ingress: rulesOf(kind.shape, spec, "ingress"), egress: rulesOf(kind.shape, spec, "egress") },
    subject: subjectOf(kind.shape, spec, namespace),
  };
}

/** Policies of the default tier are stored with its name before theirs (libcalico-go/lib/names/policy.go, TieredPolicyName). */
function nameOf(name: string): string {
  return name.startsWith(`${DEFAULT_TIER}.`) ? name.slice(DEFAULT_TIER.length + 1) : name;
}

function placeOf(shape: Shape, spec: Fields, name: string): Pick<Policy, "tier" | "order"> {
  const priority = number(spec["priority"]);
  switch (shape) {
    case "calico":
      return { tier: text(spec["tier"]) || tierFromName(name), order: number(spec["order"]) };
    case "kubernetes":
      return { tier: DEFAULT_TIER, order: KUBERNETES_ORDER };
    case "admin":
      return { tier: "adminnetworkpolicy", order: priority };
    case "baseline":
      return { tier: "baselineadminnetworkpolicy", order: priority };
    case "cluster":
      return { tier: text(spec["tier"]) === "Baseline" ? "kube-baseline" : "kube-admin", order: priority };
    case "tier":
      return { tier: DEFAULT_TIER, order: null };
  }
}

/** What stands before the first dot (names/policy.go, TierFromPolicyName), where the policy itself names no tier. */
function tierFromName(name: string): string {
  const at = name.indexOf(".");
  return at === -1 || /^(knp\.default|ossg)\./.test(name) ? DEFAULT_TIER : name.slice(0, at);
}

function directionsOf(shape: Shape, spec: Fields): Direction[] {
  const has = (direction: Direction) => list(spec[direction]).length > 0;
  const named = texts(spec[shape === "kubernetes" ? "policyTypes" : "types"]).map((type) => type.toLowerCase());
  const both: Direction[] = ["ingress", "egress"];
  if (shape === "admin" || shape === "baseline" || shape === "cluster") return both.filter(has);
  if (named.length > 0) return both.filter((direction) => named.includes(direction));
  // NetworkPolicy: always ingress, and egress if it has rules for it. Calico fills `types` in when a policy is written; one that
  // was written past it is for both (felix/calc/policy_sorter.go, ExtractPolicyMetadata).
  return shape === "kubernetes" && !has("egress") ? ["ingress"] : both;
}

function rulesOf(shape: Shape, spec: Fields, direction: Direction): Rule[] {
  const rules = list(spec[direction]).map((rule) => {
    if (shape === "calico") return calicoRule(rule, direction);
    if (shape === "kubernetes") return kubernetesRule(rule, direction);
    return adminRule(rule, direction);
  });
  return rules.filter((rule) => rule !== null);
}

function subjectOf(shape: Shape, spec: Fields, namespace: string): Subject {
  const subject: Subject = { selectors: [], pods: "", namespaces: namespace, unreadable: "", hostsOnly: false };
  try {
    if (shape === "calico") return { ...subject, ...calicoSubject(spec, namespace) };
    if (shape === "kubernetes") {
      const selectors = [inNamespace(namespace), labelSelector(spec["podSelector"])];
      return { ...subject, selectors, pods: labelSelectorWords(spec["podSelector"]) };
    }
    return { ...subject, ...adminSubject(fields(spec["subject"])) };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    return { ...subject, pods: text(spec["selector"]), unreadable: `its selector cannot be read: ${error.message}` };
  }
}

function calicoSubject(spec: Fields, namespace: string): Partial<Subject> {
  const [pods, namespaces, accounts] = [text(spec["selector"]), text(spec["namespaceSelector"]), text(spec["serviceAccountSelector"])];
  const words = [pods === "all()" ? "" : pods, ...(accounts === "" ? [] : [`service accounts ${accounts}`])].filter((one) => one !== "");
  return {
    selectors: [
      parseSelector(pods),
      ...(namespace === "" ? [] : [inNamespace(namespace)]),
      ...(namespaces === "" || namespace !== "" ? [] : [parseSelector(namespaces, NAMESPACES)]),
      ...(accounts === "" ? [] : [parseSelector(accounts, ACCOUNTS)]),
    ],
    pods: words.join("; "),
    namespaces: namespace || namespaces,
    hostsOnly: spec["preDNAT"] === true || spec["doNotTrack"] === true,
  };
}

function adminSubject(subject: Fields): Partial<Subject> {
  if (isThere(subject["namespaces"])) {
    return { selectors: [labelSelector(subject["namespaces"], NAMESPACES.prefix)], namespaces: labelSelectorWords(subject["namespaces"]) };
  }
  if (!isThere(subject["pods"])) throw new SelectorError("its subject is neither namespaces nor pods");
  const { namespaceSelector, podSelector } = fields(subject["pods"]);
  return {
    selectors: [labelSelector(namespaceSelector, NAMESPACES.prefix), labelSelector(podSelector)],
    pods: labelSelectorWords(podSelector),
    namespaces: labelSelectorWords(namespaceSelector),
  };
}

function inNamespace(namespace: string): Selector {
  return { test: (labels: Labels) => labels.get(NAMESPACE_LABEL) === namespace, uses: new Set([NAMESPACE_LABEL]) };
}

/** `2 allow, 1 deny` */
export function actionSummary(rules: Rule[]): string {
  const counts = new Map<string, number>();
  for (const { action } of rules) counts.set(action, (counts.get(action) ?? 0) + 1);
  return [...counts].map(([action, many]) => `${many} ${action.toLowerCase()}`).join(", ");
}
