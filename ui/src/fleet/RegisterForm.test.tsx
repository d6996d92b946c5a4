import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { rest } from "../api/client.ts";
import { Fault } from "../api/fault.ts";
import { fleet } from "../api/fleet.ts";
import type { Live, Reader } from "../api/live.ts";
import { queries } from "../api/tab.ts";
import { cluster } from "../testing/sample.ts";
import { RegisterForm } from "./RegisterForm.tsx";

/** A whole form in jsdom takes its time on a busy machine. */
const SLOW_MS = 30_000;

afterEach(() => {
  vi.restoreAllMocks();
  queries.clear();
});

/** A fleet in which prod-eu is there. */
function withProdEu() {
  let reader: Pick<Reader, "lines"> | undefined;
  const live = { keep: (ask: () => unknown, own: Pick<Reader, "lines">) => (ask(), (reader = own), () => undefined) };
  fleet.follow(live as unknown as Live);
  reader?.lines([JSON.stringify({ type: "added", cluster: cluster("prod-eu") }), JSON.stringify({ type: "synced" })], false);
}

it("checks the name as it is typed, suggests one, and hands the token to memory alone", async () => {
  withProdEu();
  const join = { manifest: "token: tlj_secret", values: "", chart: "", namespace: "trunkline", expires: "2099-01-01T00:00:00Z", pin: "", warnings: [] };
  const post = vi.spyOn(rest, "POST").mockResolvedValue({ data: { cluster: cluster("prod-eu-2"), join }, response: new Response() });
  const registered = vi.fn();
  render(<RegisterForm onRegistered={registered} />);
  expect(screen.getByRole("button", { name: "Register" })).toHaveProperty("disabled", true);
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "prod-eu" } });
  expect(screen.getByText(/is taken/)).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Use prod-eu-2" }));
  fireEvent.change(screen.getByLabelText(/^Labels/), { target: { value: "env=prod" } });
  fireEvent.click(screen.getByRole("button", { name: "Register prod-eu-2" }));
  await waitFor(() => expect(registered).toHaveBeenCalledWith("prod-eu-2"));
  expect(post.mock.calls[0]?.[1]).toMatchObject({ body: { name: "prod-eu-2", labels: { env: "prod" } } });
  expect(queries.getQueryData(["join", "prod-eu-2"])).toEqual(join);
  expect(JSON.stringify({ ...localStorage, ...sessionStorage }) + location.href).not.toContain("tlj_secret");
}, SLOW_MS);

it("stays with what was typed when the gateway says no", async () => {
  withProdEu();
  vi.spyOn(rest, "POST").mockRejectedValue(new Fault("Exists", "the name prod-us is taken", 409, "gateway"));
  render(<RegisterForm onRegistered={() => undefined} />);
  fireEvent.change(screen.getByLabelText(/^Name/), { target: { value: "prod-us" } });
  fireEvent.click(screen.getByRole("button", { name: "Register prod-us" }));
  expect((await screen.findByRole("alert")).textContent).toContain("the name prod-us is taken");
  expect(screen.getByLabelText(/^Name/)).toHaveProperty("value", "prod-us");
}, SLOW_MS);
