import { act, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../api/fault.ts";
import { fleet } from "../api/fleet.ts";
import { clusterIn, followed } from "../api/testing.ts";
import { Failed } from "./states.tsx";

/** What the gateway tells of the fleet. */
let tell: (events: object[]) => void = () => undefined;

/** A fleet with one cluster. */
function fleetWith(state: string): void {
  tell = followed();
  tell([{ type: "added", cluster: edge(state) }, { type: "synced" }]);
}

const edge = (state: string) => clusterIn("edge", state);

function show(reason: string) {
  const again = vi.fn();
  render(<MemoryRouter><Failed error={new Fault(reason, "no agent of edge has ever come", 503, "tunnel")} cluster="edge" onRetry={again} /></MemoryRouter>);
  return again;
}

/** As soon as the page has heard of it. */
async function becomes(state: string): Promise<void> {
  await act(async () => {
    tell([{ type: "changed", cluster: edge(state) }]);
    await vi.waitFor(() => expect(fleet.snapshot().byName.get("edge")?.status.state).toBe(state));
  });
}

describe("what went wrong", () => {
  afterEach(() => tell([{ type: "removed", cluster: edge("joining") }]));

  it("is asked again by itself when a cluster that was away is connected", async () => {
    fleetWith("joining");
    const again = show("ClusterDisconnected");
    expect(screen.getByRole("alert").textContent).toBe("no agent of edge has ever come");
    expect(again).not.toHaveBeenCalled();
    await becomes("connected");
    expect(again).toHaveBeenCalledTimes(1);
    await becomes("disconnected");
    expect(again).toHaveBeenCalledTimes(1);
  });

  it("stays where it is nothing that a tunnel brings back", async () => {
    fleetWith("disconnected");
    const again = show("Forbidden");
    await becomes("connected");
    expect(again).not.toHaveBeenCalled();
  });
});
