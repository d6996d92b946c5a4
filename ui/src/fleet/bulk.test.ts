import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Fault } from "../api/fault.ts";
import { manifestScript, toEach } from "./bulk.ts";

it("goes through all, a few at a time, and one that fails holds up no other", async () => {
  const names = Array.from({ length: 20 }, (_, at) => `c${at}`);
  let under = 0;
  let most = 0;
  const told: number[] = [];
  const act = async (name: string) => {
    most = Math.max(most, ++under);
    await Promise.resolve();
    under--;
    if (name === "c3") throw new Fault("Conflict", "somebody was first", 409, "gateway");
    return name.toUpperCase();
  };
  const { done, failed } = await toEach(names, act, (through) => told.push(through));
  expect(done.map(({ answer }) => answer)).toEqual(names.filter((name) => name !== "c3").map((name) => name.toUpperCase()));
  expect(failed.map(({ name, fault }) => [name, fault.detail])).toEqual([["c3", "somebody was first"]]);
  expect(most).toBeLessThanOrEqual(4);
  expect(told.at(-1)).toBe(20);
});

it("the script writes what it was given, for its owner alone", () => {
  const folder = mkdtempSync(join(tmpdir(), "manifests-"));
  const manifests = [{ name: "a", manifest: "one: $(id)\nMANIFEST\n" }, { name: "b", manifest: "two: `id`" }];
  execFileSync("sh", ["-c", manifestScript(manifests)], { cwd: folder });
  expect(readdirSync(folder)).toEqual(["trunkline-agent-a.yaml", "trunkline-agent-b.yaml"]);
  expect(readFileSync(join(folder, "trunkline-agent-a.yaml"), "utf8")).toBe("one: $(id)\nMANIFEST\n");
  expect(readFileSync(join(folder, "trunkline-agent-b.yaml"), "utf8")).toBe("two: `id`\n");
  expect(statSync(join(folder, "trunkline-agent-a.yaml")).mode & 0o077).toBe(0);
});
