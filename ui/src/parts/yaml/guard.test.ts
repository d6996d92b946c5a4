import { describe, expect, it } from "vitest";
import { MOST_BYTES, MOST_DOCUMENTS, readObjects, readYaml, writeYaml } from "./guard.ts";

const values = (text: string) => readYaml(text).documents.map(({ value }) => value);

describe("reading YAML", () => {
  it("reads numbers and words as kubectl does", () => {
    expect(values("mode: 0644\non: yes\ntext: '0644'\nat: 2026-01-01\nspan: 1:30")).toEqual([
      { mode: 420, true: true, text: "0644", at: "2026-01-01", span: "1:30" },
    ]);
  });

  it("reads several documents and leaves out empty ones", () => {
    expect(values("a: 1\n---\n---\n# nothing\n---\nb: 2\n")).toEqual([{ a: 1 }, { b: 2 }]);
  });

  it("does not parse what is larger than a mebibyte", () => {
    const { documents, problems } = readYaml("a".repeat(MOST_BYTES + 1));
    expect(documents).toEqual([]);
    expect(problems[0]?.message).toMatch(/no more than 1 MiB/);
  });

  it("counts bytes and not letters", () => {
    expect(readYaml("猫".repeat(MOST_BYTES / 3 + 1)).problems).toHaveLength(1);
  });

  it("does not unfold aliases that multiply", () => {
    const levels = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let at = 0; at < 8; at++) {
      const [now, before] = [String.fromCharCode(98 + at), String.fromCharCode(97 + at)];
      levels.push(`${now}: &${now} [${Array<string>(9).fill(`*${before}`).join(", ")}]`);
    }
    const { documents, problems } = readYaml(levels.join("\n"));
    expect(documents).toEqual([]);
    expect(problems[0]?.message).toMatch(/aliases multiply/);
  });

  it("takes a sensible number of documents", () => {
    const { documents, problems } = readYaml("a: 1\n---\n".repeat(MOST_DOCUMENTS + 5));
    expect(documents).toHaveLength(MOST_DOCUMENTS);
    expect(problems[0]?.message).toMatch(/in parts/);
  });

  it("says where a mistake is", () => {
    const { problems } = readYaml("a: 1\nb: [1,\nc: }\n");
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.line).toBeGreaterThanOrEqual(2);
  });

  it("refuses a key that is there twice", () => {
    expect(readYaml("a: 1\na: 2").problems[0]?.message).toMatch(/unique/);
  });
});

describe("reading objects", () => {
  it("takes the objects out of a list", () => {
    const text = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n";
    expect(readObjects(text).objects.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
  });

  it("names what is missing", () => {
    const missing = (text: string) => readObjects(text).problems[0]?.message;
    expect(missing("kind: Pod\nmetadata: {name: a}")).toBe("apiVersion is missing");
    expect(missing("apiVersion: v1\nmetadata: {name: a}")).toBe("kind is missing");
    expect(missing("apiVersion: v1\nkind: Pod")).toBe("metadata.name is missing");
    expect(missing("just words")).toMatch(/mapping/);
  });

  it("takes a name that the server is to make", () => {
    expect(readObjects("apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}").problems).toEqual([]);
  });
});

describe("writing YAML", () => {
  it("quotes what kubectl would read as something else", () => {
    const text = writeYaml({ a: "yes", b: "0644", c: "null", d: "on", e: "1e3" });
    expect(values(text)).toEqual([{ a: "yes", b: "0644", c: "null", d: "on", e: "1e3" }]);
    expect(text).toContain('a: "yes"');
  });

  it("writes control characters as escapes", () => {
    expect(writeYaml({ a: "x\u001b[31m" })).toContain("\\e[31m");
  });
});
