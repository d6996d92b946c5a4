/** The watch itself: what it is there for, it finds. */
import { readFileSync } from "node:fs";

import { findings } from "./axe.ts";
import { effects } from "./effects.ts";
import { expect, test } from "./fixtures.ts";

const PAYLOADS = readFileSync(new URL("../simulator/cluster/payloads.txt", import.meta.url), "utf8").trim().split("\n").map((line) => JSON.parse(line) as string);

test("a console error, an exception and a policy report are seen", async ({ page, faults }) => {
  await page.goto("/ui/");
  await page.evaluate(() => {
    console.error("told to the console");
    setTimeout(() => {
      throw new Error("caught by nobody");
    });
    const image = document.createElement("img");
    image.src = "https://elsewhere.example/x.png";
    document.body.append(image);
  });
  await expect.poll(() => faults.join("\n")).toMatch(/policy: img-src/);
  const seen = faults.splice(0).join("\n");
  expect(seen).toMatch(/console: told to the console/);
  expect(seen).toMatch(/exception: Error: caught by nobody/);
});

test("text may not become markup here", async ({ page, faults }) => {
  await page.goto("/ui/");
  const thrown = await page.evaluate(() => {
    const script = document.createElement("script");
    try {
      script.text = "window.__xss = 1";
      return "";
    } catch (error) {
      return String(error);
    }
  });
  expect(thrown).toMatch(/TrustedScript/);
  expect(faults.splice(0).join("\n")).toMatch(/TrustedScript|trusted-types/i);
});

test("payloads that become markup are found: scripts that ran, elements, links", async ({ browser }) => {
  const page = await browser.newPage();
  page.on("dialog", (dialog) => void dialog.dismiss());
  const made = PAYLOADS.filter((payload) => payload.startsWith("<") && !/noscript|<base|<meta|<body|template/.test(payload));
  await page.setContent(`<main>${made.join("\n")}</main><a href="javascript:1">x</a>`);
  await expect.poll(async () => (await effects(page)).join("\n")).toMatch(/a script ran/);
  const found = (await effects(page)).join("\n");
  expect(found).toMatch(/an element: SVG/i);
  expect(found).toMatch(/a script's attribute: IMG/);
  expect(found).toMatch(/a link: A/);
  await page.close();
});

test("axe finds what is serious", async ({ browser }) => {
  const page = await browser.newPage();
  await page.setContent('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><p style="color:#ccc;background:#fff">faint</p></main></html>');
  const found = (await findings(page)).join("\n");
  expect(found).toMatch(/image-alt/);
  expect(found).toMatch(/color-contrast/);
  await page.close();
});
