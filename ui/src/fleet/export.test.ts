import { expect, it } from "vitest";
import { cluster, standing } from "../testing/sample.ts";
import { csv, json } from "./export.ts";
import { sumUp } from "./logs.ts";
import { rowsOf } from "./rows.ts";

const now = Date.parse("2026-11-27T06:00:00Z");
const rows = (...clusters: ReturnType<typeof cluster>[]) => rowsOf(clusters, sumUp([standing("prod-eu", { lagMs: 40 })]), "0.2.0", now);

it("has a head, and for each cluster a line with moments as ISO", () => {
  const [head, line, end] = csv(rows(cluster("prod-eu", { labels: { env: "prod", region: "eu" } }))).split("\r\n");
  expect(head).toMatch(/^name,displayName,state,/);
  expect(line).toBe(
    'prod-eu,,connected,,,none,"env=prod,region=eu",v1.34.2,0.2.0,12,2026-11-27T06:00:00Z,38,2026-11-28T00:00:00.000Z,1,40,0,0,2026-11-01T00:00:00Z,ops,registry,uid-prod-eu',
  );
  expect(end).toBe("");
});

it.each([
  "=HYPERLINK(\"http://evil\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "|cmd", "%x",
])("no spreadsheet takes %j for a formula", (text) => {
  const line = csv(rows(cluster("a", { spec: { displayName: text } })));
  const quoted = `"'${text.replaceAll('"', '""')}"`;
  expect(line).toContain(`\r\na,${quoted},connected`);
});

it("keeps quotation marks, commas and lines within their cell", () => {
  const line = csv(rows(cluster("a", { spec: { displayName: 'one "two", three\nfour' } })));
  expect(line).toContain('a,"one ""two"", three\nfour",connected');
});

it("writes JSON as the gateway's list", () => {
  const list = JSON.parse(json(rows(cluster("a")))) as { kind: string; items: { metadata: { name: string } }[] };
  expect(list.kind).toBe("ClusterList");
  expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
});
