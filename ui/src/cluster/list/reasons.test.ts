import { describe, expect, it, vi } from "vitest";
import type { Row } from "../../api/table.ts";
import { Reasons } from "./reasons.ts";

const row = (name: string, resourceVersion = "1"): Row => ({ uid: name, name, namespace: "shop", cells: [], metadata: { name, resourceVersion } });

describe("reasons of broken pods", () => {
  it("are read four at once, the newest wish first", async () => {
    const begun: string[] = [];
    const ends: (() => void)[] = [];
    const reasons = new Reasons((_, name) => {
      begun.push(name);
      return new Promise((resolve) => ends.push(() => resolve(`why ${name}`)));
    });
    for (const name of ["a", "b", "c", "d", "e", "f"]) reasons.want(row(name));
    expect(begun).toEqual(["a", "b", "c", "d"]);
    ends[0]?.();
    await vi.waitFor(() => expect(begun).toEqual(["a", "b", "c", "d", "f"]));
    expect(reasons.of("a")).toBe("why a");
  });

  it("are read again when the pod changed, and not more often than every ten seconds", async () => {
    let now = 0;
    const read = vi.fn(() => Promise.resolve("why"));
    const reasons = new Reasons(read, () => now);
    reasons.want(row("a"));
    await vi.waitFor(() => expect(reasons.of("a")).toBe("why"));
    now = 20_000;
    reasons.want(row("a"));
    expect(read).toHaveBeenCalledTimes(1);
    now = 5_000;
    reasons.want(row("a", "2"));
    expect(read).toHaveBeenCalledTimes(1);
    now = 11_000;
    reasons.want(row("a", "2"));
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("that cannot be read are empty", async () => {
    const reasons = new Reasons(() => Promise.reject(new Error("no")));
    const told = vi.fn();
    reasons.subscribe(told);
    reasons.want(row("a"));
    await vi.waitFor(() => expect(told).toHaveBeenCalled());
    expect(reasons.of("a")).toBe("");
  });

  it("of five hundred pods are remembered", async () => {
    const reasons = new Reasons((_, name) => Promise.resolve(name));
    for (let at = 0; at < 510; at++) {
      reasons.want(row(`p${at}`));
      await vi.waitFor(() => expect(reasons.of(`p${at}`)).toBe(`p${at}`), { interval: 1 });
    }
    expect(reasons.of("p0")).toBe("");
    expect(reasons.of("p509")).toBe("p509");
  });
});
