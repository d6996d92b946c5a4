import { beforeEach, describe, expect, it, vi } from "vitest";
import type { KubeObject, Query } from "./kube.ts";
import type { Ask, End, Live, Reader } from "./live.ts";
import { Lists, type ObjectsView } from "./lists.ts";
import { MOST } from "./objects.ts";
import { Fault } from "./fault.ts";

const POLICIES = { cluster: "one", resource: { group: "networking.k8s.io", version: "v1", resource: "networkpolicies", kind: "NetworkPolicy" } };

function object(name: string, version = "1", extra: object = {}): KubeObject {
  return { metadata: { name, namespace: "shop", uid: `uid-${name}`, resourceVersion: version }, ...extra } as unknown as KubeObject;
}

/** A live socket whose streams a test feeds by hand. */
function socket() {
  const streams: { path: Ask; reader: Omit<Reader, "ended"> & { ended?(end: End): boolean | void }; open: boolean }[] = [];
  const live = {
    keep(ask: () => Ask | null, reader: Omit<Reader, "ended"> & { ended?(end: End): boolean | void }) {
      const stream = { path: ask() ?? "", reader, open: true };
      streams.push(stream);
      return () => {
        stream.open = false;
      };
    },
  } as unknown as Live;
  const tell = (type: string, what: unknown) => streams.at(-1)?.reader.lines([JSON.stringify({ type, object: what })], false);
  return { live, streams, tell };
}

const asked: Query[] = [];
let pages: (object | Promise<object>)[] = [];
vi.mock("./kube.ts", async (original) => ({
  ...(await original<object>()),
  kube: (_cluster: string, _path: string, { query = {} }: { query?: Query }) => {
    asked.push(query);
    return Promise.resolve(pages.shift()).then((page) => {
      if (page instanceof Error || page === undefined) throw page ?? new Error("nobody expected to be asked");
      return page;
    });
  },
}));

function answers(...next: (object | Promise<object>)[]) {
  pages = next;
}

const page = (items: KubeObject[], metadata: object = { resourceVersion: "10" }) => ({
  apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicyList", items, metadata,
});

/** Starts a list, and waits for it to be as told. */
function started(live: Live) {
  const lists = new Lists([POLICIES], live);
  let hear: () => void = () => undefined;
  lists.subscribe(() => hear());
  const until = (fits: (view: ObjectsView) => boolean) =>
    new Promise<ObjectsView>((resolve) => {
      hear = () => {
        const [view] = lists.snapshot();
        if (view !== undefined && fits(view)) resolve(view);
      };
      hear();
    });
  return { until };
}

const names = ({ items }: Pick<ObjectsView, "items">) => items.map(({ metadata }) => metadata.name);

beforeEach(() => {
  asked.length = 0;
});

describe("whole objects of a kind", () => {
  it("come page by page, each saying what it is, without their managed fields", async () => {
    const { live } = socket();
    answers(
      page([{ ...object("a"), metadata: { ...object("a").metadata, managedFields: [{}] } }], { resourceVersion: "10", continue: "more" }),
      page([object("b")]),
    );
    const { until } = started(live);
    const view = await until(({ state }) => state === "live");
    expect(names(view)).toEqual(["a", "b"]);
    expect(view.items[0]).toMatchObject({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" });
    expect(view.items[0]?.metadata.managedFields).toBeUndefined();
    expect(asked[1]).toMatchObject({ continue: "more" });
  });

  it("change by a watch from where the list stood", async () => {
    const { live, streams, tell } = socket();
    answers(page([object("a"), object("b")]));
    const { until } = started(live);
    await until(({ state }) => state === "live");
    expect(streams[0]?.path).toContain("resourceVersion=10");
    tell("MODIFIED", object("a", "11", { spec: { changed: true } }));
    tell("DELETED", object("b", "12"));
    tell("ADDED", object("c", "13"));
    const view = await until(({ items }) => names({ items }).join() === "a,c");
    expect(view.items[0]).toMatchObject({ spec: { changed: true } });
  });

  it("stay and are marked when the socket is lost, and are live again when the watch goes on", async () => {
    const { live, streams } = socket();
    answers(page([object("a")]));
    const { until } = started(live);
    await until(({ state }) => state === "live");
    const again = streams[0]?.reader.ended?.({ fault: new Fault("SocketLost", "lost", 0, "browser"), lost: true });
    expect(again).toBe(true);
    expect(names(await until(({ state }) => state === "stale"))).toEqual(["a"]);
    streams[0]?.reader.begun?.("application/json");
    await until(({ state }) => state === "live");
  });

  it("are read again when the watch is too old", async () => {
    const { live, tell } = socket();
    answers(page([object("a")]), page([object("z")], { resourceVersion: "99" }));
    const { until } = started(live);
    await until(({ state }) => state === "live");
    tell("ERROR", { kind: "Status", code: 410 });
    await until((view) => names(view).join() === "z");
  });

  it("that may not be listed fail with the reason, and are not asked for again", async () => {
    const { live, streams } = socket();
    answers(new Fault("Forbidden", "networkpolicies is forbidden", 403, "cluster"));
    const { until } = started(live);
    const view = await until(({ state }) => state === "failed");
    expect(view.fault?.reason).toBe("Forbidden");
    expect(streams).toHaveLength(0);
    expect(asked).toHaveLength(1);
  });

  it("of which there are none are known to be none, and that is not a failure when the way is lost", async () => {
    const { live, streams } = socket();
    answers(page([]));
    const { until } = started(live);
    await until(({ state }) => state === "live");
    streams[0]?.reader.ended?.({ fault: new Fault("ClusterDisconnected", "away", 503, "tunnel"), lost: false });
    await until(({ state }) => state === "stale");
  });

  it("are bounded, and say when there are more", async () => {
    const { live, tell } = socket();
    const many = Array.from({ length: MOST }, (_, at) => object(`p${at}`));
    answers(page(many, { resourceVersion: "10", continue: "more" }));
    const { until } = started(live);
    const view = await until(({ state }) => state === "live");
    expect(view.truncated).toBe(true);
    tell("ADDED", object("one-more", "11"));
    tell("DELETED", object("p0", "12"));
    expect((await until(({ items }) => items.length < MOST)).items).toHaveLength(MOST - 1);
  });
});
