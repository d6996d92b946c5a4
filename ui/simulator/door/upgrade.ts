/** WebSockets: the live one, and terminals. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

import { requestId } from "./answer.ts";
import { refused } from "./cluster.ts";
import { PAYLOADS } from "../cluster/payloads.ts";
import { shell } from "../kubernetes/shell.ts";
import { LiveSocket } from "../live/socket.ts";
import type { World } from "../world.ts";

const LIVE = "trunkline.live.v1";
const CHANNELS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

export function upgrades(world: World): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [LIVE, ...CHANNELS].find((one) => offered.has(one)) ?? false });
  return (request, socket, head) => {
    const no = (status: string): void => {
      socket.end(`HTTP/1.1 ${status}\r\nx-request-id: ${requestId()}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    };
    const { origin, host, cookie } = request.headers;
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((one) => one.trim());
    const session = world.sessions.of(cookie);
    if (origin !== `http://${host ?? ""}`) return no("403 Forbidden");
    if (session === undefined) return no("401 Unauthorized");
    const url = new URL(request.url ?? "/", `http://${host ?? ""}`);
    if (url.pathname === "/trunkline/v1/live") {
      if (!offered.includes(LIVE)) return no("400 Bad Request");
      if (!offered.includes(`trunkline.csrf.${session.csrf}`)) return no("403 Forbidden");
      void world.faults.meet(url.pathname).then((fault) => {
        if (fault !== undefined) return no("503 Service Unavailable");
        server.handleUpgrade(request, socket, head, (opened) => new LiveSocket(world, opened, session));
      });
      return;
    }
    const [, name, path] = /^\/trunkline\/v1\/clusters\/([^/]+)\/k8s(\/.+)$/.exec(url.pathname) ?? [];
    const id = offered.find((one) => one.startsWith("trunkline.ticket."))?.slice("trunkline.ticket.".length) ?? "";
    const ticket = world.tickets.get(id);
    world.tickets.delete(id);
    if (name === undefined || path === undefined) return no("404 Not Found");
    if (ticket === undefined || ticket.session !== session.id || ticket.expires < Date.now() || ticket.path !== request.url) return no("403 Forbidden");
    const cluster = decodeURIComponent(name);
    if (refused(world, world.fleet.get(cluster), cluster, session.user, true)) return no("403 Forbidden");
    const pod = world.fleet.server(cluster).upgrade({ method: "GET", path, query: url.searchParams, accept: "", contentType: "", body: "", user: session.user, session: session.id, signal: new AbortController().signal });
    if (!("metadata" in pod)) return no(`${pod.status} Refused`);
    const motd = world.scenario.xss ? PAYLOADS.join("\r\n") : `a shell that is none, in ${pod.metadata.name}`;
    server.handleUpgrade(request, socket, head, (opened) => {
      world.terminals.add(opened);
      opened.on("close", () => world.terminals.delete(opened));
      shell(opened, pod, url.searchParams, motd);
    });
  };
}
