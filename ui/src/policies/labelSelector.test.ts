import { describe, expect, it } from "vitest";
import { labelSelector, labelSelectorWords } from "./labelSelector.ts";
import { SelectorError } from "./selector.ts";

const fits = (selector: unknown, own: Record<string, string>) => labelSelector(selector).test(new Map(Object.entries(own)));
const expression = (operator: string, values?: string[]) => ({ matchExpressions: [{ key: "a", operator, ...(values ? { values } : {}) }] });

describe("Kubernetes' label selectors", () => {
  it.each([
    [{}, {}, true],
    [undefined, { a: "x" }, true],
    [{ matchLabels: { a: "x" } }, { a: "x", b: "y" }, true],
    [{ matchLabels: { a: "x", b: "y" } }, { a: "x" }, false],
    [{ matchLabels: { a: "" } }, {}, false],
    [expression("In", ["x", "y"]), { a: "y" }, true],
    [expression("In", ["x"]), {}, false],
    [expression("In", [""]), { a: "" }, true],
    [expression("NotIn", ["x"]), {}, true],
    [expression("NotIn", ["x"]), { a: "x" }, false],
    [expression("Exists"), { a: "" }, true],
    [expression("Exists"), {}, false],
    [expression("DoesNotExist"), {}, true],
    [expression("DoesNotExist"), { a: "" }, false],
    [{ matchLabels: { b: "y" }, ...expression("Exists") }, { a: "", b: "n" }, false],
  ] as [unknown, Record<string, string>, boolean][])("%j of %j is %s", (selector, own, expected) => {
    expect(fits(selector, own)).toBe(expected);
  });

  it("with an operator that there is not are refused", () => {
    expect(() => labelSelector(expression("Near", ["x"]))).toThrow(SelectorError);
  });

  it("read as kubectl writes them", () => {
    expect(labelSelectorWords({})).toBe("");
    expect(labelSelectorWords({ matchLabels: { a: "x" }, matchExpressions: [{ key: "b", operator: "NotIn", values: ["y", "z"] }] })).toBe("a=x, b not in (y, z)");
    expect(labelSelectorWords({ matchExpressions: [{ key: "a", operator: "Exists" }, { key: "b", operator: "DoesNotExist" }] })).toBe("a, !b");
  });

  it("look at labels under a prefix where they are inherited", () => {
    const selector = labelSelector({ matchLabels: { team: "a" } }, "pcns.");
    expect(selector.test(new Map([["pcns.team", "a"]]))).toBe(true);
    expect([...selector.uses]).toEqual(["pcns.team"]);
  });
});
