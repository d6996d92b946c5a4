import { describe, expect, it } from "vitest";
import { holdRows } from "./hold.ts";

const row = (key: string, value = 0) => ({ key, value });
const hold = (before: string[], now: { key: string; value: number }[]) => holdRows(before.map((key) => row(key)), now, ({ key }) => key);

describe("rows that are held", () => {
  it("keep their places and are renewed in them", () => {
    expect(hold(["b", "a"], [row("a", 1), row("b", 2)]).rows).toEqual([row("b", 2), row("a", 1)]);
  });

  it("let new ones wait, and count them", () => {
    const held = hold(["a"], [row("new"), row("a"), row("newer")]);
    expect(held.rows.map(({ key }) => key)).toEqual(["a"]);
    expect(held.fresh).toBe(2);
  });

  it("stay when they are gone, and are marked", () => {
    const held = hold(["a", "b"], [row("b"), row("c")]);
    expect(held.rows.map(({ key }) => key)).toEqual(["a", "b"]);
    expect([...held.gone]).toEqual(["a"]);
    expect(held.fresh).toBe(1);
  });
});
