import { describe, expect, it } from "vitest";
import { cluster } from "../testing/sample.ts";
import { checklist, progress, remedy, stoppedAt, wantsToken, type Joining, type JoinStep, type StepName } from "./joining.ts";

const NAMES: StepName[] = ["contact", "tls", "token", "certificate", "tunnel", "api-server", "rights"];

/** So many steps done, then one as given, the rest waiting. */
function joining(done: number, then: Partial<JoinStep> = {}): Joining {
  const steps = NAMES.map((name, at): JoinStep => {
    if (at < done) return { name, state: "done", since: "2026-11-27T06:00:00Z", detail: `seen ${name}` };
    if (at === done) return { name, state: "waiting", since: "2026-11-27T06:00:05Z", ...then };
    return { name, state: "waiting", since: null };
  });
  return { since: "2026-11-27T06:00:00Z", done: done === NAMES.length, steps };
}

describe("the checklist", () => {
  it("says what was seen, what is waited for, and nothing of what is to come", () => {
    const views = checklist(joining(2));
    expect(views.map(({ look }) => look)).toEqual(["done", "done", "current", "next", "next", "next", "next"]);
    expect(views.map(({ words }) => words)).toEqual(["seen contact", "seen tls", "checking the join token", "", "", "", ""]);
  });

  it("says why a step stands still or failed", () => {
    const [, , token] = checklist(joining(2, { state: "failed", reason: "TokenUsed", cause: "the token was used" }));
    expect(token).toMatchObject({ look: "failed", words: "the token was used", title: "Join token" });
    expect(checklist(joining(0, { state: "stalled", cause: "nothing has come" }))[0]?.look).toBe("stalled");
  });

  it("shows steps that it does not know by their names", () => {
    const steps = [{ name: "weather" as StepName, state: "waiting" as const, since: null }];
    expect(checklist({ since: "", done: false, steps })[0]).toMatchObject({ title: "weather", look: "current", words: "" });
  });

  it("tells commands to copy from words, and what a new join token helps against", () => {
    const step: JoinStep = { name: "tls", state: "failed", since: null, reason: "TlsIntercepted", fix: "exempt the gateway's address\nkubectl -n trunkline logs sts/trunkline-agent\n" };
    expect(remedy(step)).toEqual([
      { text: "exempt the gateway's address", isCommand: false },
      { text: "kubectl -n trunkline logs sts/trunkline-agent", isCommand: true },
    ]);
    expect(remedy({ name: "tls", state: "done", since: null })).toEqual([]);
    expect([wantsToken(step), wantsToken({ ...step, reason: "TokenUsed" })]).toEqual([false, true]);
  });

  it("is said in a sentence", () => {
    expect(progress(joining(2))).toBe("2 of 7 steps are done. Join token is under way: checking the join token.");
    expect(progress(joining(4, { state: "stalled", cause: "no tunnel" }))).toBe("4 of 7 steps are done. Tunnel stands still: no tunnel.");
    expect(progress(joining(7))).toBe("The cluster has joined: 7 of 7 steps are done.");
  });
});

it("a cluster's joining stands at the step that stalled or failed, and at none while it gets on", () => {
  const of = (one: Joining) => {
    const own = cluster("prod-eu", { status: { state: "joining" } });
    Object.assign(own.status, { joining: one });
    return stoppedAt(own)?.name ?? null;
  };
  expect(of(joining(2, { state: "failed" }))).toBe("token");
  expect(of(joining(0, { state: "stalled" }))).toBe("contact");
  expect(of(joining(3))).toBeNull();
  expect(stoppedAt(cluster("old"))).toBeNull();
});
