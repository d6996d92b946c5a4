import { describe, expect, it } from "vitest";
import type { Row } from "../../api/table.ts";
import { fits, healthOf, sortKey } from "./rows.ts";

const row = (name: string, ...cells: unknown[]): Row => ({ uid: name, name, namespace: "shop", cells, metadata: { name } });

describe("a filter", () => {
  it("fits rows that have all of its words, anywhere", () => {
    const web = row("web-1", "web-1", "1/1", "Running", 0);
    expect([fits(web, ""), fits(web, "WEB shop"), fits(web, "running 1/1"), fits(web, "web other")]).toEqual([true, true, true, false]);
  });

  it("takes out what has a word after a minus", () => {
    expect([fits(row("web"), "-api"), fits(row("api"), "-api"), fits(row("api"), "-")]).toEqual([true, false, true]);
  });
});

describe("sorting", () => {
  const sorted = (...cells: unknown[]) => [...cells].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));

  it("puts numbers by size, however they are written", () => {
    expect(sorted(10, 9, "100 (3m ago)", 0)).toEqual([0, 9, 10, "100 (3m ago)"]);
    expect(sorted("1Gi", "500Mi", "2Gi")).toEqual(["500Mi", "1Gi", "2Gi"]);
    expect(sorted("250m", 1, "100m")).toEqual(["100m", "250m", 1]);
    expect(sorted("10/10", "2/3", "0/1")).toEqual(["0/1", "2/3", "10/10"]);
  });

  it("puts words after numbers, and nothing last", () => {
    expect(sorted("", "b", null, "A", 3).slice(0, 3)).toEqual([3, "A", "b"]);
  });
});

describe("the words of a status", () => {
  it("say whether something is well, on its way or broken", () => {
    expect(["Running", "Completed", "Bound"].map(healthOf)).toEqual(["good", "good", "good"]);
    expect(["Pending", "Init:0/2", "Terminating"].map(healthOf)).toEqual(["busy", "busy", "busy"]);
    expect(["CrashLoopBackOff", "ImagePullBackOff", "Error", "Init:Error", "OOMKilled", "NotReady", "Evicted", "ErrImagePull"].map(healthOf))
      .toEqual(Array<string>(8).fill("bad"));
    expect(healthOf("ClusterIP")).toBe("plain");
  });
});
