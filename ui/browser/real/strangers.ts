// Pages of others, opened in the browser of somebody who is signed in here: they may do nothing, and learn nothing.
//
// One stands on another site, so that SameSite keeps the cookie back; the other on the gateway's own site at another port, where
// the cookie goes along and only the origin and the CSRF token keep it out.

import { readFileSync } from "node:fs";
import { createServer as plain } from "node:http";
import { createServer as secure } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, given, test } from "./stage.ts";

/** What a page of somebody else's brought about, by attempt. */
type Told = Record<string, string>;

/** Runs in the foreign page: each attempt, and what came of it. */
async function attempts(front: string): Promise<Told> {
  const told: Told = {};
  const name = (attempt: string) => `forged-${attempt}-${location.protocol === "https:" ? "same-site" : "cross-site"}`;
  const ask = async (attempt: string, path: string, how: RequestInit) => {
    try {
      const answer = await fetch(front + path, { credentials: "include", ...how });
      told[attempt] = answer.type === "opaque" ? "not to be read" : `read ${answer.status} ${await answer.text()}`;
    } catch (error) {
      told[attempt] = `kept out: ${String(error)}`;
    }
  };
  const clusters = "/trunkline/v1/clusters";
  const json = (attempt: string) => JSON.stringify({ name: name(attempt) });
  await ask("read", clusters, {});
  await ask("read-session", "/trunkline/v1/auth/session", {});
  await ask("simple", clusters, { method: "POST", mode: "no-cors", body: json("simple"), headers: { "content-type": "text/plain" } });
  await ask("beaconed", clusters, { method: "POST", mode: "no-cors", body: new Blob([json("beaconed")]) });
  await ask("json", clusters, { method: "POST", body: json("json"), headers: { "content-type": "application/json" } });
  await ask("guessed", clusters, { method: "POST", body: json("guessed"), headers: { "content-type": "application/json", "x-trunkline-csrf": "guessed" } });
  await ask("delete", `${clusters}/south`, { method: "DELETE" });
  await ask("sign-out", "/trunkline/v1/auth/logout", { method: "POST", mode: "no-cors" });
  await ask("configmap", `${clusters}/south/k8s/api/v1/namespaces/default/configmaps`, {
    method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" },
    body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: name("configmap") } }),
  });
  navigator.sendBeacon(front + clusters, json("beacon"));
  const frame = document.createElement("iframe");
  frame.name = "sink";
  document.body.append(frame);
  const form = document.createElement("form");
  Object.assign(form, { action: front + clusters, method: "post", enctype: "text/plain", target: "sink" });
  const field = document.createElement("input");
  // As text/plain a form writes name=value: JSON, but for what the value is put into.
  Object.assign(field, { name: `{"name":"${name("form")}","displayName":"`, value: '"}' });
  form.append(field);
  document.body.append(form);
  const sent = new Promise((done) => frame.addEventListener("load", done, { once: true }));
  form.submit();
  await sent;
  const opened = (path: string, protocols: string[]) => new Promise<string>((done) => {
    const socket = new WebSocket(front.replace("https", "wss") + path, protocols);
    socket.onopen = () => done("opened");
    socket.onerror = () => done("kept out");
  });
  told["live"] = await opened("/trunkline/v1/live", ["trunkline.live.v1"]);
  told["live-guessed"] = await opened("/trunkline/v1/live", ["trunkline.live.v1", "trunkline.csrf.guessed"]);
  told["exec"] = await opened(`${clusters}/south/k8s/api/v1/namespaces/default/pods/demo/exec?command=id&stdout=true`, ["v5.channel.k8s.io"]);
  told["watch"] = await opened(`${clusters}/south/k8s/api/v1/pods?watch=true`, []);
  return told;
}

export function strangers(): void {
  test("pages of other origins do nothing here, and learn nothing", async ({ signedIn: page }) => {
    const front = given("MANAGER_URL");
    const papers = { cert: readFileSync(given("FOREIGN_CERTIFICATE")), key: readFileSync(given("FOREIGN_KEY")) };
    const html = "<!doctype html><title>somebody else</title><h1>Kittens</h1>";
    const servers = [plain((_, answer) => answer.setHeader("content-type", "text/html").end(html)), secure(papers, (_, answer) => answer.setHeader("content-type", "text/html").end(html))] as const;
    await Promise.all(servers.map((server) => new Promise<void>((done) => { server.listen(0, "127.0.0.1", done); })));
    const [cross, same] = servers.map((server) => (server.address() as AddressInfo).port);
    const seen = async () => page.evaluate(async () => {
      const clusters = (await (await fetch("/trunkline/v1/clusters")).json()) as { items: { metadata: { name: string } }[] };
      const maps = (await (await fetch("/trunkline/v1/clusters/south/k8s/api/v1/namespaces/default/configmaps")).json()) as { items: { metadata: { name: string } }[] };
      return [...clusters.items, ...maps.items].map(({ metadata }) => metadata.name).sort();
    });
    const before = await seen();
    let made = 0;
    for (const origin of [`http://localhost:${cross}`, `https://127.0.0.1:${same}`]) {
      const foreign = await page.context().newPage();
      await foreign.goto(origin);
      const told = await foreign.evaluate(attempts, front);
      for (const [attempt, came] of Object.entries(told)) expect(came, `${attempt} from ${origin}`).toMatch(/^(kept out|not to be read)/);
      made += Object.keys(told).length;
      // The Manager is in nobody's frame.
      await foreign.evaluate((address) => {
        const frame = document.createElement("iframe");
        frame.src = address;
        frame.name = "clickjacked";
        document.body.append(frame);
      }, `${front}/ui/`);
      await expect.poll(() => foreign.frame("clickjacked")?.url()).toMatch(/^chrome-error:/);
      await foreign.close();
    }
    servers.forEach((server) => server.close());
    expect(made).toBe(2 * 13);
    expect(await seen(), "nothing was made, nothing is gone, and the session is as it was").toEqual(before);
    await page.goto("clusters");
    await expect(page.getByRole("row", { name: /south/ })).toBeVisible();
  });
}
