/** The budgets of reference/manager-ui.md §8. Times are of the machine: they are printed, and only what is no time is held to. */
import { expect, type Page } from "@playwright/test";

/** TRUNKLINE_PROVE=1 holds to the times as well, with a fifth on top. */
const PROVE = process.env["TRUNKLINE_PROVE"] === "1";

export function figure(name: string, value: number, unit: string, budget: number, time = true): void {
  console.log(`figure: ${name}: ${value.toFixed(unit === "MB" ? 0 : 1)} ${unit} (budget ${budget} ${unit})`);
  if (PROVE || !time) expect(value, name).toBeLessThanOrEqual(budget * 1.2);
}

/** How long after a key the page was painted: the Event Timing API, 8 ms fine. */
export async function keysTimed(page: Page, press: () => Promise<void>): Promise<number[]> {
  await page.evaluate(() => {
    const durations: number[] = [];
    Object.assign(window, { __durations: durations });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === "keydown") durations.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 0, buffered: false } as PerformanceObserverInit);
  });
  await press();
  await page.waitForTimeout(300);
  return page.evaluate(() => (window as unknown as { __durations: number[] }).__durations);
}

export async function heapMegabytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1_000_000;
}
