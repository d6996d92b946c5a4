import { expect, test } from "vitest";
import { draftOf, specOf } from "./draft.ts";

const rule = {
  description: "what team A runs itself",
  subjects: { users: ["jane"], groups: ["corp:team-a", "corp:team-b"] },
  clusters: { names: ["prod-eu"], selector: "env in (dev, test)" },
  namespaces: ["team-a"],
  role: "custom" as const,
  verbs: ["get", "list"],
  resources: ["pods", "pods/log"],
  fleet: "viewer" as const,
  record: true,
  identity: { user: "deployer", groups: ["ops"] },
  actAs: { users: ["*"] },
};

test("a rule through the form is the same rule, also what the form does not show", () => {
  expect(specOf(draftOf(rule), rule)).toEqual(rule);
});

test("a role that is not custom names no verbs", () => {
  const spec = specOf({ ...draftOf(rule), role: "operator" }, rule);
  expect([spec.verbs, spec.resources]).toEqual([[], []]);
});

test("an identity that was emptied is gone", () => {
  const spec = specOf({ ...draftOf(rule), asUser: " ", asGroups: "" }, rule);
  expect("identity" in spec).toBe(false);
});

test("blanks and stray commas name nobody", () => {
  const spec = specOf({ ...draftOf(rule), users: " , jane ,, joe", groups: "" }, rule);
  expect(spec.subjects).toEqual({ users: ["jane", "joe"], groups: [] });
});
