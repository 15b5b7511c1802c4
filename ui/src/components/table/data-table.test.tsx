import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { DataTable, type Column } from "@/components/table/data-table";

interface Row {
  id: string;
  size: number | null;
}

const COLUMNS: Column<Row>[] = [
  { id: "id", header: "Name", value: (row) => row.id, cell: (row) => row.id },
  { id: "size", header: "Size", numeric: true, value: (row) => row.size, cell: (row) => row.size ?? "–" },
];

function names(): string[] {
  return within(screen.getByRole("table"))
    .getAllByRole("row")
    .slice(1)
    .map((row) => row.textContent ?? "");
}

const ROWS = [
  { id: "b", size: 2 },
  { id: "a", size: null },
  { id: "c", size: 10 },
];

test("a click on a heading sorts, numbers largest first, and says so", async () => {
  render(<DataTable label="Things" columns={COLUMNS} rows={ROWS} rowId={(row) => row.id} empty={null} />);
  expect(names()).toEqual(["b2", "a–", "c10"]);
  await userEvent.click(screen.getByRole("button", { name: "Size" }));
  expect(names()).toEqual(["c10", "b2", "a–"]);
  expect(screen.getByRole("columnheader", { name: "Size" })).toHaveAttribute("aria-sort", "descending");
});

test("arrow keys walk the rows and Enter opens one", async () => {
  const open = vi.fn<(row: Row) => void>();
  render(<DataTable label="Things" columns={COLUMNS} rows={ROWS} rowId={(row) => row.id} onOpen={open} empty={null} />);
  screen.getByRole("button", { name: "b" }).focus();
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{Enter}");
  expect(open).toHaveBeenCalledExactlyOnceWith(ROWS[2]);
});

const tableBeforeButton = (label: string) => (
  <>
    <DataTable label={label} columns={COLUMNS} rows={ROWS} rowId={(row) => row.id} onOpen={() => {}} empty={null} />
    <button type="button">after</button>
  </>
);

test("Home and End reach the first and the last row, and the focus stays where it goes then", async () => {
  const { rerender } = render(tableBeforeButton("Things"));
  screen.getByRole("button", { name: "a" }).focus();
  await userEvent.keyboard("{End}{End}");
  expect(screen.getByRole("button", { name: "c" })).toHaveFocus();
  await userEvent.tab();
  rerender(tableBeforeButton("Other things"));
  expect(screen.getByRole("button", { name: "after" })).toHaveFocus();
  await userEvent.tab({ shift: true });
  await userEvent.keyboard("{Home}");
  expect(screen.getByRole("button", { name: "b" })).toHaveFocus();
});

test("all rows are one stop of the Tab key, where the arrows were last", async () => {
  const user = userEvent.setup();
  render(tableBeforeButton("Things"));
  screen.getByRole("button", { name: "Size" }).focus();
  await user.tab();
  expect(screen.getByRole("button", { name: "b" })).toHaveFocus();
  await user.keyboard("{ArrowDown}");
  await user.tab();
  expect(screen.getByRole("button", { name: "after" })).toHaveFocus();
  await user.tab({ shift: true });
  expect(screen.getByRole("button", { name: "a" })).toHaveFocus();
});

test("above 60 rows only the visible ones are drawn, and the count is told", () => {
  const many = Array.from({ length: 61 }, (_, index) => ({ id: `r${index}`, size: index }));
  const { rerender } = render(
    <DataTable label="Things" columns={COLUMNS} rows={many.slice(0, 60)} rowId={(row) => row.id} empty={null} />,
  );
  expect(names()).toHaveLength(60);
  rerender(<DataTable label="Things" columns={COLUMNS} rows={many} rowId={(row) => row.id} empty={null} />);
  expect(names().length).toBeLessThan(40);
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "62");
});
