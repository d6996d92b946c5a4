/**
 * One live socket (`trunkline.live.v1`): many GETs, each answered line by line.
 *
 * - A stream sends no more bytes than its credit; what it reads from waits meanwhile.
 * - A stream that waits holds up no other.
 */
import type { WebSocket } from "ws";

import { requestId, type Answer, type Asked, type Lines } from "../door/answer.ts";
import { route } from "../door/route.ts";
import type { Session } from "../door/sessions.ts";
import { iso, type Schemas } from "../fleet/shapes.ts";
import type { World } from "../world.ts";

export const CREDIT = 256 * 1024;
export const MOST_STREAMS = 64;
const LONGEST_LINE = 1024 * 1024;
const LONGEST_BODY = 64 * 1024;
/** So much goes into one message. */
const MESSAGE = 64 * 1024;
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

interface Stream {
  path: string;
  request: string;
  since: number;
  credit: number;
  more: () => void;
  stop: AbortController;
}

export class LiveSocket {
  private readonly streams = new Map<number, Stream>();

  constructor(
    private readonly world: World,
    private readonly socket: WebSocket,
    readonly session: Session,
  ) {
    world.live.add(this);
    const ping = setInterval(() => socket.ping(), 15_000);
    socket.on("message", (data: Buffer) => this.hear(data.toString()));
    socket.on("close", () => {
      clearInterval(ping);
      world.live.remove(this);
      for (const stream of this.streams.values()) stream.stop.abort();
    });
  }

  cut(path: string, why: string): void {
    for (const [id, stream] of this.streams) {
      if (!stream.path.startsWith(path)) continue;
      this.forget(id);
      this.say({ ended: id, why });
    }
  }

  lose(): void {
    this.socket.terminate();
  }

  close(code: number, why: string): void {
    this.socket.close(code, why);
  }

  requests(): Schemas["LiveRequest"][] {
    return [...this.streams.values()].map((stream) => ({
      request: stream.request, cluster: /clusters\/([^/?]+)\/k8s/.exec(stream.path)?.[1] ?? null, kind: "watch", object: stream.path.split("?")[0] ?? "", verb: "watch", name: "", namespace: "",
      rule: "trunkline-admins", actingAs: this.session.user, since: iso(stream.since),
    }));
  }

  private hear(words: string): void {
    const message = JSON.parse(words) as { open?: number; more?: number; close?: number; path?: string; as?: string; bytes?: number };
    if (message.open !== undefined) {
      void this.run(message.open, message.path ?? "", message.as);
    } else if (message.more !== undefined) {
      const stream = this.streams.get(message.more);
      if (stream) {
        stream.credit += message.bytes ?? 0;
        stream.more();
      }
    } else if (message.close !== undefined) {
      this.forget(message.close);
    }
  }

  private forget(id: number): void {
    this.streams.get(id)?.stop.abort();
    this.streams.get(id)?.more();
    this.streams.delete(id);
  }

  private async run(id: number, target: string, as: string | undefined): Promise<void> {
    if (this.streams.has(id)) return this.close(1008, `the stream ${id} is open already`);
    if (this.streams.size >= MOST_STREAMS) return this.say({ ended: id, why: `a socket has at most ${MOST_STREAMS} streams` });
    if (!target.startsWith("/trunkline/v1/") || (as !== undefined && as !== "table")) return this.say({ ended: id, why: "the stream is not one that there is" });
    const stop = new AbortController();
    const stream: Stream = { path: target, request: requestId(), since: Date.now(), credit: CREDIT, more: () => undefined, stop };
    this.streams.set(id, stream);
    const url = new URL(target, "http://simulator");
    const asked: Asked = {
      method: "GET", path: url.pathname, query: url.searchParams, accept: as === "table" ? TABLE : "application/json", contentType: "", body: "", user: this.session.user, session: this.session.id, signal: stop.signal,
    };
    const answer = await route(this.world, asked, this.session, null);
    if (stop.signal.aborted) return;
    const said = answer === "hang up" ? { ended: id, why: "the tunnel to the cluster broke" } : await this.carry(id, stream, answer);
    if (this.streams.delete(id)) this.say(said);
  }

  /** Sends the answer; what is to be said at its end comes back. */
  private async carry(id: number, stream: Stream, answer: Answer): Promise<object> {
    if (answer.status >= 300) return { ended: id, status: answer.status, body: typeof answer.body === "string" ? answer.body.slice(0, LONGEST_BODY) : "" };
    this.say({ begun: id, status: answer.status, type: answer.type });
    for await (const lines of linesOf(answer.body)) {
      let index = 0;
      while (index < lines.length) {
        while (stream.credit <= 0 && !stream.stop.signal.aborted) await new Promise<void>((resolve) => (stream.more = resolve));
        if (stream.stop.signal.aborted) return { ended: id };
        const data: string[] = [];
        let bytes = 0;
        let cut = false;
        for (; index < lines.length && bytes < Math.min(MESSAGE, stream.credit); index += 1) {
          const line = lines[index] ?? "";
          cut ||= line.length > LONGEST_LINE;
          data.push(line.slice(0, LONGEST_LINE));
          bytes += Buffer.byteLength(line) + 1;
        }
        stream.credit -= bytes;
        this.say({ lines: id, data, bytes, ...(cut ? { cut } : {}) });
        if (this.socket.bufferedAmount > 4 * 1024 * 1024) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    return { ended: id };
  }

  private say(message: object): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message));
  }
}

async function* linesOf(body: string | Lines): Lines {
  if (typeof body !== "string") yield* body;
  else if (body !== "") yield await Promise.resolve(body.split("\n").filter((line) => line !== ""));
}
