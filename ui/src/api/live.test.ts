import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Fault } from "./fault.ts";
import { Live, type End } from "./live.ts";

/** A socket of which a test plays the gateway. */
class FakeSocket {
  static all: FakeSocket[] = [];
  static readonly OPEN = 1;
  readyState = 0;
  sent: unknown[] = [];
  onopen: () => void = () => undefined;
  onmessage: (message: { data: string }) => void = () => undefined;
  onclose: (event: { code: number; reason: string }) => void = () => undefined;
  constructor(readonly url: string, readonly protocols: string[]) {
    FakeSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.onclose({ code: 1000, reason: "" });
  }
  up() {
    this.readyState = 1;
    this.onopen();
  }
  says(message: object) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  lose(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
}

const newest = () => FakeSocket.all.at(-1) as FakeSocket;
let signedOut: Fault[] = [];

function start(): Live {
  const live = new Live("wss://gateway/trunkline/v1/live", () => "token", (fault) => signedOut.push(fault));
  live.start();
  return live;
}

beforeEach(() => {
  FakeSocket.all = [];
  signedOut = [];
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("streams share one socket, and each hears its own lines", () => {
  const live = start();
  const heard: string[] = [];
  const reader = (name: string) => ({ lines: (lines: string[]) => lines.forEach((line) => heard.push(`${name} ${line}`)), ended: () => undefined });
  live.open("/a", reader("a"));
  expect(newest().protocols).toEqual(["trunkline.live.v1", "trunkline.csrf.token"]);
  newest().up();
  const leave = live.open("/b", reader("b"));
  expect(newest().sent).toEqual([{ open: 1, path: "/a" }, { open: 2, path: "/b" }]);
  newest().says({ begun: 1, status: 200, type: "application/json" });
  newest().says({ lines: 2, data: ["x"] });
  newest().says({ lines: 1, data: ["y", "z"] });
  leave();
  newest().says({ lines: 2, data: ["too late"] });
  expect(heard).toEqual(["b x", "a y", "a z"]);
  expect(newest().sent.at(-1)).toEqual({ close: 2 });
  expect(FakeSocket.all.length).toBe(1);
});

test("more is asked for when half of the credit was read", () => {
  const live = start();
  live.open("/a", { lines: () => undefined, ended: () => undefined });
  newest().up();
  newest().says({ lines: 1, data: ["x".repeat(100_000)], bytes: 100_001 });
  expect(newest().sent.length).toBe(1);
  newest().says({ lines: 1, data: ["x".repeat(100_000)], bytes: 100_001 });
  expect(newest().sent.at(-1)).toEqual({ more: 1, bytes: 200_002 });
});

test("a lost socket ends every stream, says since when, and what is kept goes on from where it was", () => {
  const live = start();
  const ends: End[] = [];
  let version = 1;
  live.keep(() => `/watch?from=${version}`, { lines: () => version++, ended: (end) => void ends.push(end) });
  newest().up();
  newest().says({ lines: 1, data: ["an event"] });
  newest().lose(1001);
  expect(ends).toMatchObject([{ lost: true, fault: { reason: "SocketLost" } }]);
  expect(live.snapshot()).toMatchObject({ at: "away", why: "the gateway restarts" });
  vi.advanceTimersByTime(5_000);
  newest().up();
  expect(FakeSocket.all.length).toBe(2);
  expect(newest().sent).toEqual([{ open: 2, path: "/watch?from=2" }]);
  expect(live.snapshot().at).toBe("live");
});

test("an answer that is a no is told as a fault, and who keeps may give up", () => {
  const live = start();
  const ends: End[] = [];
  live.keep(() => "/x", { lines: () => undefined, ended: (end) => { ends.push(end); return false; } });
  newest().up();
  newest().says({ ended: 1, status: 403, body: JSON.stringify({ kind: "Status", reason: "Forbidden", message: "no", code: 403 }) });
  vi.advanceTimersByTime(60_000);
  expect(ends).toMatchObject([{ lost: false, fault: { reason: "Forbidden", detail: "no", hop: "cluster" } }]);
  expect(newest().sent.length).toBe(1);
});

test("a session that ended is not tried again", () => {
  const live = start();
  newest().up();
  newest().lose(4401, "ended by an administrator: laptop lost");
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.all.length).toBe(1);
  expect(signedOut).toMatchObject([{ status: 401, detail: "ended by an administrator: laptop lost" }]);
  live.stop();
});
