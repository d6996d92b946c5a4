import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { rest } from "../api/client.ts";
import { Fault } from "../api/fault.ts";
import { cluster } from "../testing/sample.ts";
import { EditDialog } from "./EditDialog.tsx";

/** A whole form in jsdom takes its time on a busy machine. */
const SLOW_MS = 30_000;

afterEach(() => vi.restoreAllMocks());

it("shows what somebody else changed meanwhile, and saves one's own on top of that", async () => {
  const before = cluster("prod-eu", { spec: { displayName: "Shop" }, labels: { env: "prod" } });
  const now = cluster("prod-eu", { spec: { displayName: "Theirs" }, labels: { env: "prod", owner: "ops" } });
  now.metadata.revision = 2;
  const patch = vi.spyOn(rest, "PATCH")
    .mockRejectedValueOnce(new Fault("Conflict", "it changed since it was read", 409, "gateway"))
    .mockResolvedValueOnce({ data: now, response: new Response() });
  vi.spyOn(rest, "GET").mockResolvedValue({ data: now, response: new Response() });
  const close = vi.fn();
  render(<EditDialog cluster={before} onClose={close} />);
  expect(screen.getByRole("button", { name: "Save" })).toHaveProperty("disabled", true);
  fireEvent.change(screen.getByLabelText("Display name"), { target: { value: "Mine" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Theirs")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Go on with mine on top" }));
  expect(screen.getByLabelText("Labels")).toHaveProperty("value", "env=prod,owner=ops");
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(close).toHaveBeenCalled());
  expect(patch.mock.calls.map(([, options]) => (options as { body: unknown }).body)).toEqual([
    { revision: 1, displayName: "Mine" },
    { revision: 2, displayName: "Mine" },
  ]);
}, SLOW_MS);
