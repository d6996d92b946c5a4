import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// Nothing is laid out in jsdom, and what is virtual shows nothing in a box without a height. The simulator's tests have no page.
if ("Element" in globalThis) {
  Object.defineProperties(Element.prototype, {
    clientHeight: { configurable: true, get: () => 800 },
    clientWidth: { configurable: true, get: () => 1_000 },
  });
}
