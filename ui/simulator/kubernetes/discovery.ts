/** Which kinds there are: aggregated (apidiscovery.k8s.io/v2), and as it was before. */
import { json, type Answer, type Asked } from "../door/answer.ts";
import { apiVersion, type Resource } from "./resource.ts";

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

function groupsOf(kinds: readonly Resource[]): Map<string, Map<string, Resource[]>> {
  const groups = new Map<string, Map<string, Resource[]>>();
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? new Map<string, Resource[]>();
    groups.set(kind.group, versions);
    versions.set(kind.version, [...(versions.get(kind.version) ?? []), kind]);
  }
  return groups;
}

function aggregated(kinds: readonly Resource[], core: boolean): Answer {
  const items = [...groupsOf(kinds)]
    .filter(([group]) => (group === "") === core)
    .map(([group, versions]) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: [...versions].map(([version, resources]) => ({ version, freshness: "Current", resources: resources.map(entry) })),
    }));
  const answer = json({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items });
  return { ...answer, type: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
}

function entry(kind: Resource): unknown {
  const responseKind = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    resource: kind.plural,
    responseKind,
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: VERBS,
    ...(kind.short.length > 0 ? { shortNames: kind.short } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    ...(kind.subresources.length > 0
      ? { subresources: kind.subresources.map((subresource) => ({ subresource, responseKind, verbs: verbsOf(subresource) })) }
      : {}),
  };
}

function verbsOf(subresource: string): string[] {
  if (subresource === "log") return ["get"];
  if (subresource === "exec" || subresource === "attach" || subresource === "portforward") return ["create", "get"];
  return subresource === "eviction" ? ["create"] : ["get", "patch", "update"];
}

function groupOf(group: string, versions: Iterable<string>): unknown {
  const all = [...versions].map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: all, preferredVersion: all[0] };
}

/** The answer, if the path is one of discovery's. */
export function discovery(kinds: readonly Resource[], asked: Asked): Answer | undefined {
  const { path, accept } = asked;
  if ((path === "/api" || path === "/apis") && /as=APIGroupDiscoveryList/.test(accept)) return aggregated(kinds, path === "/api");
  if (path === "/api") return json({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
  const groups = groupsOf(kinds);
  if (path === "/apis") {
    const named = [...groups].filter(([group]) => group !== "");
    return json({ kind: "APIGroupList", apiVersion: "v1", groups: named.map(([group, versions]) => groupOf(group, versions.keys())) });
  }
  const [, group, version] = /^\/apis\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? (path === "/api/v1" ? [path, "", "v1"] : []);
  if (group === undefined) return undefined;
  const versions = groups.get(group);
  if (versions === undefined) return undefined;
  if (version === undefined) return json({ kind: "APIGroup", apiVersion: "v1", ...(groupOf(group, versions.keys()) as object) });
  const resources = versions.get(version);
  if (resources === undefined) return undefined;
  return json({
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersion({ group, version }),
    resources: resources.flatMap((kind) => [
      { name: kind.plural, singularName: kind.singular, namespaced: kind.namespaced, kind: kind.kind, verbs: VERBS, shortNames: kind.short, categories: kind.categories },
      ...kind.subresources.map((sub) => ({ name: `${kind.plural}/${sub}`, singularName: "", namespaced: kind.namespaced, kind: kind.kind, verbs: verbsOf(sub) })),
    ]),
  });
}
