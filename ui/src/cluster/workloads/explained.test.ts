import { describe, expect, it } from "vitest";
import type { Happening } from "./events.ts";
import { explained, rank, type Workload } from "./useWorkloads.ts";

const workload = (name: string, health: Workload["health"], why = ""): Workload => ({
  uid: name, kind: "Deployment", of: { group: "apps", version: "v1", resource: "deployments" }, namespace: "shop", name, created: "", images: "", word: "x", health, why, ready: "",
});
const warning = (name: string): Happening => ({
  uid: name, namespace: "shop", kind: "Pod", name, apiVersion: "v1", type: "Warning", reason: "Failed", message: "no image", count: 1, at: 1, source: "",
});

describe("workloads that are not well", () => {
  it("are explained by the newest warning about their pods", () => {
    expect(explained([workload("web", "bad")], [warning("web-7d9-x2x4k")])[0]?.why).toBe("Failed: no image");
    expect(explained([workload("web", "bad", "1 of 2 not ready")], [warning("web-7d9-x2x4k")])[0]?.why).toBe("Failed: no image; 1 of 2 not ready");
  });

  it("and only they are", () => {
    expect(explained([workload("web", "good")], [warning("web-7d9-x2x4k")])[0]?.why).toBe("");
    expect(explained([workload("api", "bad")], [warning("web-7d9-x2x4k")])[0]?.why).toBe("");
  });

  it("come first", () => {
    expect((["good", "bad", "busy"] as const).map((health) => rank({ health }))).toEqual([3, 0, 1]);
  });
});
