import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { beforeEach, expect, it, vi } from "vitest";
import { Fault } from "../api/fault.ts";
import type { Cluster } from "../api/fleet.ts";
import { cluster } from "../testing/sample.ts";
import { Board } from "./Board.tsx";
import { CopyDialog } from "./CopyDialog.tsx";
import { inOrder } from "./order.ts";
import { made, object, resource } from "./testing.ts";

let clusters: Cluster[] = [];
vi.mock("../api/fleet.ts", async (original) => ({
  ...(await original<object>()),
  useFleet: () => ({ all: clusters, byName: new Map(clusters.map((one) => [one.metadata.name, one])), synced: true, fault: null }),
}));

const done: string[] = [];
vi.mock("../api/client.ts", async (original) => ({
  ...(await original<object>()),
  rest: { POST: (_: string, { params }: { params: { path: { name: string } } }) => Promise.resolve(done.push(`confirm ${params.path.name}`)) },
}));
vi.mock("./copy.ts", async (original) => {
  const real = await original<object>();
  const item = (name: string, deed: string, outcome: object) => {
    done.push(`${deed} ${name}`);
    return name === "odd" ? Promise.reject(new Fault("Invalid", "the tier is not there", 422, "cluster")) : Promise.resolve(outcome);
  };
  return {
    ...real,
    tryItem: (name: string) => item(name, "try", { at: "tried", change: "new", before: null, after: {} }),
    writeItem: (name: string) => item(name, "write", { at: "written", change: "new" }),
  };
});
vi.mock("../api/discovery.ts", async (original) => ({ ...(await original<object>()), discover: () => Promise.resolve([]) }));

const items = [{ key: "p", object: object("NetworkPolicy", "shop/p"), resource: resource("networking.k8s.io", "networkpolicies") }];
const shown = () => render(<MemoryRouter><CopyDialog from="here" items={items} onClose={() => undefined} /></MemoryRouter>);

beforeEach(() => {
  done.length = 0;
  clusters = [
    cluster("here"), cluster("open"), cluster("odd"), cluster("careful", { spec: { protection: "confirm", environment: "production" } }),
    cluster("sealed", { spec: { protection: "read-only" } }), cluster("shut", { status: { state: "locked" } }),
  ];
});

it("only clusters that take changes are offered", () => {
  shown();
  const offered = within(screen.getByRole("list", { name: "Clusters" })).getAllByRole("checkbox").map((box) => box.closest("label")?.textContent);
  expect(offered?.map((words) => words?.replace(/production.*/, ""))).toEqual(["open", "odd", "careful"]);
});

it("where changes are confirmed nothing is even tried before the cluster's name is typed", async () => {
  const user = userEvent.setup();
  shown();
  await user.click(screen.getByRole("checkbox", { name: /careful/ }));
  const go = screen.getByRole("button", { name: "Try it (dry run)" });
  expect(go.hasAttribute("disabled")).toBe(true);
  await user.type(screen.getByLabelText(/Type careful to go on/), "careful");
  await user.click(go);
  await screen.findByText("The dry run is done; 1 are to be written");
  expect(done).toEqual(["confirm careful", "try careful"]);
});

it("nothing is written before it was tried and looked at, and what was refused is said and not written", async () => {
  const user = userEvent.setup();
  shown();
  await user.click(screen.getByRole("checkbox", { name: "open" }));
  await user.click(screen.getByRole("checkbox", { name: "odd" }));
  await user.click(screen.getByRole("button", { name: "Try it (dry run)" }));
  await screen.findByText("the tier is not there");
  expect(done.filter((deed) => deed.startsWith("write"))).toEqual([]);
  await user.click(await screen.findByRole("button", { name: "Write to 2 clusters" }));
  await screen.findByText("Done, but 1 were refused");
  expect(done.filter((deed) => deed.startsWith("write"))).toEqual(["write open"]);
});

it("a board shows what a cluster named as text, in order, and what is chosen is told", async () => {
  const user = userEvent.setup();
  const picked: string[] = [];
  const tiers = inOrder([], [made("GlobalNetworkPolicy", "<img src=x onerror=alert(1)>", { order: 2 }), made("StagedGlobalNetworkPolicy", "first", { order: 1 })], false);
  render(<MemoryRouter><Board cluster="here" tiers={tiers} picked={new Set()} onPick={(key) => picked.push(key)} onPicked={() => undefined} /></MemoryRouter>);
  expect(screen.getAllByRole("heading", { level: 3 }).map((title) => title.textContent)).toEqual(["first", "<img src=x onerror=alert(1)>"]);
  expect(document.querySelector("img")).toBeNull();
  expect(screen.getByText("Staged")).toBeTruthy();
  await user.click(screen.getByRole("checkbox", { name: "Choose first" }));
  expect(picked).toEqual(["StagedGlobalNetworkPolicy//first"]);
});
