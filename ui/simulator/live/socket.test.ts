// @vitest-environment node
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

import { listen, type Listening } from "../door/listen.ts";
import { readScenario } from "../scenario.ts";
import { CREDIT } from "./socket.ts";

interface Message {
  begun?: number;
  lines?: number;
  ended?: number;
  status?: number;
  data?: string[];
  why?: string;
}

let gateway: Listening;
let cookie: string;
let csrf: string;

beforeEach(async () => {
  gateway = await listen(readScenario("pods=3000"), { port: 0, pages: "/nowhere" });
  const session = gateway.world.sessions.begin("jane", "test");
  cookie = `trunkline-session=${session.secret}`;
  csrf = session.csrf;
});

afterEach(() => gateway.close());

class Tab {
  readonly messages: Message[] = [];
  readonly socket: WebSocket;
  private wake: () => void = () => undefined;

  constructor(token = csrf) {
    this.socket = new WebSocket(`${gateway.origin.replace("http", "ws")}/trunkline/v1/live`, ["trunkline.live.v1", `trunkline.csrf.${token}`], { headers: { cookie, origin: gateway.origin } });
    this.socket.on("message", (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message);
      this.wake();
    });
  }

  say(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  async until(test: (messages: Message[]) => boolean): Promise<void> {
    while (!test(this.messages)) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  bytes(stream: number): number {
    return this.messages.filter((message) => message.lines === stream).reduce((sum, message) => sum + (message.data ?? []).reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0), 0);
  }
}

const PODS = "/trunkline/v1/clusters/staging-eu/k8s/api/v1/pods";
const MANY = "/trunkline/v1/clusters/prod-eu/k8s/api/v1/pods?watch=true&resourceVersion=0";

async function open(): Promise<Tab> {
  const tab = new Tab();
  await once(tab.socket, "open");
  return tab;
}

describe("the live socket", () => {
  it("is not opened without the session's token", async () => {
    const tab = new Tab("another");
    const [error] = (await once(tab.socket, "error")) as [Error];
    expect(error.message).toContain("403");
  });

  it("sends no more than the credit, and more when it is given", async () => {
    const tab = await open();
    tab.say({ open: 1, path: MANY });
    // A stream that is asked for afterwards and is over tells that the first one stands still.
    await tab.until((messages) => messages.some((message) => message.lines === 1) && tab.bytes(1) >= CREDIT);
    tab.say({ open: 2, path: "/trunkline/v1/status" });
    await tab.until((messages) => messages.some((message) => message.ended === 2));
    const sent = tab.bytes(1);
    expect(sent).toBeLessThan(CREDIT + 64 * 1024);
    tab.say({ more: 1, bytes: CREDIT });
    await tab.until(() => tab.bytes(1) >= sent + CREDIT / 2);
    expect(tab.bytes(1)).toBeLessThan(2 * CREDIT + 128 * 1024);
    tab.socket.close();
  });

  it("says what a no was, and goes on with the others", async () => {
    const tab = await open();
    tab.say({ open: 1, path: "/trunkline/v1/clusters/edge-lagos/k8s/api/v1/pods" });
    tab.say({ open: 2, path: PODS });
    await tab.until((messages) => messages.filter((message) => message.ended !== undefined).length === 2);
    expect(tab.messages.find((message) => message.ended === 1)?.status).toBe(503);
    expect(tab.messages.find((message) => message.begun === 2)?.status).toBe(200);
    tab.socket.close();
  });

  it("has at most 64 streams", async () => {
    const tab = await open();
    for (let id = 1; id <= 65; id += 1) tab.say({ open: id, path: `${PODS}?watch=true` });
    await tab.until((messages) => messages.some((message) => message.ended === 65));
    expect(tab.messages.find((message) => message.ended === 65)?.why).toContain("64");
    tab.socket.close();
  });

  it("tells who is cut why, and who is signed out", async () => {
    const tab = await open();
    tab.say({ open: 1, path: `${PODS}?watch=true` });
    await tab.until((messages) => messages.some((message) => message.begun === 1));
    gateway.world.live.cut("/trunkline/v1/clusters/staging-eu/", "it was locked");
    await tab.until((messages) => messages.some((message) => message.ended === 1 && message.why === "it was locked"));
    const [session] = gateway.world.sessions.all();
    if (session) gateway.world.sessions.end(session, "jane ended the session");
    const [code, why] = (await once(tab.socket, "close")) as [number, Buffer];
    expect([code, why.toString()]).toEqual([4401, "jane ended the session"]);
  });
});
