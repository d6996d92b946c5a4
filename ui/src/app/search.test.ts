import { expect, test } from "vitest";
import type { Cluster } from "../api/fleet.ts";
import { arrange, labelKeys, search } from "./search.ts";

function cluster(name: string, labels: Record<string, string> = {}, more: { alias?: string; version?: string } = {}): Cluster {
  return {
    apiVersion: "trunkline.dev/v1",
    kind: "Cluster",
    metadata: { name, labels, revision: 1, created: null, uid: null },
    spec: { displayName: more.alias ?? "" },
    status: {
      state: "connected", lastSeen: null, rttMs: 12, agentVersion: null, kubernetesVersion: more.version ?? null, nodes: null,
      certificateNotAfter: null, joinExpires: null, origin: name === "management" ? "management" : "registry",
    },
  };
}

const fleet = [
  cluster("management"),
  cluster("dev-1", { env: "dev" }),
  cluster("prod-eu", { env: "prod", region: "eu" }, { alias: "Shop Europe", version: "v1.34.2" }),
  cluster("prod-us", { env: "prod", region: "us" }),
];
const names = (clusters: Cluster[]) => clusters.map(({ metadata }) => metadata.name);

test("a few letters of a name, an alias, a label or a version find a cluster", () => {
  expect(names(search(fleet, "preu"))[0]).toBe("prod-eu");
  expect(names(search(fleet, "shop"))).toEqual(["prod-eu"]);
  expect(names(search(fleet, "region=us"))).toEqual(["prod-us"]);
  expect(names(search(fleet, "1.34"))).toEqual(["prod-eu"]);
  expect(search(fleet, "nothing like it")).toEqual([]);
  expect(search(fleet, "  ")).toBe(fleet);
});

test("the management cluster stands first, then pinned, recent, and all by the values of a label", () => {
  const groups = arrange(fleet, ["prod-us"], ["prod-us", "dev-1", "gone"], "env");
  expect(groups.map(({ title, clusters }) => [title, names(clusters)])).toEqual([
    ["", ["management"]],
    ["Pinned", ["prod-us"]],
    ["Recent", ["dev-1"]],
    ["env: dev", ["dev-1"]],
    ["env: prod", ["prod-eu", "prod-us"]],
  ]);
  expect(arrange(fleet, [], [], "").map(({ title }) => title)).toEqual(["", "All clusters"]);
  expect(arrange(fleet, [], [], "region").at(-1)?.title).toBe("no region");
});

test("labels to group by come with the most used first", () => {
  expect(labelKeys(fleet)).toEqual(["env", "region"]);
});
