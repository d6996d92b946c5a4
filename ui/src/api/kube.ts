// A cluster's API, by the gateway's way for pages: /trunkline/v1/clusters/<id>/k8s/...

import { send } from "./client.ts";

/** A kind of objects that a cluster serves. */
export interface Resource {
  /** Empty for the core group. */
  group: string;
  version: string;
  resource: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames: string[];
  subresources: string[];
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: unknown[];
}

/** Any object. What a page needs of `spec` and `status` it reads by its own types. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export type Query = Record<string, string | number | boolean | undefined>;

export interface KubeOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  /** The body's type; JSON as it is when not given. */
  type?: string;
  accept?: string;
  signal?: AbortSignal;
}

/** The address of a Kubernetes path in a cluster. */
export function kubeUrl(cluster: string, path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const asked = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return `/trunkline/v1/clusters/${encodeURIComponent(cluster)}/k8s${path}${asked === "" ? "" : `?${asked}`}`;
}

/** Asks a cluster for JSON. */
export async function kube<T>(cluster: string, path: string, options: KubeOptions = {}): Promise<T> {
  return (await (await ask(cluster, path, options)).json()) as T;
}

/** Asks a cluster for text: the log of a container. */
export async function kubeText(cluster: string, path: string, options: KubeOptions = {}): Promise<string> {
  return (await ask(cluster, path, { accept: "text/plain, application/json", ...options })).text();
}

function ask(cluster: string, path: string, options: KubeOptions): Promise<Response> {
  const { method = "GET", query, body, type = "application/json", accept = "application/json", signal } = options;
  const init: RequestInit = { method, headers: { accept } };
  if (body !== undefined) {
    init.body = typeof body === "string" ? body : JSON.stringify(body);
    init.headers = { accept, "content-type": type };
  }
  if (signal !== undefined) init.signal = signal;
  return send(kubeUrl(cluster, path, query), init);
}

/** The path of a collection, of an object in it, or of a part of that. */
export function resourcePath(
  of: Pick<Resource, "group" | "version" | "resource">,
  namespace?: string,
  name?: string,
  part?: string,
): string {
  const root = of.group === "" ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  const steps = [of.resource, name, part].filter((step): step is string => step !== undefined && step !== "");
  const within = namespace === undefined || namespace === "" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${steps.map(encodeURIComponent).join("/")}`;
}

export const PODS = { group: "", version: "v1", resource: "pods" } as const;
export const NAMESPACES = { group: "", version: "v1", resource: "namespaces" } as const;
export const NODES = { group: "", version: "v1", resource: "nodes" } as const;
export const EVENTS = { group: "", version: "v1", resource: "events" } as const;
