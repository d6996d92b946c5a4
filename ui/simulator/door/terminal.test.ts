// @vitest-environment node
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

import { PODS } from "../kubernetes/kinds/pods.ts";
import { readScenario } from "../scenario.ts";
import { listen, type Listening } from "./listen.ts";
import type { Session } from "./sessions.ts";

let gateway: Listening;
let session: Session;
let exec: string;

beforeEach(async () => {
  gateway = await listen(readScenario("default"), { port: 0, pages: "/nowhere" });
  session = gateway.world.sessions.begin("jane", "test");
  const pod = gateway.world.fleet.server("staging-eu").store.of(PODS).keys().find((key) => key.startsWith("shop/search"));
  exec = `/api/v1/namespaces/shop/pods/${pod?.slice(5) ?? ""}/exec?container=search&command=sh&stdin=true&stdout=true&tty=true`;
});

afterEach(() => gateway.close());

async function post(path: string, body: unknown, csrf = session.csrf): Promise<Response> {
  return fetch(`${gateway.origin}/trunkline/v1${path}`, { method: "POST", headers: { cookie: `trunkline-session=${session.secret}`, "x-trunkline-csrf": csrf }, body: JSON.stringify(body) });
}

function dial(ticket: string): WebSocket {
  const url = `${gateway.origin.replace("http", "ws")}/trunkline/v1/clusters/staging-eu/k8s${exec}`;
  return new WebSocket(url, ["v5.channel.k8s.io", `trunkline.ticket.${ticket}`], { headers: { cookie: `trunkline-session=${session.secret}`, origin: gateway.origin } });
}

describe("a terminal", () => {
  it("is opened by a ticket, once, and answers what is typed", async () => {
    const { ticket } = (await (await post("/clusters/staging-eu/tickets", { path: exec })).json()) as { ticket: string };
    const socket = dial(ticket);
    let out = "";
    let status = "";
    socket.on("message", (data: Buffer) => {
      if (data[0] === 1) out += data.subarray(1).toString();
      if (data[0] === 3) status = data.subarray(1).toString();
    });
    await once(socket, "open");
    socket.send(Buffer.from("\u0000echo hello\rexit 3\r"));
    await once(socket, "close");
    expect(out).toContain("hello\r\n");
    expect(status).toContain("exit status 3");
    const [error] = (await once(dial(ticket), "error")) as [Error];
    expect(error.message).toContain("403");
  });

  it("is not had without the page's token", async () => {
    expect((await post("/clusters/staging-eu/tickets", { path: exec }, "another")).status).toBe(403);
  });

  it("is refused where nothing may be changed", async () => {
    const answer = await post("/clusters/prod-us/tickets", { path: exec });
    expect([answer.status, ((await answer.json()) as { reason: string }).reason]).toEqual([403, "ClusterProtected"]);
  });
});
