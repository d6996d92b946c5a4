import { render, screen, within } from "@testing-library/react";
import { expect, it } from "vitest";
import { Checklist } from "./Checklist.tsx";
import type { Joining } from "./joining.ts";

const joining: Joining = {
  since: "2026-11-27T06:00:00Z", done: false,
  steps: [
    { name: "contact", state: "done", since: "2026-11-27T06:00:00Z", detail: "from 203.0.113.7:41231" },
    {
      name: "token", state: "failed", since: "2026-11-27T06:00:01Z", reason: "TokenUsed", cause: "the token was used\u202e by somebody else",
      fix: "trunkline clusters register prod-eu --renew\nask whoever applied it",
    },
    { name: "certificate", state: "waiting", since: null },
  ],
};

function show(mayChange: boolean) {
  render(<Checklist name="prod-eu" joining={joining} mayChange={mayChange} />);
  return within(screen.getByRole("list", { name: "How prod-eu joins" })).getAllByRole("listitem").filter((item) => item.classList.contains("tl-step"));
}

it("says of the step that failed why, and what to do, with commands to copy", () => {
  const [contact, token, certificate] = show(true);
  expect(contact?.textContent).toContain("from 203.0.113.7:41231");
  expect(token?.getAttribute("aria-current")).toBe("step");
  expect(token?.textContent).toContain("the token was used<U+202E> by somebody else");
  expect(screen.getByRole("button", { name: "Copy: trunkline clusters register prod-eu --renew" })).toBeTruthy();
  expect(screen.getByText("ask whoever applied it").tagName).toBe("P");
  expect(screen.getByRole("button", { name: "New token here" })).toBeTruthy();
  expect(certificate?.dataset["look"]).toBe("next");
  expect(screen.getByRole("status").textContent).toMatch(/^1 of 3 steps are done. Join token failed/);
});

it("offers no new token to who may not make one", () => {
  show(false);
  expect(screen.queryByRole("button", { name: "New token here" })).toBeNull();
});
