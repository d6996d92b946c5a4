// What whoever looks may do in a cluster: the cluster's own rules (SelfSubjectRulesReview) and the gateway's. An action that is
// refused by either is not offered.
//
// What cannot be told (an authorizer that lists no rules, a review that failed) is offered: the API server has the last word.

import { useQuery } from "@tanstack/react-query";
import { rest, take, type Shapes } from "../api/client.ts";
import { useFleet } from "../api/fleet.ts";
import { kube, type KubeObject } from "../api/kube.ts";
import { useSession } from "../app/session.tsx";
import { isReadOnly } from "../parts/cluster.tsx";

export interface Rule {
  verbs?: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

export interface Rights {
  rules: Rule[];
  /** Not all rules are known. */
  incomplete: boolean;
}

export interface Asking {
  verb: string;
  group: string;
  /** With the part after a slash where it is about one: `deployments/scale`. */
  resource: string;
  name?: string;
}

/** Whether rules allow something. */
export function allows({ rules, incomplete }: Rights, { verb, group, resource, name }: Asking): boolean {
  const among = (list: string[] | undefined, one: string) => list?.some((each) => each === "*" || each === one) === true;
  const part = resource.split("/")[1];
  return (
    incomplete ||
    rules.some(
      (rule) =>
        among(rule.verbs, verb) && among(rule.apiGroups, group) &&
        (among(rule.resources, resource) || (part !== undefined && among(rule.resources, `*/${part}`))) &&
        // A rule for some names says nothing of what is not named yet.
        (rule.resourceNames === undefined || rule.resourceNames.length === 0 || (name !== undefined && rule.resourceNames.includes(name))),
    )
  );
}

const REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";

export async function readRights(cluster: string, namespace: string, signal?: AbortSignal): Promise<Rights> {
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace: namespace || "default" } };
  const answer = await kube<KubeObject & { status?: { resourceRules?: Rule[]; incomplete?: boolean } }>(cluster, REVIEW, {
    method: "POST", body, ...(signal ? { signal } : {}),
  });
  return { rules: answer.status?.resourceRules ?? [], incomplete: answer.status?.incomplete === true };
}

export function useRights(cluster: string, namespace: string) {
  return useQuery({
    queryKey: ["rights", cluster, namespace],
    queryFn: ({ signal }) => readRights(cluster, namespace, signal),
    staleTime: 60_000,
  });
}

/** What the gateway says of a verb in a cluster, to whoever looks. */
export function useGatewayAnswer(cluster: string, namespace: string, verb: string, resource: string) {
  const { who } = useSession();
  return useQuery({
    queryKey: ["access test", cluster, namespace, verb, resource],
    queryFn: () => take(rest.POST("/trunkline/v1/access/test", { body: { user: who.user, groups: who.groups ?? [], cluster, namespace, verb, resource } })),
    staleTime: 60_000,
  });
}

export type Answer = Shapes["AccessAnswer"];

/** Whether something may be done, as far as is known. Nothing is changed in a read-only cluster. */
export function useMay(cluster: string, namespace: string): (asking: Asking) => boolean {
  const rights = useRights(cluster, namespace).data;
  const changes = useGatewayAnswer(cluster, namespace, "update", "configmaps").data;
  const readOnly = isReadOnly(useFleet().byName.get(cluster));
  return (asking) => {
    const reads = asking.verb === "get" || asking.verb === "list" || asking.verb === "watch";
    if (!reads && (readOnly || changes?.allowed === false)) return false;
    return rights === undefined || allows(rights, asking);
  };
}
