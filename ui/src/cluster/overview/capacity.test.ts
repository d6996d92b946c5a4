import { describe, expect, it } from "vitest";
import { nodeStanding, quantity, usageOf } from "./capacity.ts";

describe("quantities", () => {
  it("are read with every suffix that Kubernetes writes", () => {
    expect([quantity("250m"), quantity("4"), quantity("16Gi"), quantity("1e3"), quantity("120000000n"), quantity(8)]).toEqual([0.25, 4, 17179869184, 1000, 0.12, 8]);
  });

  it("that are none are nothing", () => {
    expect([quantity(undefined), quantity("lots"), quantity("4 Gi")]).toEqual([0, 0, 0]);
  });

  it("of several nodes are added up", () => {
    expect(usageOf([{ usage: { cpu: "500m", memory: "1Gi" } }, { usage: { cpu: "1" } }, {}])).toEqual({ cpu: 1.5, memory: 1073741824 });
  });
});

describe("a node", () => {
  it("tells whether it is ready, closed to new pods, and what it runs out of", () => {
    const node = {
      apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { unschedulable: true },
      status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" }, conditions: [{ type: "Ready", status: "False" }, { type: "DiskPressure", status: "True" }] },
    };
    expect(nodeStanding(node)).toEqual({ name: "n", ready: false, cordoned: true, troubles: ["DiskPressure"], cpu: 4, memory: 8589934592, pods: 110 });
  });
});
