import { describe, expect, it } from "vitest";
import { asText, harmless } from "./text.ts";

describe("text of a cluster", () => {
  it("shows control characters in place of obeying them", () => {
    expect(harmless("\u001b[31mred\u0007")).toBe("␛[31mred␇");
    expect(harmless("a\u007f\u009bb")).toBe("a␡<U+009B>b");
  });

  it("shows what would turn the direction of reading", () => {
    expect(harmless("exe\u202Egnp.\u2066x")).toBe("exe<U+202E>gnp.<U+2066>x");
  });

  it("leaves lines, tabs and other scripts alone", () => {
    expect(harmless("a\tb\nשלום é 猫")).toBe("a\tb\nשלום é 猫");
  });

  it("writes any value as a line", () => {
    expect([asText(null), asText(3), asText({ a: "\u0000" })]).toEqual(["", "3", '{"a":"\\u0000"}']);
  });
});
