// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Asked } from "../door/answer.ts";
import { buildCluster } from "../cluster/build.ts";
import { readScenario } from "../scenario.ts";
import type { ApiServer } from "./api.ts";
import type { KubeObject } from "./object.ts";

const WEB = "/apis/apps/v1/namespaces/shop/deployments/web";
const APPLY = "application/apply-patch+yaml";

function cluster(): ApiServer {
  return buildCluster(readScenario("default"), { name: "prod-eu", version: "v1.34.2", nodes: 3, calico: "none", first: true }, Date.now());
}

function send(server: ApiServer, method: string, path: string, body: unknown = "", contentType = "application/json"): { status: number; body: KubeObject & { reason?: string; message?: string; details?: { causes: { field: string }[] } } } {
  const url = new URL(path, "http://x");
  const asked: Asked = { method, path: url.pathname, query: url.searchParams, accept: "", contentType, body: typeof body === "string" ? body : JSON.stringify(body), user: "jane", session: "s", signal: new AbortController().signal };
  const answer = server.answer(asked);
  return { status: answer.status, body: JSON.parse(answer.body as string) as ReturnType<typeof send>["body"] };
}

const scaled = (replicas: number): string => `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: ${replicas}\n`;
const replicas = (object: KubeObject): unknown => (object["spec"] as { replicas: number }).replicas;

describe("a change", () => {
  it("on an older version is a conflict", () => {
    const server = cluster();
    const { body: web } = send(server, "GET", WEB);
    expect(send(server, "PUT", WEB, web).status).toBe(200);
    const second = send(server, "PUT", WEB, web);
    expect([second.status, second.body.reason]).toEqual([409, "Conflict"]);
  });

  it("that is a dry run changes nothing, and shows what would be", () => {
    const server = cluster();
    const tried = send(server, "PATCH", `${WEB}?dryRun=All&fieldManager=me`, scaled(9), APPLY);
    expect([tried.status, replicas(tried.body)]).toEqual([200, 9]);
    expect(replicas(send(server, "GET", WEB).body)).toBe(4);
  });

  it("of a field that another manager applied is a conflict, until it is forced", () => {
    const server = cluster();
    expect(send(server, "PATCH", `${WEB}?fieldManager=helm`, scaled(5), APPLY).status).toBe(200);
    const mine = send(server, "PATCH", `${WEB}?fieldManager=me`, scaled(6), APPLY);
    expect([mine.status, mine.body.details?.causes[0]?.field]).toEqual([409, ".spec.replicas"]);
    expect(replicas(send(server, "PATCH", `${WEB}?fieldManager=me&force=true`, scaled(6), APPLY).body)).toBe(6);
  });

  it("that the kind's rules forbid says which field", () => {
    const server = cluster();
    const { body: web } = send(server, "GET", WEB);
    const changed = { ...web, spec: { ...(web["spec"] as object), selector: { matchLabels: { app: "other" } } } };
    const answer = send(server, "PUT", WEB, changed);
    expect([answer.status, answer.body.details?.causes[0]?.field]).toEqual([422, "spec.selector"]);
  });

  it("that rights deny is forbidden in RBAC's words", () => {
    const server = cluster();
    server.rights.deny([{ verb: "delete", resource: "deployments.apps" }]);
    const answer = send(server, "DELETE", WEB);
    expect(answer.status).toBe(403);
    expect(answer.body.message).toBe('deployments.apps "web" is forbidden: User "jane" cannot delete resource "deployments" in API group "apps" in the namespace "shop"');
  });

  it("makes and removes", () => {
    const server = cluster();
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "new", namespace: "shop" }, data: {} };
    expect(send(server, "POST", "/api/v1/namespaces/shop/configmaps", map).status).toBe(201);
    expect(send(server, "POST", "/api/v1/namespaces/shop/configmaps", map).body.reason).toBe("AlreadyExists");
    expect(send(server, "DELETE", "/api/v1/namespaces/shop/configmaps/new").status).toBe(200);
    expect(send(server, "GET", "/api/v1/namespaces/shop/configmaps/new").status).toBe(404);
  });
});
