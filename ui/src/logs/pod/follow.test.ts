import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../../api/fault.ts";
import { FakeLive } from "../testing/fakeLive.ts";
import { Follow, type Said } from "./follow.ts";

const LOG = ["2026-11-27T06:00:01.1Z a", "2026-11-27T06:00:01.2Z b", "2026-11-27T06:00:02Z c", "2026-11-27T06:00:03Z d"];
const CUT = { fault: new Fault("Cut", "the tunnel was lost", 0, "gateway"), lost: false };

describe("following a container", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const begin = (runs = true) => {
    const live = new FakeLive();
    const said: Said[] = [];
    const follow = new Follow(live, (since) => `/log?since=${since ?? "tail"}`, { said: (lines) => said.push(...lines), changed: () => undefined }, () => Promise.resolve(runs));
    follow.start();
    return { live, said, follow };
  };

  it("says at once that the way was cut, opens again from the last line, and says in the log that nothing is missing", async () => {
    const { live, said, follow } = begin();
    expect(live.only().path).toBe("/log?since=tail");
    live.only().begun();
    live.only().lines(LOG.slice(0, 2));
    live.only().ended(CUT);
    expect(follow.state).toMatchObject({ at: "away", fault: { detail: "the tunnel was lost" } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(live.only().path).toBe("/log?since=2026-11-27T06:00:00Z");
    live.only().begun();
    expect(follow.state.at).toBe("live");
    live.only().lines(LOG);
    expect(said.map(({ text, mark }) => (mark ? "mark" : text))).toEqual(["a", "b", "mark", "c", "d"]);
    expect(said[2]?.text).toContain("no line is missing");
  });

  it("names the two moments between which lines may be missing", async () => {
    const { live, said } = begin();
    live.only().lines(LOG.slice(0, 1));
    live.only().ended(CUT);
    await vi.advanceTimersByTimeAsync(60_000);
    live.only().lines(LOG.slice(3));
    expect(said[1]).toMatchObject({ mark: true, text: "lines may be missing between 2026-11-27T06:00:01.100000000Z and 2026-11-27T06:00:03Z" });
  });

  it("keeps the time since when it is away, over several tries", async () => {
    const { live, follow } = begin();
    live.only().lines(LOG.slice(0, 1));
    live.only().ended(CUT);
    const { since } = follow.state;
    await vi.advanceTimersByTimeAsync(10_000);
    live.only().ended({ fault: new Fault("ClusterDisconnected", "not connected", 503, "tunnel"), lost: false });
    expect(follow.state).toMatchObject({ at: "away", since });
  });

  it("stays with a no", async () => {
    const { live, follow } = begin();
    live.only().ended({ fault: new Fault("Forbidden", "pods/log", 403, "cluster"), lost: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(follow.state.at).toBe("refused");
    expect(live.opened()).toHaveLength(0);
  });

  it("ends when the container has, and goes on when only the answer did", async () => {
    const over = begin(false);
    over.live.only().lines(LOG.slice(0, 1));
    over.live.only().ended({ fault: null, lost: false });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(over.live.opened()).toHaveLength(0);
    expect(over.follow.state.at).toBe("ended");
    const runs = begin(true);
    runs.live.only().lines(LOG.slice(0, 2));
    runs.live.only().ended({ fault: null, lost: false });
    await vi.advanceTimersByTimeAsync(60_000);
    runs.live.only().lines(LOG.slice(0, 3));
    expect(runs.said.map(({ text }) => text)).toEqual(["a", "b", "c"]);
  });

  it("does not take the log of the next start for its own, and says what may be missing", async () => {
    const { live, said, follow } = begin(false);
    live.only().lines(LOG.slice(0, 1));
    live.only().ended(CUT);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(live.opened()).toHaveLength(0);
    expect(follow.state.at).toBe("ended");
    expect(said[1]).toMatchObject({ mark: true });
    expect(said[1]?.text).toContain("previous start");
  });
});
