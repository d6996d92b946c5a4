import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../../api/fault.ts";
import type { KubeObject } from "../../api/kube.ts";
import { ApplyDialog } from "./ApplyDialog.tsx";
import type { Write } from "./write.ts";

const KIND = { group: "apps", version: "v1", resource: "deployments", namespaced: true };
const deployment = (replicas: number, version: string, more: object = {}): KubeObject => ({
  apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "shop", resourceVersion: version }, spec: { replicas, ...more },
});

/** What the cluster has; writing with another version is a conflict. */
let there = deployment(1, "1");
const written: { replicas: unknown; dry: boolean }[] = [];
let refusal: Fault | null = null;

vi.mock("./YamlDiff.tsx", () => ({ YamlDiff: ({ after }: { after: string }) => <pre>{after}</pre> }));
vi.mock("./write.ts", () => ({
  write: ({ base, mine }: Write, dry: boolean) => {
    if (refusal !== null) return Promise.reject(refusal);
    if (base?.metadata.resourceVersion !== there.metadata.resourceVersion) return Promise.reject(new Fault("Conflict", "it was changed", 409, "cluster"));
    written.push({ replicas: (mine["spec"] as { replicas: unknown }).replicas, dry });
    const result = { ...mine, metadata: { ...mine.metadata, resourceVersion: "9" } };
    if (!dry) there = result;
    return Promise.resolve(result);
  },
  readAgain: () => Promise.resolve(there),
}));

function show(mine: KubeObject) {
  const applied = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <MemoryRouter><ApplyDialog cluster="dev" kind={KIND} base={deployment(1, "1")} mine={mine} onApplied={applied} onClose={() => undefined} /></MemoryRouter>
    </QueryClientProvider>,
  );
  return applied;
}

beforeEach(() => {
  there = deployment(1, "1");
  written.length = 0;
  refusal = null;
});

describe("applying a change", () => {
  it("tries it, shows what would change and where, and writes when it is told to", async () => {
    const applied = show(deployment(3, "1"));
    expect(await screen.findByText(/The dry run worked/)).toBeTruthy();
    expect(screen.getByText("shop")).toBeTruthy();
    expect(written).toEqual([{ replicas: 3, dry: true }]);
    await userEvent.click(screen.getByRole("button", { name: "Apply" }));
    await waitFor(() => expect(applied).toHaveBeenCalled());
    expect(written).toEqual([{ replicas: 3, dry: true }, { replicas: 3, dry: false }]);
  });

  it("does not write what changes nothing", async () => {
    show(deployment(1, "1"));
    expect(await screen.findByText(/Nothing changes/)).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Apply" }).disabled).toBe(true);
  });

  it("never overwrites what somebody else changed: it asks, tries again, and keeps theirs beside mine", async () => {
    there = deployment(5, "2", { paused: true });
    const applied = show(deployment(3, "1"));
    expect(await screen.findByText(/changed by somebody else/)).toBeTruthy();
    const go = () => screen.getByRole<HTMLButtonElement>("button", { name: "Put together and try" });
    expect(go().disabled).toBe(true);
    expect(written).toEqual([]);
    await userEvent.click(screen.getByRole("radio", { name: /mine for spec.replicas/ }));
    await userEvent.click(go());
    expect(await screen.findByText(/The dry run worked/)).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Apply" }));
    await waitFor(() => expect(applied).toHaveBeenCalled());
    expect(there["spec"]).toEqual({ replicas: 3, paused: true });
  });

  it("says field by field what the cluster would not take", async () => {
    const answer = { details: { causes: [{ field: "spec.selector", message: "field is immutable" }] } };
    refusal = new Fault("Invalid", "Deployment is invalid: spec.selector: field is immutable", 422, "cluster", "", null, answer);
    show(deployment(3, "1"));
    expect(await screen.findByText("spec.selector")).toBeTruthy();
    expect(screen.getByText(/cannot change while the object lives/)).toBeTruthy();
  });
});
