import { beforeEach, describe, expect, it, vi } from "vitest";
import type { KubeObject, Query } from "./kube.ts";
import type { Ask, End, Live, Reader } from "./live.ts";
import { MOST_OBJECTS, ObjectStore } from "./objects.ts";
import { Fault } from "./fault.ts";

const POLICIES = { cluster: "one", resource: { group: "networking.k8s.io", version: "v1", resource: "networkpolicies" } };

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

/** Starts a store, and waits for it to be as told. */
function started(live: Live) {
  const store = new ObjectStore(POLICIES, live);
  let hear: () => void = () => undefined;
  store.subscribe(() => hear());
  store.start();
  const until = (fits: (view: ReturnType<ObjectStore["snapshot"]>) => boolean) =>
    new Promise<ReturnType<ObjectStore["snapshot"]>>((resolve) => {
      hear = () => {
        if (fits(store.snapshot())) resolve(store.snapshot());
      };
      hear();
    });
  return { store, until };
}

const names = ({ objects }: { objects: KubeObject[] }) => objects.map(({ metadata }) => metadata.name);

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
    expect(view.objects[0]).toMatchObject({ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" });
    expect(view.objects[0]?.metadata.managedFields).toBeUndefined();
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
    const view = await until(({ objects }) => names({ objects }).join() === "a,c");
    expect(view.objects[0]).toMatchObject({ spec: { changed: true } });
  });

  it("that were deleted meanwhile do not come back with a later page, and what the watch told is not made older", async () => {
    const { live, tell } = socket();
    let second: (page: object) => void = () => undefined;
    answers(page([object("a")], { resourceVersion: "10", continue: "more" }), new Promise<object>((resolve) => (second = resolve)));
    const { until } = started(live);
    await until(({ state }) => state === "filling");
    tell("DELETED", object("b", "11"));
    tell("MODIFIED", object("c", "12", { spec: { newer: true } }));
    second(page([object("b"), object("c"), object("d")]));
    const view = await until(({ state }) => state === "live");
    expect(names(view).sort()).toEqual(["a", "c", "d"]);
    expect(view.objects.find(({ metadata }) => metadata.name === "c")).toMatchObject({ spec: { newer: true } });
  });

  it("stay and are marked when the socket is lost, and are live again with the next that is told", async () => {
    const { live, streams, tell } = socket();
    answers(page([object("a")]));
    const { until } = started(live);
    await until(({ state }) => state === "live");
    const again = streams[0]?.reader.ended?.({ fault: new Fault("SocketLost", "lost", 0, "browser"), lost: true });
    expect(again).toBe(true);
    expect(names(await until(({ state }) => state === "stale"))).toEqual(["a"]);
    tell("BOOKMARK", { metadata: { resourceVersion: "20" } });
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

  it("are bounded, and say when there are more", async () => {
    const { live, tell } = socket();
    const many = Array.from({ length: MOST_OBJECTS }, (_, at) => object(`p${at}`));
    answers(page(many, { resourceVersion: "10", continue: "more" }));
    const { until } = started(live);
    const view = await until(({ state }) => state === "live");
    expect(view.truncated).toBe(true);
    tell("ADDED", object("one-more", "11"));
    tell("DELETED", object("p0", "12"));
    expect((await until(({ objects }) => objects.length < MOST_OBJECTS)).objects).toHaveLength(MOST_OBJECTS - 1);
  });
});
