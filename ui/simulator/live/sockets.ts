/** The live sockets that are open, and their streams, for who cuts them. */
import type { Session } from "../door/sessions.ts";
import type { Schemas } from "../fleet/shapes.ts";
import type { LiveSocket } from "./socket.ts";

export class LiveSockets {
  private readonly open = new Set<LiveSocket>();
  /** How many sockets there were, ever. */
  opened = 0;

  add(socket: LiveSocket): void {
    this.opened += 1;
    this.open.add(socket);
  }

  remove(socket: LiveSocket): void {
    this.open.delete(socket);
  }

  get count(): number {
    return this.open.size;
  }

  /** Cuts the streams whose path begins so. */
  cut(path: string, why: string): void {
    for (const socket of this.open) socket.cut(path, why);
  }

  /** Loses the sockets, as a network does. */
  lose(): void {
    for (const socket of [...this.open]) socket.lose();
  }

  /** Says farewell, as a gateway does that restarts. */
  drain(): void {
    for (const socket of [...this.open]) socket.close(1001, "the gateway restarts");
  }

  endSession(session: Session, why: string): void {
    for (const socket of [...this.open]) if (socket.session.id === session.id) socket.close(4401, why);
  }

  requestsOf(session: string): Schemas["LiveRequest"][] {
    return [...this.open].filter((socket) => socket.session.id === session).flatMap((socket) => socket.requests());
  }
}
