import { describe, expect, it } from "vitest";
import { cluster } from "../testing/sample.ts";
import { conflicts, draftOf, patchOf, rebased } from "./edits.ts";

const before = cluster("prod-eu", { labels: { env: "prod", tier: "1" }, spec: { displayName: "Shop", environment: "production" } });

describe("an edit", () => {
  it("changes nothing as long as nothing is changed", () => {
    expect(patchOf(before, draftOf(before))).toBeNull();
  });

  it("names only what is changed, and the revision it was made on", () => {
    const draft = { ...draftOf(before), labels: "env=prod,region=eu", protection: "confirm" as const };
    expect(patchOf(before, draft)).toEqual({ revision: 1, protection: "confirm", labels: { tier: null, region: "eu" } });
  });
});

describe("a conflict", () => {
  const now = cluster("prod-eu", { labels: { env: "prod", tier: "2", owner: "ops" }, spec: { displayName: "Shop EU", environment: "production" } });
  now.metadata.revision = 2;
  const draft = { ...draftOf(before), displayName: "Shop Europe", labels: "env=prod,tier=1,region=eu" };

  it("shows what was, what is and what is wanted, of what the other changed", () => {
    expect(conflicts(before, now, draft)).toEqual([
      { title: "Display name", before: "Shop", now: "Shop EU", wanted: "Shop Europe", both: true },
      { title: "Labels", before: "env=prod,tier=1", now: "env=prod,tier=2,owner=ops", wanted: "env=prod,tier=1,region=eu", both: true },
    ]);
  });

  it("is solved by one's own changes on top of the other's, labels one by one", () => {
    const again = rebased(before, now, draft);
    expect(again).toEqual({
      displayName: "Shop Europe", description: "", environment: "production", protection: "none", labels: "env=prod,tier=2,owner=ops,region=eu",
    });
    expect(patchOf(now, again)).toEqual({ revision: 2, displayName: "Shop Europe", labels: { region: "eu" } });
  });
});
