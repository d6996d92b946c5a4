// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { Answer, Asked } from "../door/answer.ts";
import { buildCluster } from "../cluster/build.ts";
import { readScenario } from "../scenario.ts";
import type { ApiServer } from "./api.ts";
import { PODS } from "./kinds/pods.ts";
import type { KubeObject } from "./object.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PODS_PATH = "/api/v1/pods";

function cluster(pods = 0): ApiServer {
  return buildCluster(readScenario(`pods=${pods}`), { name: "prod-eu", version: "v1.34.2", nodes: 12, calico: "server", first: true }, Date.now());
}

function ask(path: string, rest: Partial<Asked> = {}): Asked {
  const url = new URL(path, "http://x");
  return { method: "GET", path: url.pathname, query: url.searchParams, accept: "application/json", contentType: "application/json", body: "", user: "jane", session: "s", signal: new AbortController().signal, ...rest };
}

interface Page {
  metadata: { continue?: string; resourceVersion: string; remainingItemCount?: number };
  items: KubeObject[];
}

function read<T>(answer: Answer): T {
  return JSON.parse(answer.body as string) as T;
}

/** The next events of a watch, as many as are asked for. */
async function take(answer: Answer, count: number): Promise<{ type: string; object: { [field: string]: unknown } }[]> {
  const events: { type: string; object: { [field: string]: unknown } }[] = [];
  for await (const lines of answer.body as AsyncIterable<string[]>) {
    events.push(...lines.map((line) => JSON.parse(line) as (typeof events)[number]));
    if (events.length >= count) break;
  }
  return events;
}

function anyPod(server: ApiServer): KubeObject {
  return [...server.store.of(PODS).objects.values()][0] as KubeObject;
}

describe("a list", () => {
  it("comes page by page, each object once, and says how many are left", () => {
    const server = cluster(2_500);
    const all = server.store.of(PODS).objects.size;
    const names = new Set<string>();
    let next: string | undefined = "";
    let pages = 0;
    while (next !== undefined) {
      const page: Page = read<Page>(server.answer(ask(`${PODS_PATH}?limit=1000&continue=${next}`)));
      for (const pod of page.items) names.add(`${pod.metadata.namespace}/${pod.metadata.name}`);
      pages += 1;
      next = page.metadata.continue;
      expect(page.metadata.remainingItemCount ?? 0).toBe(all - names.size);
    }
    expect([pages, names.size]).toEqual([3, all]);
  });

  it("is the same for the same seed", () => {
    const names = (): string[] => read<Page>(cluster().answer(ask(PODS_PATH))).items.map((pod) => pod.metadata.name);
    expect(names()).toEqual(names());
  });

  it("keeps to what labels and fields select", () => {
    const page = read<Page>(cluster().answer(ask(`/api/v1/namespaces/shop/pods?labelSelector=${encodeURIComponent("app in (web,cart),team=shop")}&fieldSelector=status.phase=Running`)));
    expect(page.items.length).toBeGreaterThan(3);
    expect(new Set(page.items.map((pod) => pod.metadata.labels?.["app"]))).toEqual(new Set(["web", "cart"]));
  });

  it("refuses a page of a list that is too old", () => {
    const server = cluster();
    const page = read<Page>(server.answer(ask(`${PODS_PATH}?limit=3`)));
    server.store.of(PODS).put(anyPod(server));
    server.store.of(PODS).compact();
    const answer = server.answer(ask(`${PODS_PATH}?limit=3&continue=${page.metadata.continue ?? ""}`));
    expect([answer.status, read<{ reason: string }>(answer).reason]).toEqual([410, "Expired"]);
  });

  it("comes as a table with a cell for each column, and with metadata", () => {
    const table = read<{ columnDefinitions: unknown[]; rows: { cells: unknown[]; object: { kind: string; metadata: { name: string } } }[] }>(cluster().answer(ask(`${PODS_PATH}?limit=5`, { accept: TABLE })));
    expect(table.rows).toHaveLength(5);
    for (const row of table.rows) {
      expect(row.cells).toHaveLength(table.columnDefinitions.length);
      expect([row.object.kind, row.object.metadata.name]).toEqual(["PartialObjectMetadata", row.cells[0]]);
    }
  });
});

describe("a watch", () => {
  it("tells each change after its version, once and in order", async () => {
    const server = cluster();
    const { resourceVersion } = read<Page>(server.answer(ask(PODS_PATH))).metadata;
    const pods = server.store.of(PODS);
    const pod = anyPod(server);
    pods.put({ ...pod, metadata: { name: "one", namespace: "shop" } });
    pods.put({ ...pod, metadata: { name: "one", namespace: "shop", labels: { a: "b" } } });
    pods.remove("shop/one");
    const events = await take(server.answer(ask(`${PODS_PATH}?watch=true&resourceVersion=${resourceVersion}`)), 3);
    expect(events.map((event) => event.type)).toEqual(["ADDED", "MODIFIED", "DELETED"]);
  });

  it("tells who leaves a selection as deleted", async () => {
    const server = cluster();
    const { resourceVersion } = read<Page>(server.answer(ask(PODS_PATH))).metadata;
    const pods = server.store.of(PODS);
    const pod = { ...anyPod(server), metadata: { name: "one", namespace: "shop", labels: { app: "mine" } } };
    pods.put(pod);
    pods.put({ ...pod, metadata: { ...pod.metadata, labels: { app: "yours" } } });
    const events = await take(server.answer(ask(`${PODS_PATH}?watch=true&labelSelector=app=mine&resourceVersion=${resourceVersion}`)), 2);
    expect(events.map((event) => event.type)).toEqual(["ADDED", "DELETED"]);
  });

  it("of what is forgotten ends with 410", async () => {
    const server = cluster();
    server.store.of(PODS).compact();
    const [event] = await take(server.answer(ask(`${PODS_PATH}?watch=true&resourceVersion=1`)), 1);
    expect([event?.type, event?.object["code"]]).toEqual(["ERROR", 410]);
  });

  it("of a table names its columns once", async () => {
    const server = cluster();
    const { resourceVersion } = read<Page>(server.answer(ask(PODS_PATH))).metadata;
    server.store.of(PODS).put(anyPod(server));
    server.store.of(PODS).put(anyPod(server));
    const events = await take(server.answer(ask(`${PODS_PATH}?watch=true&resourceVersion=${resourceVersion}`, { accept: TABLE })), 2);
    expect(events.map((event) => event.object["columnDefinitions"] !== null)).toEqual([true, false]);
  });
});
