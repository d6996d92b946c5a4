/** One cluster's API server: which path is what. */
import { json, plain, Refused, status, type Answer, type Asked } from "../door/answer.ts";
import { discovery } from "./discovery.ts";
import { kindAt } from "./kinds/all.ts";
import { keyOf, type KubeObject } from "./object.ts";
import { openapi } from "./openapi.ts";
import { podLog, speak, type Speak } from "./podlog.ts";
import { get, listPage, notFound, watch } from "./read.ts";
import { Rights } from "./rights.ts";
import { merged } from "./merge.ts";
import type { Resource } from "./resource.ts";
import { Store, type Collection } from "./store.ts";
import { create, patch, remove, replace } from "./write.ts";

interface Target {
  resource: Resource;
  namespace: string | undefined;
  name: string;
  sub: string;
}

export class ApiServer {
  readonly store: Store;
  readonly rights = new Rights();
  say: Speak = speak;

  constructor(
    seed: string,
    readonly version: string,
    readonly kinds: readonly Resource[],
  ) {
    this.store = new Store(seed);
  }

  answer(asked: Asked): Answer {
    try {
      return this.known(asked) ?? this.resourceful(asked);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  }

  /** What an upgrade would be to: a pod, or a no. */
  upgrade(asked: Asked): KubeObject | Answer {
    const target = this.target(asked.path);
    if (target?.resource.kind !== "Pod" || !["exec", "attach"].includes(target.sub)) return status(400, "BadRequest", "Upgrade request required");
    const pod = this.store.of(target.resource).objects.get(keyOf(target));
    if (pod === undefined) return notFound(target.resource, target.name);
    return this.rights.check(asked.user, "create", target.resource, target.sub, target.namespace, target.name) ?? pod;
  }

  private known(asked: Asked): Answer | undefined {
    const { path, method } = asked;
    const [major, minor] = this.version.slice(1).split(".");
    if (path === "/version") return json({ major, minor, gitVersion: this.version, platform: "linux/amd64" });
    if (["/readyz", "/livez", "/healthz"].includes(path)) return plain("ok");
    if (method === "POST" && path === "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") return this.rights.review(asked);
    if (method === "POST" && path === "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews") return this.rights.rules(asked);
    return discovery(this.kinds, asked) ?? openapi(this.kinds, path);
  }

  private target(path: string): Target | undefined {
    const found = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(path);
    if (found === null) return this.namespaceItself(path);
    const [, core, group, version, namespace, plural = "", name = "", sub = ""] = found.map((part) => part && decodeURIComponent(part));
    const resource = kindAt(this.kinds, core ? "" : (group ?? ""), core ?? version ?? "", plural);
    if (resource === undefined || (name !== "" && resource.namespaced && namespace === undefined)) return this.namespaceItself(path);
    return { resource, namespace, name, sub };
  }

  /** `/api/v1/namespaces/x` would be read as the kind `x` otherwise. */
  private namespaceItself(path: string): Target | undefined {
    const [, name] = /^\/api\/v1\/namespaces\/([^/]+)(?:\/(?:status|finalize))?$/.exec(path) ?? [];
    const resource = kindAt(this.kinds, "", "v1", "namespaces");
    if (name === undefined || resource === undefined) return undefined;
    return { resource, namespace: undefined, name: decodeURIComponent(name), sub: "" };
  }

  private resourceful(asked: Asked): Answer {
    const target = this.target(asked.path);
    if (target === undefined) return plain("404 page not found\n", 404);
    const { resource, namespace, name, sub } = target;
    const watching = name === "" && ["true", "1"].includes(asked.query.get("watch") ?? "");
    const verb = verbOf(asked.method, name, watching);
    const denied = this.rights.check(asked.user, verb, resource, sub, namespace, name);
    if (denied !== undefined) return denied;
    const collection = this.store.of(resource);
    if (sub !== "") return this.subresource(collection, target, asked);
    if (asked.method === "GET") {
      if (watching) return watch(collection, this.store.version, namespace, asked);
      if (name === "") return listPage(collection, this.store.version, namespace, asked);
      const object = collection.objects.get(keyOf(target));
      return object === undefined ? notFound(resource, name) : get(collection, object, asked);
    }
    if (asked.method === "POST" && name === "") return create(collection, namespace, asked);
    if (asked.method === "PUT") return replace(collection, namespace, name, asked);
    if (asked.method === "PATCH") return patch(collection, namespace, name, asked);
    if (asked.method === "DELETE" && name !== "") return remove(collection, namespace, name, asked);
    return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }

  private subresource(collection: Collection, { resource, namespace, name, sub }: Target, asked: Asked): Answer {
    const object = collection.objects.get(keyOf({ namespace, name }));
    if (object === undefined) return notFound(resource, name);
    if (sub === "log" && resource.kind === "Pod" && asked.method === "GET") return podLog(object, asked, this.say);
    if (sub === "eviction" && asked.method === "POST") return remove(collection, namespace, name, asked);
    if (sub === "status" && asked.method === "GET") return get(collection, object, asked);
    if (sub === "scale" && resource.subresources.includes("scale")) {
      if (asked.method === "GET") return json(scaleOf(object));
      const wants = JSON.parse(asked.body) as { spec?: { replicas?: number } };
      const body = JSON.stringify(merged({ metadata: {} }, { spec: { replicas: wants.spec?.replicas ?? 0 } }));
      const answer = patch(collection, namespace, name, { ...asked, contentType: "application/merge-patch+json", body });
      return answer.status === 200 ? json(scaleOf(JSON.parse(answer.body as string) as KubeObject)) : answer;
    }
    return status(404, "NotFound", "the server could not find the requested resource");
  }
}

function scaleOf(object: KubeObject): unknown {
  const replicas = (object["spec"] as { replicas?: number } | undefined)?.replicas ?? 0;
  return { kind: "Scale", apiVersion: "autoscaling/v1", metadata: object.metadata, spec: { replicas }, status: { replicas } };
}

function verbOf(method: string, name: string, watching: boolean): string {
  if (method === "GET") return watching ? "watch" : name === "" ? "list" : "get";
  return { POST: "create", PUT: "update", PATCH: "patch", DELETE: name === "" ? "deletecollection" : "delete" }[method] ?? "get";
}
