import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../api/kube.ts";
import { covered, forEditing, uncovered, withoutBookkeeping } from "./look.ts";

const APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const secret: KubeObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", annotations: { [APPLIED]: '{"data":{"key":"c2VjcmV0"}}' }, managedFields: [{}], resourceVersion: "5" },
  data: { key: "c2VjcmV0", other: "YQ==" },
};

describe("a Secret", () => {
  it("is shown with its values covered, those in annotations as well", () => {
    const text = JSON.stringify(covered(secret));
    expect(text).not.toContain("c2VjcmV0");
    expect(text).toContain("(hidden, 6 bytes)");
    expect(text).toContain("(hidden, 1 byte)");
  });

  it("comes back as it was where nothing was touched", () => {
    expect(uncovered(covered(secret), secret)).toEqual(secret);
  });

  it("comes back with what was written in place of a cover", () => {
    const edited = covered(secret);
    edited["data"] = { ...(edited["data"] as object), key: "bmV3" };
    expect(uncovered(edited, secret)["data"]).toEqual({ key: "bmV3", other: "YQ==" });
  });

  it("is refused with a cover under which there is nothing", () => {
    const edited = { ...covered(secret), data: { new: "(hidden, 6 bytes)" } };
    expect(() => uncovered(edited, secret)).toThrow(/data.new is covered/);
  });

  it("leaves other kinds alone", () => {
    const map = { ...secret, kind: "ConfigMap" };
    expect(covered(map)).toBe(map);
    expect(uncovered(map, null)).toBe(map);
  });
});

describe("an object that is shown", () => {
  it("is without managedFields, and to be edited without its status", () => {
    const object = { ...secret, status: { ready: true } };
    expect(withoutBookkeeping(object).metadata.managedFields).toBeUndefined();
    expect(withoutBookkeeping(object)).toHaveProperty("status");
    expect(forEditing(object)).not.toHaveProperty("status");
    expect(withoutBookkeeping(object, true).metadata.resourceVersion).toBeUndefined();
  });
});
