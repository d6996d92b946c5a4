// Which pods a policy is for, and which a change of it gains or loses.
//
// Read when asked for and not followed: a whole cluster's pods with their service accounts are much to hold. No more than
// MOST_PODS are looked at, and it is said when there are more.

import { kube, NAMESPACES, PODS, resourcePath, type KubeObject } from "../api/kube.ts";
import { endpointOf, isFor, type Around, type PodFacts } from "./applies.ts";
import { ACCOUNTS, NAMESPACES as INHERITED, type Policy } from "./policy.ts";
import { fields, text } from "./read.ts";

export const MOST_PODS = 20_000;
const PAGE = 500;
const ACCOUNTS_OF = { group: "", version: "v1", resource: "serviceaccounts" };

export interface Pods {
  pods: PodFacts[];
  /** Labels by namespace; null where they may not be read. */
  namespaces: ReadonlyMap<string, Record<string, string>> | null;
  /** Labels by `namespace/name`. */
  accounts: ReadonlyMap<string, Record<string, string>> | null;
  truncated: boolean;
}

export function factsOf(pod: KubeObject): PodFacts {
  const spec = fields(pod["spec"]);
  return {
    name: pod.metadata.name,
    namespace: pod.metadata.namespace ?? "",
    labels: pod.metadata.labels ?? {},
    serviceAccount: text(spec["serviceAccountName"]),
    hostNetwork: spec["hostNetwork"] === true,
  };
}

/** The pods that any of the policies could be for, with what they inherit as far as the policies ask for it. */
export async function readPods(cluster: string, policies: Policy[], signal: AbortSignal): Promise<Pods> {
  const where = new Set(policies.map(({ namespace }) => namespace));
  const namespace = where.size === 1 ? [...where][0] : undefined;
  const asks = (prefix: string) => policies.some(({ subject }) => subject.selectors.some(({ uses }) => [...uses].some((label) => label.startsWith(prefix))));
  const [pods, namespaces, accounts] = await Promise.all([
    readAll(cluster, resourcePath(PODS, namespace), MOST_PODS, signal),
    asks(INHERITED.prefix) ? labelsOf(cluster, resourcePath(NAMESPACES), signal) : null,
    asks(ACCOUNTS.prefix) ? labelsOf(cluster, resourcePath(ACCOUNTS_OF, namespace), signal) : null,
  ]);
  return { pods: pods.found.map(factsOf).filter(({ name }) => name !== ""), namespaces, accounts, truncated: pods.truncated };
}

async function readAll(cluster: string, path: string, most: number, signal: AbortSignal): Promise<{ found: KubeObject[]; truncated: boolean }> {
  const found: KubeObject[] = [];
  for (let token: string | undefined, first = true; first || token; first = false) {
    const list = await kube<{ items: KubeObject[]; metadata: { continue?: string } }>(cluster, path, { query: { limit: PAGE, continue: token }, signal });
    for (const object of list.items) found.push(slim(object));
    token = list.metadata.continue;
    if (found.length >= most) return { found, truncated: token !== undefined && token !== "" };
  }
  return { found, truncated: false };
}

/** What is held of an object while all are read. */
function slim({ apiVersion, kind, metadata: { name, namespace, labels }, spec }: KubeObject): KubeObject {
  const { serviceAccountName, hostNetwork } = fields(spec);
  return {
    apiVersion, kind, spec: { serviceAccountName, hostNetwork },
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(labels === undefined ? {} : { labels }) },
  };
}

/** Labels by name; null where they may not be read, so that what they decide is said to be unknown. */
async function labelsOf(cluster: string, path: string, signal: AbortSignal): Promise<Map<string, Record<string, string>> | null> {
  try {
    const { found } = await readAll(cluster, path, MOST_PODS, signal);
    return new Map(found.map(({ metadata }) => [metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`, metadata.labels ?? {}]));
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

/** Labels that are not known are null; one that is not there has none. */
function aroundOf({ namespaces, accounts }: Pods, pod: PodFacts): Around {
  return {
    namespace: namespaces === null ? null : (namespaces.get(pod.namespace) ?? null),
    serviceAccount: accounts === null ? null : (accounts.get(`${pod.namespace}/${pod.serviceAccount}`) ?? null),
  };
}

export interface Selected {
  yes: PodFacts[];
  /** Of these it cannot be said. */
  unknown: PodFacts[];
}

export function selected(policy: Policy, pods: Pods): Selected {
  const result: Selected = { yes: [], unknown: [] };
  for (const pod of pods.pods) {
    const answer = isFor(policy, endpointOf(pod, aroundOf(pods, pod)));
    if (answer !== "no") result[answer].push(pod);
  }
  return result;
}

export interface Change {
  gained: PodFacts[];
  lost: PodFacts[];
  kept: number;
  unknown: number;
}

/** What a change of a policy does to the set of pods that it is for; `before` is null for one that is new. */
export function changeOf(before: Policy | null, after: Policy, pods: Pods): Change {
  const change: Change = { gained: [], lost: [], kept: 0, unknown: 0 };
  for (const pod of pods.pods) {
    const endpoint = endpointOf(pod, aroundOf(pods, pod));
    const was = before === null ? "no" : isFor(before, endpoint);
    const is = isFor(after, endpoint);
    if (was === "unknown" || is === "unknown") change.unknown++;
    else if (was === "no" && is === "yes") change.gained.push(pod);
    else if (was === "yes" && is === "no") change.lost.push(pod);
    else if (is === "yes") change.kept++;
  }
  return change;
}
