import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { unusedWord } from "@/features/keys/key-times";
import type { KeyView } from "@/ipc/bindings";
import { renderPanel } from "../../../test/render-panel";

/** The words of a column in the order of the rows. */
function cellsOf(table: HTMLElement, column: number): (string | null)[] {
  return within(table)
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getAllByRole("cell")[column]?.textContent ?? null);
}

test("the table tells age, last use and expiry, and sorts by each", async () => {
  const { user } = renderPanel("busy", "/keys");
  const table = await screen.findByRole("table");
  const headers = within(table)
    .getAllByRole("columnheader")
    .map((header) => header.textContent);
  const columnOf = (name: string) => headers.indexOf(name);
  const sortBy = (name: string) => user.click(within(table).getByRole("button", { name }));
  await sortBy("Age");
  expect(cellsOf(table, columnOf("Age"))).toEqual(["212 days", "98 days", "41 days", "30 days", "21 days", "12 days"]);
  await sortBy("Expires");
  expect(cellsOf(table, columnOf("Expires")).slice(0, 2)).toEqual(["in 120 days", "not known"]);
  await sortBy("Last used");
  expect(cellsOf(table, columnOf("Last used")).at(0)).toBe("2 min ago");
  expect(cellsOf(table, columnOf("Last used")).at(-1)).toBe("never used");
});

test("a key is only called never used where nothing else can be", async () => {
  const { host } = renderPanel("busy", "/keys");
  const [one] = await host.keys();
  if (one === undefined) throw new Error("the busy world has keys");
  const now = 1_000 * 86_400_000;
  const day = (ago: number) => now - ago * 86_400_000;
  const month = (requests: number): Partial<KeyView> => ({ last_month: { ...one.last_month, requests } });
  const word = (key: Partial<KeyView>) => unusedWord({ ...one, ...month(0), ...key }, now);
  expect(word({ created_at: day(3) })).toBe("never used");
  expect(word({ created_at: day(31) })).toBe("not in 30 days");
  expect(word({ created_at: null })).toBe("not in 30 days");
  expect(word({ created_at: day(3), ...month(2) })).toBe("not known");
  expect(word({ created_at: day(3), billing: "openai" })).toBe("not known");
  expect(word({ dependents: { ...one.dependents, services: ["github"] } })).toBe("not known");
});
