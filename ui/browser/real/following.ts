// What goes on for a while: logs that are followed, terminals, records that come; and a tunnel that is cut meanwhile.

import { cut, expect, kubectl, reach, record, test, type Name } from "./stage.ts";

/** A pod that says a number ten times a second. */
const COUNTS = JSON.stringify({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "counts", labels: { app: "counts" } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{
      name: "counts", image: "trunkline.test/busybox:1", imagePullPolicy: "Never",
      command: ["sh", "-c", "n=0; while true; do n=$((n+1)); echo number $n of north; sleep 0.1; done"],
    }],
  },
});


export function following(): void {
  test("a cut of the tunnel is told where logs follow, and no line is lost or doubled", async ({ signedIn: page }) => {
    kubectl("north", ["apply", "-f", "-"], COUNTS);
    kubectl("north", ["wait", "--for=condition=Ready", "pod/counts", "--timeout=60s"]);
    await page.goto("c/north/podlogs?ns=default&pod=counts");
    const log = page.getByRole("log");
    await expect(log).toContainText(/number \d+ of north/);
    cut("north");
    await expect(page.getByText(/The log is cut since|lines may be missing/).first()).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText(/The log is cut since/)).toHaveCount(0, { timeout: 60_000 });
    // Some more lines, so that what came after the cut is there as well.
    const last = async () => Math.max(...(await log.innerText()).match(/number (\d+)/g)?.map((text) => Number(text.slice(7))) ?? [0]);
    const then = await last();
    await expect.poll(last).toBeGreaterThan(then + 10);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /Download/ }).click()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const numbers = [...Buffer.concat(chunks).toString().matchAll(/number (\d+) of north/g)].map(([, number]) => Number(number));
    expect(numbers.length).toBeGreaterThan(20);
    numbers.forEach((number, at) => expect(number, "no gap and no repetition").toBe((numbers[0] ?? 0) + at));
  });

  test("a terminal works, and when the tunnel is cut it says so and offers a new one", async ({ signedIn: page }) => {
    await page.goto("c/north/shell?ns=default&pod=demo");
    const terminal = page.locator(".xterm");
    await expect(terminal).toContainText(/[#$]/, { timeout: 30_000 });
    await terminal.click();
    await page.keyboard.type("echo $((6*7)) is the answer\n");
    await expect(terminal).toContainText("42 is the answer");
    cut("north");
    await expect(page.getByRole("button", { name: "New session" })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByRole("button", { name: /^Cluster:.*north/ })).toBeVisible();
  });

  test("records of both clusters are found together, with the keyboard alone", async ({ signedIn: page }) => {
    for (const cluster of ["north", "south"] as Name[]) record(cluster, `a heron stands in ${cluster}`);
    await page.goto("logs");
    await reach(page, page.getByLabel("Words and fields"));
    await page.keyboard.type("heron");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/q=heron/);
    for (const cluster of ["north", "south"]) {
      await expect(async () => {
        await reach(page, page.getByRole("button", { name: "Search again" }));
        await page.keyboard.press("Enter");
        await expect(page.getByRole("region", { name: "Records", exact: true })).toContainText(`a heron stands in ${cluster}`, { timeout: 2_000 });
      }).toPass({ timeout: 60_000 });
    }
  });
}
