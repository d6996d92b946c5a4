/**
 * A shell that is none, over `v5.channel.k8s.io`: the first byte of each message names the channel (0 stdin, 1 stdout, 2 stderr,
 * 3 the status at the end, 4 the size), 255 closes one.
 */
import type { WebSocket } from "ws";

import type { KubeObject } from "./object.ts";

const OUT = 1;
const STATUS = 3;

export function shell(socket: WebSocket, pod: KubeObject, query: URLSearchParams, motd: string): void {
  const tty = query.get("tty") === "true";
  const command = query.getAll("command");
  let size = "80x24";
  let typed = "";
  const say = (channel: number, words: string): void => {
    if (socket.readyState === socket.OPEN) socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(words)]));
  };
  const end = (code: number): void => {
    const failed = code !== 0;
    say(
      STATUS,
      JSON.stringify({
        metadata: {},
        status: failed ? "Failure" : "Success",
        ...(failed
          ? { message: `command terminated with non-zero exit code: exit status ${code}`, reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: String(code) }] } }
          : {}),
      }),
    );
    socket.close(1000);
  };
  const prompt = (): void => say(OUT, tty ? `/ # ` : "");
  const run = (line: string): void => {
    const [name = "", ...rest] = line.trim().split(/\s+/);
    const print = (text: string): void => say(OUT, tty ? `${text.replaceAll("\n", "\r\n")}\r\n` : `${text}\n`);
    switch (name) {
      case "":
        break;
      case "exit":
        end(Number(rest[0] ?? 0));
        return;
      case "echo":
        print(rest.join(" "));
        break;
      case "hostname":
        print(pod.metadata.name);
        break;
      case "pwd":
        print("/");
        break;
      case "ls":
        print("bin   dev   etc   home  proc  root  srv   tmp   usr   var");
        break;
      case "env":
        print(`HOSTNAME=${pod.metadata.name}\nPOD_NAMESPACE=${pod.metadata.namespace ?? ""}\nHOME=/root`);
        break;
      case "stty":
        print(size);
        break;
      case "seq":
        print(Array.from({ length: Math.min(100_000, Number(rest[0] ?? 1)) }, (_, index) => index + 1).join("\n"));
        break;
      default:
        print(`sh: ${name}: not found`);
    }
    prompt();
  };
  socket.on("message", (data: Buffer) => {
    const channel = data[0];
    const words = data.subarray(1).toString();
    if (channel === 4) {
      const told = JSON.parse(words) as { Width: number; Height: number };
      size = `${told.Width}x${told.Height}`;
    } else if (channel === 255) {
      if (!tty) end(0);
    } else if (channel === 0) {
      for (const key of words) {
        if (key === "\u0004" && typed === "") return end(0);
        if (key === "\u0003") {
          typed = "";
          say(OUT, "^C\r\n");
          prompt();
        } else if (key === "\u007f") {
          if (typed !== "" && tty) say(OUT, "\b \b");
          typed = typed.slice(0, -1);
        } else if (key === "\r" || key === "\n") {
          if (tty) say(OUT, "\r\n");
          const line = typed;
          typed = "";
          run(line);
        } else {
          typed += key;
          if (tty) say(OUT, key);
        }
      }
    }
  });
  if (command.length > 0 && !/(^|\/)(ba|a)?sh$/.test(command[0] ?? "") && query.get("stdin") !== "true") {
    run(command.join(" "));
    end(0);
    return;
  }
  if (tty) say(OUT, `${motd}\r\n`);
  prompt();
}
