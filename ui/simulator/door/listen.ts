/** The front door: HTTP on 127.0.0.1. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";

import { problem, type Answer, type Asked } from "./answer.ts";
import { control } from "./control.ts";
import { fileAt, PAGE_FIELDS } from "./files.ts";
import { route } from "./route.ts";
import { upgrades } from "./upgrade.ts";
import { cookie, openAuth, returnTo } from "../rest/auth.ts";
import type { Scenario } from "../scenario.ts";
import { World } from "../world.ts";

export interface Listening {
  origin: string;
  world: World;
  close: () => Promise<void>;
}

const LARGEST = 4 * 1024 * 1024;

export async function listen(scenario: Scenario, { port, pages }: { port: number; pages: string }): Promise<Listening> {
  const world = new World(scenario);
  world.sessions.ended((session, why) => world.live.endSession(session, why));
  const server = createServer((request, response) => {
    serve(world, pages, request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.on("upgrade", upgrades(world));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    world.live.lose();
    for (const terminal of world.terminals) terminal.terminate();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, world, close };
}

async function bodyText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST) throw new Error("the body is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

async function serve(world: World, pages: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://simulator");
  const from = `127.0.0.1:${request.socket.remotePort ?? 0}`;
  if (url.pathname === "/") return redirect(response, "/ui/");
  if (url.pathname.startsWith("/ui/")) return page(response, pages, url.pathname.slice("/ui/".length));
  const stop = new AbortController();
  response.on("close", () => stop.abort());
  const session = world.sessions.of(request.headers.cookie);
  const asked: Asked = {
    method: request.method ?? "GET", path: url.pathname, query: url.searchParams, accept: request.headers.accept ?? "", contentType: request.headers["content-type"] ?? "",
    body: await bodyText(request), user: session?.user ?? "", session: session?.id ?? "", signal: stop.signal,
  };
  if (url.pathname === "/simulator/enter") {
    const begun = world.sessions.begin(url.searchParams.get("user") ?? "jane", from);
    return redirect(response, returnTo(url.searchParams.get("return")), cookie(begun));
  }
  if (url.pathname.startsWith("/simulator/")) return send(request, response, control(world, asked));
  if (url.pathname.startsWith("/trunkline/v1/auth/")) {
    const fault = await world.faults.meet(url.pathname);
    if (fault === "hang up") return void response.destroy();
    const answer = fault ?? openAuth(world, asked, url.pathname.split("/")[4] ?? "", from);
    if (answer !== undefined) return send(request, response, answer);
  }
  if (session === undefined) return send(request, response, problem(401, "Unauthorized", "nobody is signed in: sign in at /ui/, or with trunkline login"));
  const csrf = request.headers["x-trunkline-csrf"];
  const answer = await route(world, asked, session, typeof csrf === "string" ? csrf : undefined);
  if (answer === "hang up") return void response.destroy();
  return send(request, response, answer);
}

function redirect(response: ServerResponse, location: string, headers: Record<string, string> = {}): void {
  response.writeHead(302, { location, ...headers }).end();
}

async function page(response: ServerResponse, pages: string, path: string): Promise<void> {
  const file = await fileAt(pages, path);
  if (file === undefined) return void response.writeHead(404, PAGE_FIELDS).end();
  const { type, body, lasting } = file;
  response.writeHead(200, { ...PAGE_FIELDS, "content-type": type, "cache-control": lasting ? "public, max-age=31536000, immutable" : "no-cache" }).end(body);
}

async function send(request: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  const type: Record<string, string> = answer.type === "" ? {} : { "content-type": answer.type };
  response.writeHead(answer.status, { ...type, ...answer.headers, "cache-control": "no-store", "x-content-type-options": "nosniff", "content-security-policy": request.url?.includes("/k8s/") ? "sandbox" : "default-src 'none'" });
  if (typeof answer.body === "string") {
    response.end(answer.body);
    return;
  }
  response.flushHeaders();
  for await (const lines of answer.body) {
    const text = lines.map((line) => (answer.events ? `data: ${line}\n\n` : `${line}\n`)).join("");
    if (!response.write(text) && !response.destroyed) await Promise.race([once(response, "drain"), once(response, "close")]);
    if (response.destroyed) return;
  }
  response.end();
}

