import { act, fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter, useLocation, useNavigate } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useTyped } from "./place.ts";

function Field() {
  const [text, type] = useTyped("q");
  const navigate = useNavigate();
  return (
    <>
      <input aria-label="filter" value={text} onChange={(event) => type(event.target.value)} />
      <output>{useLocation().search}</output>
      <button type="button" onClick={() => void navigate("/?q=other")}>away</button>
    </>
  );
}

const typeIn = (value: string) => fireEvent.change(screen.getByLabelText("filter"), { target: { value } });
const field = () => screen.getByLabelText<HTMLInputElement>("filter").value;
const asked = () => screen.getByRole("status").textContent;

describe("what is typed into the address", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("is there at once, and in the address after a pause", () => {
    render(<MemoryRouter><Field /></MemoryRouter>);
    typeIn("d");
    typeIn("da");
    expect([field(), asked()]).toEqual(["da", ""]);
    act(() => void vi.advanceTimersByTime(200));
    expect([field(), asked()]).toEqual(["da", "?q=da"]);
  });

  it("is not undone by the address that follows", () => {
    render(<MemoryRouter><Field /></MemoryRouter>);
    typeIn("da");
    act(() => void vi.advanceTimersByTime(150));
    typeIn("dat");
    expect(field()).toBe("dat");
  });

  it("gives way to an address that somebody goes to", () => {
    render(<MemoryRouter initialEntries={["/?q=first"]}><Field /></MemoryRouter>);
    expect(field()).toBe("first");
    fireEvent.click(screen.getByText("away"));
    expect(field()).toBe("other");
  });
});
