import { beforeEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../api/fault.ts";
import type { Cluster } from "../api/fleet.ts";
import type { KubeObject, KubeOptions } from "../api/kube.ts";
import { each, meant, outcomeWords, targets, tryItem, writeItem, type Item, type Outcome } from "./copy.ts";
import { object, resource } from "./testing.ts";

const sent: { method: string; path: string; query: object; body: unknown }[] = [];
let stored: Record<string, KubeObject> = {};
let refuse: Fault | null = null;
vi.mock("../api/kube.ts", async (original) => ({
  ...(await original<object>()),
  kube: (cluster: string, path: string, { method = "GET", query = {}, body }: KubeOptions = {}) => {
    if (path === "/api" || path === "/apis") return cluster === "away" ? Promise.reject(new Fault("ClusterDisconnected", "away", 503, "tunnel")) : Promise.resolve({ items: [] });
    sent.push({ method, path, query, body });
    const there = stored[path];
    if (method === "GET") return there === undefined ? Promise.reject(new Fault("NotFound", "no", 404, "cluster")) : Promise.resolve(there);
    return refuse === null ? Promise.resolve(body) : Promise.reject(refuse);
  },
}));

const NETWORK_POLICIES = resource("networking.k8s.io", "networkpolicies");
const PATH = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies";
const item: Item = { key: "p", object: { ...object("NetworkPolicy", "shop/p", { podSelector: {} }), status: { seen: true } }, resource: NETWORK_POLICIES };

beforeEach(() => {
  sent.length = 0;
  stored = {};
  refuse = null;
});

function cluster(name: string, state: string, protection = "none"): Cluster {
  return { metadata: { name }, spec: { protection }, status: { state } } as unknown as Cluster;
}

describe("where policies can be copied to", () => {
  it("is everywhere but where they are, where nothing may be changed, and what is not connected", () => {
    const all = [cluster("here", "connected"), cluster("open", "connected"), cluster("slow", "degraded"), cluster("careful", "connected", "confirm"), cluster("sealed", "connected", "read-only"), cluster("shut", "locked"), cluster("away", "disconnected")];
    expect(targets(all, "here").map(({ metadata }) => metadata.name)).toEqual(["open", "slow", "careful"]);
  });
});

describe("what is sent", () => {
  it("has nothing of the cluster it comes from", () => {
    expect(meant(item, "networking.k8s.io/v1", null)).toEqual({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "p", namespace: "shop" }, spec: { podSelector: {} } });
  });

  it("keeps identity, owners and finalizers of what is there, and not its labels", () => {
    const there = { ...object("NetworkPolicy", "shop/p"), metadata: { name: "p", namespace: "shop", uid: "theirs", resourceVersion: "7", labels: { old: "x" }, finalizers: ["f"] } };
    expect(meant(item, "v", there).metadata).toEqual({ name: "p", namespace: "shop", uid: "theirs", resourceVersion: "7", finalizers: ["f"] });
  });
});

describe("a try", () => {
  it("of what is not there yet is a dry run of making it", async () => {
    expect(await tryItem("other", item, [NETWORK_POLICIES])).toMatchObject({ at: "tried", change: "new", before: null });
    expect(sent.map(({ method, path, query }) => [method, path, (query as { dryRun?: string }).dryRun])).toEqual([["GET", `${PATH}/p`, undefined], ["POST", PATH, "All"]]);
  });

  it("of what is there and differs is a dry run over the version that was read", async () => {
    stored[`${PATH}/p`] = { ...object("NetworkPolicy", "shop/p", { podSelector: { matchLabels: { a: "b" } } }), metadata: { name: "p", namespace: "shop", resourceVersion: "7" } };
    expect(await tryItem("other", item, [NETWORK_POLICIES])).toMatchObject({ at: "tried", change: "changed" });
    expect(sent[1]).toMatchObject({ method: "PUT", path: `${PATH}/p`, query: { dryRun: "All" }, body: { metadata: { resourceVersion: "7" } } });
  });

  it("of what is the same already sends nothing, and neither does writing it", async () => {
    stored[`${PATH}/p`] = object("NetworkPolicy", "shop/p", { podSelector: {} });
    const tried = await tryItem("other", item, [NETWORK_POLICIES]);
    expect(tried).toMatchObject({ at: "tried", change: "same" });
    expect(await writeItem("other", item, [NETWORK_POLICIES], tried)).toEqual({ at: "written", change: "same" });
    expect(sent.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("of a kind that is not served there is refused without asking", async () => {
    expect(await tryItem("other", item, [])).toMatchObject({ at: "refused", fault: { reason: "KindNotServed" } });
    expect(sent).toEqual([]);
  });
});

describe("a write", () => {
  it("is what was tried, without a dry run", async () => {
    const tried = await tryItem("other", item, [NETWORK_POLICIES]);
    expect(await writeItem("other", item, [NETWORK_POLICIES], tried)).toEqual({ at: "written", change: "new" });
    expect(sent.at(-1)).toMatchObject({ method: "POST", query: { dryRun: undefined } });
  });
});

describe("all clusters", () => {
  it("are asked each for itself: one that is away holds up no other, and what is refused says why", async () => {
    const told: string[] = [];
    const step = (name: string): Promise<Outcome> => (name === "odd" ? Promise.reject(new Fault("Invalid", "no", 422, "cluster")) : Promise.resolve({ at: "written", change: "new" }));
    await each(["away", "odd", "fine"], [item], (name, _, outcome) => told.push(`${name} ${outcome.at === "refused" ? outcome.fault.reason : outcome.at}`), step, new AbortController().signal);
    expect(told.sort()).toEqual(["away ClusterDisconnected", "fine written", "odd Invalid"]);
  });

  it("are left alone once somebody has gone away", async () => {
    const stopper = new AbortController();
    stopper.abort();
    const told: string[] = [];
    await each(["one", "two"], [item], (name) => told.push(name), () => Promise.resolve({ at: "waiting" }), stopper.signal);
    expect(told).toEqual([]);
  });

  it("are summed up", () => {
    const fault = new Fault("Invalid", "no", 422, "cluster");
    expect(outcomeWords([{ at: "written", change: "new" }, { at: "written", change: "new" }, { at: "refused", fault }])).toBe("2 created, 1 refused");
  });
});
