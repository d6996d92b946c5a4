import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Fault } from "../../api/fault.ts";
import { heard, isNoProgram, sized, typed } from "./channel.ts";
import { Session, SHELLS, type World } from "./session.ts";

class FakeSocket {
  binaryType = "";
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  constructor(readonly path: string, readonly protocols: string[]) {}
  send(data: Uint8Array) { this.sent.push(`${data[0]}:${new TextDecoder().decode(data.subarray(1))}`); }
  close() { this.readyState = 3; }
  opens() { this.readyState = 1; this.onopen?.(); }
  says(channel: number, text: string) {
    const bytes = new TextEncoder().encode(`?${text}`);
    bytes[0] = channel;
    this.onmessage?.({ data: bytes.buffer });
  }
  closes(code = 1000, reason = "") { this.readyState = 3; this.onclose?.({ code, reason }); }
}

const NOT_FOUND = JSON.stringify({ status: "Failure", message: 'exec: "sh": executable file not found in $PATH', reason: "InternalError" });
const exited = (code: number) => JSON.stringify({ status: "Failure", reason: "NonZeroExitCode", message: "exit", details: { causes: [{ reason: "ExitCode", message: String(code) }] } });

describe("a terminal's session", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const begin = async (more: Partial<World> = {}) => {
    const sockets: FakeSocket[] = [];
    let output = "";
    const world: World = {
      may: () => Promise.resolve({ allowed: true, recorded: true, why: "" }),
      mayThere: () => Promise.resolve({ allowed: true, why: "" }),
      ticket: (path) => Promise.resolve(`for-${path.length}`),
      dial: (path, protocols) => {
        const socket = new FakeSocket(path, protocols);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      ...more,
    };
    const session = new Session({ cluster: "prod-eu", namespace: "shop", pod: "web-0", container: "app" }, world, (bytes) => { output += new TextDecoder().decode(bytes); }, () => undefined);
    session.start();
    await vi.advanceTimersByTimeAsync(0);
    return { session, sockets, output: () => output };
  };
  const last = (sockets: FakeSocket[]) => sockets.at(-1) as FakeSocket;

  it("asks, gets a ticket, opens the way by the ticket's subprotocol, and runs", async () => {
    const { session, sockets, output } = await begin();
    expect(session.recorded).toBe(true);
    const socket = last(sockets);
    expect(socket.path).toMatch(/^\/api\/v1\/namespaces\/shop\/pods\/web-0\/exec\?container=app&command=sh&command=-c&.*stdin=true&stdout=true&tty=true$/);
    expect(socket.protocols).toEqual(["v5.channel.k8s.io", "v4.channel.k8s.io", `trunkline.ticket.for-${socket.path.length}`]);
    socket.opens();
    expect(session.state).toMatchObject({ at: "connecting", step: "shell" });
    session.resize(120, 40);
    socket.says(1, "/ # ");
    session.type("ls\r");
    expect(session.state.at).toBe("running");
    expect(output()).toBe("/ # ");
    expect(socket.sent).toEqual(['4:{"Width":80,"Height":24}', '4:{"Width":120,"Height":40}', "0:ls\r"]);
  });

  it("tells the size again every 20 s, so that nothing in between takes it for idle", async () => {
    const { sockets } = await begin();
    last(sockets).opens();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last(sockets).sent).toHaveLength(4);
    last(sockets).closes(1006);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(last(sockets).sent).toHaveLength(4);
  });

  it("says with which code the shell ended", async () => {
    const { session, sockets } = await begin();
    last(sockets).opens();
    last(sockets).says(1, "$ ");
    last(sockets).says(3, exited(130));
    last(sockets).closes();
    expect(session.state).toMatchObject({ at: "ended", exit: { code: 130 } });
  });

  it("tries each shell once, each with a ticket of its own, and says when there is none", async () => {
    const { session, sockets } = await begin();
    for (let attempt = 0; attempt < SHELLS.length; attempt++) {
      last(sockets).opens();
      last(sockets).says(3, NOT_FOUND);
      last(sockets).closes();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(sockets).toHaveLength(SHELLS.length);
    expect(session.state.at).toBe("no shell");
  });

  it("is lost with its reason, and nothing is opened again", async () => {
    const { session, sockets } = await begin();
    last(sockets).opens();
    last(sockets).says(1, "$ ");
    last(sockets).closes(1001, "the gateway restarts");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(session.state).toMatchObject({ at: "lost", why: "the gateway restarts" });
    expect(sockets).toHaveLength(1);
  });

  it("says which right is missing, at the gateway and in the cluster", async () => {
    const gateway = await begin({ may: () => Promise.resolve({ allowed: false, recorded: false, why: "no rule" }) });
    expect(gateway.session.state).toMatchObject({ at: "refused", verb: "create pods/exec", by: "gateway", why: "no rule" });
    expect(gateway.sockets).toHaveLength(0);
    const cluster = await begin({ mayThere: () => Promise.resolve({ allowed: false, why: "RBAC" }) });
    last(cluster.sockets).closes(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(cluster.session.state).toMatchObject({ at: "refused", by: "cluster", why: "RBAC" });
    const ticket = await begin({ ticket: () => Promise.reject(new Fault("ClusterProtected", "read-only", 403, "gateway")) });
    expect(ticket.session.state).toMatchObject({ at: "refused", why: "read-only" });
  });

  it("is not heard any more when it was closed", async () => {
    const { session, sockets, output } = await begin();
    last(sockets).opens();
    session.close();
    last(sockets).says(1, "late");
    last(sockets).closes();
    expect(output()).toBe("");
    expect(session.state.at).toBe("connecting");
  });
});

describe("the messages of a terminal", () => {
  it("are a byte for the channel, and what is said", () => {
    expect([...typed("é")]).toEqual([0, 0xc3, 0xa9]);
    expect(new TextDecoder().decode(sized(1, 2).subarray(1))).toBe('{"Width":1,"Height":2}');
    const to = (...bytes: number[]) => heard(new Uint8Array(bytes).buffer);
    expect(to(1)).toEqual({ kind: "nothing" });
    expect(to(255, 1)).toEqual({ kind: "nothing" });
    expect(to()).toEqual({ kind: "nothing" });
    expect(to(2, 65)).toEqual({ kind: "output", bytes: new Uint8Array([65]) });
    expect(to(3, 123)).toEqual({ kind: "exit", exit: { code: null, words: "{" } });
  });
  it("tell a program that is not there from one that failed", () => {
    expect(isNoProgram({ code: 127, words: "" })).toBe(true);
    expect(isNoProgram({ code: null, words: 'OCI runtime exec failed: exec: "sh": executable file not found in $PATH' })).toBe(true);
    expect(isNoProgram({ code: 1, words: "command terminated with exit code 1" })).toBe(false);
  });
});
