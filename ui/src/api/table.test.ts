import { describe, expect, it, vi } from "vitest";
import { Fault } from "./fault.ts";
import type { KubeOptions, Query } from "./kube.ts";
import type { Live, Reader } from "./live.ts";
import { TableStore } from "./table.ts";

const COLUMNS = [{ name: "Name", type: "string", format: "name", description: "", priority: 0 }];

function page(names: string[], token = ""): object {
  return {
    kind: "Table", columnDefinitions: COLUMNS, metadata: { resourceVersion: "10", continue: token },
    rows: names.map((name) => ({ cells: [name], object: { metadata: { name, uid: name, resourceVersion: "5" } } })),
  };
}

/** A live socket whose one stream the test speaks for. */
function socket(): { live: Live; say: (type: string, name: string, version: string) => void } {
  let reader: Partial<Reader> = {};
  const keep = (ask: () => unknown, hear: Partial<Reader>) => {
    ask();
    reader = hear;
    return () => undefined;
  };
  const say = (type: string, name: string, version: string) =>
    reader.lines?.([JSON.stringify({ type, object: { ...page([]), rows: [{ cells: [`${name} ${version}`], object: { metadata: { name, uid: name, resourceVersion: version } } }] } })], false);
  return { live: { keep } as unknown as Live, say };
}

let answer: (query: Query) => Promise<object>;
vi.mock("./kube.ts", async (original) => ({
  ...(await original<object>()),
  kube: (_cluster: string, _path: string, { query = {} }: KubeOptions) => answer(query),
}));

/** What is answered, one after the other; a number is a refusal. */
function answers(...list: (object | number)[]): Query[] {
  const asked: Query[] = [];
  answer = (query) => {
    asked.push(query);
    const next = list.shift() ?? page([]);
    return typeof next === "number" ? Promise.reject(new Fault("Expired", "too old", next, "cluster")) : Promise.resolve(next);
  };
  return asked;
}

const NODES = { group: "", version: "v1", resource: "nodes" };
const names = (store: TableStore) => store.snapshot().rows.map(({ cells }) => String(cells[0]));

describe("the rows of a kind", () => {
  it("come page by page", async () => {
    const asked = answers(page(["a"], "next"), page(["b"]));
    const store = new TableStore({ cluster: "dev", resource: NODES }, socket().live);
    store.start();
    await vi.waitFor(() => expect(store.snapshot()).toMatchObject({ state: "live", truncated: false }));
    expect(names(store)).toEqual(["a", "b"]);
    expect(asked[1]).toMatchObject({ continue: "next" });
  });

  it("are all read in one when the server forgot how far the pages were", async () => {
    const asked = answers(page(["a"], "next"), 410, page(["a", "b", "c"]));
    const store = new TableStore({ cluster: "dev", resource: NODES }, socket().live);
    store.start();
    await vi.waitFor(() => expect(store.snapshot().state).toBe("live"));
    expect(names(store)).toEqual(["a", "b", "c"]);
    expect(asked[2]).not.toHaveProperty("continue");
  });

  it("are never older than what the watch told, and what was deleted does not come back with a later page", async () => {
    let go = (): void => undefined;
    const rest = new Promise<void>((done) => (go = done));
    const { live, say } = socket();
    let at = 0;
    answer = () => (at++ === 0 ? Promise.resolve(page(["a"], "next")) : rest.then(() => page(["b", "c"])));
    const store = new TableStore({ cluster: "dev", resource: NODES }, live);
    store.start();
    await vi.waitFor(() => expect(store.snapshot().state).toBe("filling"));
    say("MODIFIED", "b", "11");
    say("DELETED", "c", "12");
    go();
    await vi.waitFor(() => expect(store.snapshot().state).toBe("live"));
    expect(names(store)).toEqual(["a", "b 11"]);
  });
});
