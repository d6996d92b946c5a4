import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { MemoryRouter } from "react-router";
import { expect, it } from "vitest";
import { DataTable } from "./DataTable.tsx";

const rows = ["a", "b", "c"].map((name) => ({ name }));

function Chooser() {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  return (
    <>
      <DataTable label="letters" rows={rows} columns={[{ key: "name", title: "Name", cell: ({ name }) => name }]} rowKey={({ name }) => name} chosen={chosen} onChoose={setChosen} />
      <output>{[...chosen].join(" ")}</output>
    </>
  );
}

it("rows are chosen by their boxes, by x on a row, and all at once", async () => {
  const user = userEvent.setup();
  render(<MemoryRouter><Chooser /></MemoryRouter>);
  await user.click(screen.getByLabelText("Choose b"));
  expect(screen.getByRole("status").textContent).toBe("b");
  screen.getByText("c").closest("tr")?.focus();
  await user.keyboard("x");
  expect(screen.getByRole("status").textContent).toBe("b c");
  await user.click(screen.getByLabelText("Choose all of letters"));
  expect(screen.getByRole("status").textContent).toBe("a b c");
  await user.click(screen.getByLabelText("Choose all of letters"));
  expect(screen.getByRole("status").textContent).toBe("");
});
