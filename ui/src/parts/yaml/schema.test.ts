import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { optionsAt, spotAt } from "./complete.ts";
import { readYaml } from "./guard.ts";
import { Kinds, typeWords, type OpenApi } from "./schema.ts";

const DOCUMENT: OpenApi = {
  components: {
    schemas: {
      Deployment: {
        type: "object",
        required: ["spec"],
        properties: {
          apiVersion: { type: "string" },
          kind: { type: "string" },
          metadata: { allOf: [{ $ref: "#/components/schemas/Meta" }], description: "who it is" },
          spec: { allOf: [{ $ref: "#/components/schemas/Spec" }] },
        },
        "x-kubernetes-group-version-kind": [{ group: "apps", version: "v1", kind: "Deployment" }],
      },
      Meta: { type: "object", properties: { name: { type: "string" }, labels: { type: "object", additionalProperties: { type: "string" } } } },
      Spec: {
        type: "object",
        required: ["containers"],
        properties: {
          replicas: { type: "integer", format: "int32", description: "how many" },
          paused: { type: "boolean" },
          strategy: { type: "string", enum: ["Recreate", "RollingUpdate"] },
          port: { format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
          containers: { type: "array", items: { allOf: [{ $ref: "#/components/schemas/Container" }] } },
          free: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: { type: "string" } } },
          again: { $ref: "#/components/schemas/Spec" },
        },
      },
      Container: { type: "object", required: ["name"], properties: { name: { type: "string" }, image: { type: "string" }, args: { type: "array", items: { type: "string" } } } },
      Loop: { $ref: "#/components/schemas/Loop" },
    },
  },
};
const kinds = new Kinds([DOCUMENT]);
const root = kinds.of("apps/v1", "Deployment") ?? {};

function problems(text: string): string[] {
  const { documents, lines } = readYaml(`apiVersion: apps/v1\nkind: Deployment\n${text}`);
  return documents.flatMap(({ parsed }) => check(parsed, kinds, lines)).map(({ line, message }) => `${line}: ${message}`);
}

describe("a cluster's schemas", () => {
  it("finds a field through references and lists", () => {
    expect(kinds.at(root, ["spec", "containers", 0, "image"])?.type).toBe("string");
    expect(kinds.at(root, ["spec", "again", "again", "replicas"])?.format).toBe("int32");
    expect(kinds.at(root, ["metadata", "labels", "anything"])?.type).toBe("string");
    expect(kinds.at(root, ["spec", "nothing"])).toBeUndefined();
  });

  it("does not follow a reference to itself for ever", () => {
    expect(kinds.resolve({ $ref: "#/components/schemas/Loop" })).toEqual({});
  });

  it("does not take what every object has for a schema", () => {
    expect(kinds.resolve({ $ref: "#/components/schemas/constructor" })).toEqual({});
  });

  it("names types in words", () => {
    const words = (path: string[]) => typeWords(kinds.at(root, path) ?? {}, kinds);
    expect([words(["spec", "replicas"]), words(["spec", "port"]), words(["spec", "containers"])])
      .toEqual(["integer (int32)", "integer or string", "array of object"]);
  });
});

describe("checking by a schema", () => {
  it("finds nothing wrong with what is right", () => {
    expect(problems("metadata: {name: a, labels: {x: z}}\nspec: {replicas: 2, port: http, containers: [{name: c}], free: {what: ever}}")).toEqual([]);
  });

  it("tells an unknown field, and which was probably meant", () => {
    expect(problems("spec:\n  replica: 2\n  containers: []")).toEqual(["4: spec.replica: there is no such field; is replicas meant?"]);
  });

  it("tells a missing field", () => {
    expect(problems("spec:\n  containers:\n  - image: x")).toEqual(["5: spec.containers[0].name is missing"]);
    expect(problems("metadata: {name: a}")).toEqual(["1: spec is missing"]);
  });

  it("tells a wrong type", () => {
    expect(problems("spec:\n  replicas: two\n  paused: 1\n  containers: {}")).toEqual([
      "4: spec.replicas: a string where integer (int32) belongs",
      "5: spec.paused: an integer where boolean belongs",
      "6: spec.containers: an object where array of object belongs",
    ]);
  });

  it("tells a value that is none of those there are", () => {
    expect(problems("spec: {strategy: Quick, containers: []}")).toEqual(["3: spec.strategy: one of Recreate, RollingUpdate"]);
  });

  it("takes null for a field that is not set", () => {
    expect(problems("spec: {replicas: null, containers: []}")).toEqual([]);
  });
});

const HEAD = "apiVersion: apps/v1\nkind: Deployment\n";
function labels(text: string): string[] {
  const at = text.indexOf("|");
  const spot = spotAt(HEAD + text.replace("|", ""), HEAD.length + at);
  return spot === null ? [] : optionsAt(spot, kinds).map(({ label }) => label);
}

describe("completion", () => {
  it("offers the fields of the mapping, without those that are there", () => {
    expect(labels("metadata:\n  name: a\nspec:\n  replicas: 1\n  |")).toEqual(["paused", "strategy", "port", "containers", "free", "again"]);
  });

  it("offers the fields of an item, at its dash and below", () => {
    expect(labels("spec:\n  containers:\n  - |")).toEqual(["name", "image", "args"]);
    expect(labels("spec:\n  containers:\n  - name: a\n    im|")).toEqual(["image", "args"]);
    expect(labels("spec:\n  containers:\n  - name: a\n  - name: b\n    |")).toEqual(["image", "args"]);
    expect(labels("spec:\n  containers:\n    - name: a\n      |")).toEqual(["image", "args"]);
  });

  it("offers the fields of the second item though the first has them", () => {
    expect(labels("spec:\n  containers:\n  - name: a\n    image: x\n  - |")).toEqual(["name", "image", "args"]);
  });

  it("offers values where there are only some", () => {
    expect(labels("spec:\n  strategy: |")).toEqual(["Recreate", "RollingUpdate"]);
    expect(labels("spec:\n  paused: t|")).toEqual(["true", "false"]);
  });

  it("knows each document of a text", () => {
    expect(labels("spec: {}\n---\napiVersion: v1\nkind: Other\nspec:\n  |")).toEqual([]);
    expect(labels("spec:\n  |\n---\napiVersion: v1\nkind: Other")).toContain("replicas");
  });

  it("offers nothing in a comment or of an unknown kind", () => {
    expect(labels("spec:\n  # |")).toEqual([]);
    expect(spotAt("kind: Nothing\n", 14)).not.toBeNull();
  });
});
