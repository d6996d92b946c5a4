// The tiers and policies of a cluster, live: every kind that its discovery has, each with its own watch, put into order together.
//
// Invariant: a kind that may not be listed takes nothing from the others; it is said which one is missing.

import { useMemo } from "react";
import { useDiscovery } from "../api/discovery.ts";
import type { Fault } from "../api/fault.ts";
import { useReturn } from "../api/fleet.ts";
import type { KubeObject } from "../api/kube.ts";
import { useLists, type ObjectsView } from "../api/lists.ts";
import { live } from "../api/tab.ts";
import { hasCalico, isShownTwice, served, type Served } from "./kinds.ts";
import { inOrder, type Tier } from "./order.ts";
import { policyOf, type Policy } from "./policy.ts";

export interface PoliciesView {
  /** What the cluster serves; undefined until its discovery has come. */
  kinds: Served[] | undefined;
  /** Why there is none. */
  discoveryFault: unknown;
  calico: boolean;
  tiers: Tier[];
  byKey: ReadonlyMap<string, Policy>;
  /** Whether something of each kind has come, or why not. */
  settled: boolean;
  /** Kinds that could not be read. */
  failed: { kind: string; fault: Fault }[];
  /** Kinds whose objects are not live, and the time of the oldest. */
  stale: { asOf: number; fault: Fault | null } | null;
  truncated: boolean;
  refresh: () => void;
}

const NONE: Served[] = [];

/** `namespace` narrows what is in namespaces, so that those who may see one of them only do. */
export function usePolicies(cluster: string, namespace = ""): PoliciesView {
  const discovery = useDiscovery(cluster);
  const { refetch, isError } = discovery;
  useReturn(cluster, () => {
    if (isError) void refetch();
  });
  const kinds = useMemo(() => (discovery.data === undefined ? undefined : served(discovery.data)), [discovery.data]);
  const { views, refresh } = useLists(
    (kinds ?? NONE).map(({ resource: { group, version, resource, kind, namespaced } }) => ({
      cluster, resource: { group, version, resource, kind }, namespace: namespaced ? namespace : "",
    })),
    live,
  );
  const put = useMemo(() => together(kinds ?? NONE, views), [kinds, views]);
  return {
    ...put,
    kinds,
    // While it is asked for again, the reason why is known already.
    discoveryFault: discovery.error ?? discovery.failureReason,
    calico: hasCalico(kinds ?? NONE),
    settled: kinds !== undefined && views.length === kinds.length && views.every(({ state }) => state !== "loading"),
    refresh: () => {
      void discovery.refetch();
      refresh();
    },
  };
}

/** An object is read once, however often the others change. */
const read = new WeakMap<KubeObject, Policy>();

function together(kinds: Served[], views: ObjectsView[]): Pick<PoliciesView, "tiers" | "byKey" | "failed" | "stale" | "truncated"> {
  const tiers: KubeObject[] = [];
  const policies: Policy[] = [];
  let tiersAreKnown = false;
  kinds.forEach(({ kind }, at) => {
    const view = views[at];
    if (view === undefined) return;
    if (kind.shape === "tier") {
      tiers.push(...view.items);
      tiersAreKnown = view.state !== "failed" && view.items.length > 0;
      return;
    }
    for (const object of view.items) {
      if (isShownTwice(object, kind)) continue;
      const policy = read.get(object) ?? policyOf(object, kind);
      read.set(object, policy);
      policies.push(policy);
    }
  });
  const named = kinds.flatMap(({ kind }, at) => (views[at] === undefined ? [] : [{ kind: kind.kind, view: views[at] }]));
  const stale = named.filter(({ view }) => view.state === "stale").sort((a, b) => a.view.asOf - b.view.asOf)[0]?.view;
  return {
    tiers: inOrder(tiers, policies, tiersAreKnown),
    byKey: new Map(policies.map((policy) => [policy.key, policy])),
    failed: named.flatMap(({ kind, view }) => (view.state === "failed" && view.fault !== null ? [{ kind, fault: view.fault }] : [])),
    stale: stale === undefined ? null : { asOf: stale.asOf, fault: stale.fault },
    truncated: named.some(({ view }) => view.truncated),
  };
}

/** Where a policy, or a tier, has its page. */
export function pageOf(cluster: string, kind: { resource: string; groups: string[] }, object: KubeObject): string {
  const group = object.apiVersion.includes("/") ? (object.apiVersion.split("/")[0] ?? "") : (kind.groups[0] ?? "");
  const { name, namespace } = object.metadata;
  return `/c/${encodeURIComponent(cluster)}/policies/${encodeURIComponent(`${kind.resource}.${group}`)}/${encodeURIComponent(namespace ?? "_")}/${encodeURIComponent(name)}`;
}
