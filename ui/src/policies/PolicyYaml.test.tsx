import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import type { KubeObject } from "../api/kube.ts";
import { KINDS } from "./kinds.ts";
import { PolicyYaml } from "./PolicyYaml.tsx";
import { object, resource } from "./testing.ts";

vi.mock("../api/fleet.ts", async (original) => ({
  ...(await original<object>()),
  useFleet: () => ({ all: [], byName: new Map(), synced: true, fault: null }),
}));

/** What was put into the editor, one after the other, and how somebody types into it. */
let put: string[] = [];
let type: (now: string) => void = () => undefined;
/** What applying wrote. */
let written: KubeObject | null = null;
vi.mock("../parts/yaml/index.ts", async (original) => ({
  ...(await original<object>()),
  YamlEditor: ({ value, onChange }: { value: string; onChange: (now: string) => void }) => {
    if (put.at(-1) !== value) put.push(value);
    type = onChange;
    return <pre>{value}</pre>;
  },
  ApplyDialog: ({ onApplied }: { onApplied: (written: KubeObject) => void }) => <button onClick={() => written && onApplied(written)}>Apply</button>,
}));

const KIND = KINDS.find(({ kind }) => kind === "NetworkPolicy") ?? KINDS[0];
const policy = (version: string, app: string): KubeObject => {
  const made = object("NetworkPolicy", "shop/p");
  return { ...made, metadata: { ...made.metadata, resourceVersion: version }, spec: { podSelector: { matchLabels: { app } } } };
};
const page = (at: KubeObject) => (
  <MemoryRouter>
    {KIND && <PolicyYaml cluster="dev" kind={KIND} resource={{ ...resource("networking.k8s.io", "networkpolicies"), verbs: ["update"] }} object={at} />}
  </MemoryRouter>
);

/** Whether the page knows of something to try. */
const changes = () => !screen.getByRole<HTMLButtonElement>("button", { name: /Try it/ }).disabled;

beforeEach(() => {
  put = [];
});

it("what is typed never comes back into the editor, where it would be late", () => {
  render(page(policy("1", "web")));
  act(() => type("n"));
  act(() => type("no"));
  expect(put).toHaveLength(1);
  expect(changes()).toBe(true);
});

it("a text that nobody touched follows the cluster", () => {
  const { rerender } = render(page(policy("1", "web")));
  rerender(page(policy("2", "api")));
  expect(put).toHaveLength(2);
  expect(put[1]).toContain("app: api");
  expect(changes()).toBe(false);
});

it("a key that was pressed as the cluster's object changed is not lost, and what it was pressed upon is what is changed", () => {
  const { rerender } = render(page(policy("1", "web")));
  act(() => {
    type("mine");
    rerender(page(policy("2", "api")));
  });
  expect(put).toHaveLength(1);
  screen.getByText(/It was changed by somebody else meanwhile/);
});

it("theirs is taken when one says so, and what was typed is undone", async () => {
  const { rerender } = render(page(policy("1", "web")));
  act(() => type("mine"));
  rerender(page(policy("2", "api")));
  await userEvent.click(screen.getByRole("button", { name: "Leave mine, take theirs" }));
  expect(put.at(-1)).toContain("app: api");
  expect(changes()).toBe(false);
});

it("what was applied stands there, also while the watch still tells what was before", async () => {
  const { rerender } = render(page(policy("1", "web")));
  const [before = ""] = put;
  act(() => type(before.replace("web", "mine")));
  written = policy("2", "mine");
  await userEvent.click(screen.getByRole("button", { name: /Try it/ }));
  await userEvent.click(screen.getByRole("button", { name: "Apply" }));
  screen.getByText("Applied");
  expect(put.at(-1)).toContain("app: mine");
  rerender(page(policy("2", "mine")));
  rerender(page(policy("3", "theirs")));
  expect(put.at(-1)).toContain("app: theirs");
});
