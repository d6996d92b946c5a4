import { expect, it } from "vitest";
import { collecting, EMPTY, faultsOf, isReady, newCluster } from "./registration.ts";

const taken = (name: string) => name === "prod-eu";

it("is ready with a name that is free, and not before", () => {
  const of = (change: Partial<typeof EMPTY>) => {
    const registration = { ...EMPTY, ...change };
    return isReady(registration, faultsOf(registration, taken));
  };
  expect(of({})).toBe(false);
  expect(of({ name: "prod-us" })).toBe(true);
  expect(of({ name: "prod-eu" })).toBe(false);
  expect(of({ name: "prod-us", labels: "env" })).toBe(false);
  expect(of({ name: "prod-us", access: "pass-through" })).toBe(false);
  expect(of({ name: "prod-us", access: "pass-through", audiences: "urn:prod-us" })).toBe(true);
});

it("sends what was filled in", () => {
  expect(newCluster({
    ...EMPTY, name: "prod-us", displayName: " Shop ", labels: "env=prod,region=us", environment: "production", protection: "confirm", collect: "pods",
    bindings: { viewers: true, operators: true, admins: false }, storageClass: "fast",
  })).toEqual({
    name: "prod-us", displayName: "Shop", description: "", labels: { env: "prod", region: "us" }, environment: "production", protection: "confirm",
    manifest: { withoutBindings: ["admins"], logs: true, logTail: true, storageClass: "fast" },
  });
});

it("has no bindings to leave out where tokens are passed through, and no class for a spool without a volume", () => {
  const { manifest } = newCluster({
    ...EMPTY, name: "a", access: "pass-through", audiences: "urn:a, urn:b", collect: "shippers", bindings: { viewers: false, operators: true, admins: true }, storageClass: "fast", ephemeral: true,
  });
  expect(manifest).toEqual({ passThrough: ["urn:a", "urn:b"], logs: true, ephemeralSpool: true });
});

it("changes what is collected later by both switches of the manifest", () => {
  expect(collecting("nothing")).toEqual({ logs: false, logTail: false });
  expect(collecting("shippers")).toEqual({ logs: true, logTail: false });
  expect(collecting("pods")).toEqual({ logs: true, logTail: true });
});
