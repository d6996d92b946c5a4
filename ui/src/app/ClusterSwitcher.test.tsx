import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, useLocation } from "react-router";
import { expect, it } from "vitest";
import { clusterIn, followed } from "../api/testing.ts";
import { Chooser } from "./ClusterSwitcher.tsx";

function Where() {
  return <output>{useLocation().pathname}</output>;
}

it("keeps an Enter that comes before the clusters do", async () => {
  const tell = followed();
  render(<MemoryRouter initialEntries={["/c/management/core/v1/pods"]}><Chooser current="management" onClose={() => undefined} /><Where /></MemoryRouter>);
  await userEvent.type(screen.getByLabelText("Find a cluster"), "nor{Enter}");
  expect(screen.getByText(/on their way; the first that fits opens then/)).toBeTruthy();
  act(() => tell([...["management", "north", "south"].map((name) => ({ type: "added", cluster: clusterIn(name, "connected") })), { type: "synced" }]));
  expect(await screen.findByText("/c/north/core/v1/pods")).toBeTruthy();
});
