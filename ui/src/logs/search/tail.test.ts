import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../../api/fault.ts";
import { FakeLive } from "../testing/fakeLive.ts";
import { MOST_KEPT, Tail } from "./tail.ts";

const record = (message: string) => JSON.stringify({ type: "record", at: "1.a", time: "2026-11-27T06:00:00Z", cluster: "c", message, facets: {} });

describe("a live tail", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const begin = () => {
    const live = new FakeLive();
    const tail = new Tail(live.asLive(), { q: "app:web", clusters: "prod-eu", selector: "" });
    tail.start();
    const view = () => {
      vi.advanceTimersByTime(300);
      return tail.snapshot();
    };
    return { live, tail, view };
  };

  it("asks for what is searched, and for nothing that is not", () => {
    const { live } = begin();
    expect(live.only().path).toBe("/trunkline/v1/logs/tail?q=app%3Aweb&clusters=prod-eu");
  });

  it("tells records, and how many were passed over where it was", () => {
    const { live, view } = begin();
    const stream = live.only();
    stream.begun();
    stream.lines([record("a"), JSON.stringify({ type: "passedOver", records: 7 }), JSON.stringify({ type: "passedOver", records: 3 }), record("b")]);
    expect(view().items.map((item) => (item.kind === "record" ? item.record.message : item.kind === "passedOver" ? item.records : item.kind))).toEqual(["a", 10, "b"]);
    expect(view().arrived).toBe(2);
  });

  it("says between which times it was away, and goes on", () => {
    const { live, view } = begin();
    live.only().begun();
    live.only().lines([record("a")]);
    live.only().ended({ fault: null, lost: true });
    expect(view().state).toBe("away");
    vi.advanceTimersByTime(5_000);
    live.only().begun();
    live.only().lines([record("b")]);
    const { items, state } = view();
    expect(state).toBe("live");
    const away = items[1];
    expect(away?.kind === "away" && away.to !== null && away.to - away.from >= 5_000).toBe(true);
    expect(items).toHaveLength(3);
  });

  it("does not ask again for what was refused", () => {
    const { live, view } = begin();
    live.only().ended({ fault: new Fault("Forbidden", "no rule", 403, "gateway"), lost: false });
    vi.advanceTimersByTime(60_000);
    expect(live.opened()).toHaveLength(0);
    expect(view().fault?.reason).toBe("Forbidden");
  });

  it("keeps a bounded number, and counts what went", () => {
    const { live, view } = begin();
    live.only().begun();
    for (let lot = 0; lot < 30; lot++) live.only().lines(Array.from({ length: 1_000 }, (_, at) => record(`${lot} ${at}`)));
    const { items, dropped, arrived } = view();
    expect(items.length).toBeLessThanOrEqual(MOST_KEPT * 1.1);
    expect(arrived).toBe(30_000);
    expect(dropped + items.length).toBe(30_000);
  });
});
