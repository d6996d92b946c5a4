import { expect, it } from "vitest";
import type { Shapes } from "../api/client.ts";
import { roleOf } from "./role.ts";

type Rule = Shapes["AccessRule"];

function rule(subjects: { users?: string[]; groups?: string[] }, fleet?: "viewer" | "admin"): Rule {
  return { metadata: { name: "a" }, spec: { subjects, ...(fleet === undefined ? {} : { fleet }) } } as Rule;
}

const who = { user: "vera", groups: ["team-a"] };

it("is the highest that a rule gives to the user, a group, or everybody", () => {
  expect(roleOf(who, [rule({ groups: ["team-a"] }, "viewer"), rule({ users: ["vera"] }, "admin")])).toBe("admin");
  expect(roleOf(who, [rule({ users: ["*"] }, "viewer"), rule({ groups: ["team-b"] }, "admin")])).toBe("viewer");
});

it("is none where no rule is about the fleet, or about somebody else", () => {
  expect(roleOf(who, [rule({ users: ["vera"] }), rule({ users: ["otto"] }, "admin")])).toBe("none");
});
