// Policies for tests, in a line each.

import type { KubeObject, Resource } from "../api/kube.ts";
import { KINDS, type PolicyKind } from "./kinds.ts";
import { policyOf, type Policy } from "./policy.ts";

export function kindOf(name: string): PolicyKind {
  const kind = KINDS.find((one) => one.kind === name);
  if (kind === undefined) throw new Error(`there is no kind ${name}`);
  return kind;
}

/** `made("GlobalNetworkPolicy", "deny-all", { order: 10 })`; a name with a slash is in a namespace. */
export function object(kind: string, name: string, spec: object = {}): KubeObject {
  const [namespace, own] = name.includes("/") ? name.split("/") : ["", name];
  return {
    apiVersion: "v", kind,
    metadata: { name: own ?? "", ...(namespace === "" ? {} : { namespace: namespace ?? "" }), uid: `${kind}/${name}` },
    spec,
  };
}

export function made(kind: string, name: string, spec: object = {}): Policy {
  return policyOf(object(kind, name, spec), kindOf(kind));
}

export function resource(group: string, name: string, version = "v1", verbs = ["list", "watch"]): Resource {
  return { group, version, resource: name, kind: name, namespaced: true, verbs, shortNames: [], subresources: [] };
}

export const ANY = { action: "Allow" };
export const DENY_ALL = { action: "Deny" };
export const PASS_ALL = { action: "Pass" };
