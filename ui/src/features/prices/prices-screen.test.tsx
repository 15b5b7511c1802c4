import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

const table = () => screen.findByLabelText("Prices in US dollars per million tokens", { selector: "div" });

test("one's own price is set in one step and taken back", async () => {
  const { user } = renderPanel("busy", "/prices");
  expect(await table()).toHaveTextContent("claude-sonnet-4-5");
  await user.click(await screen.findByRole("button", { name: "Set price" }));
  const dialog = await screen.findByRole("dialog", { name: "Set price" });
  const submit = within(dialog).getByRole("button", { name: "Set price" });
  await user.type(within(dialog).getByLabelText("Model"), "llama-3");
  await user.click(submit);
  expect(await within(dialog).findByText("Enter at least one price.")).toBeVisible();
  await user.type(within(dialog).getByLabelText("Input"), "2.50");
  await user.click(submit);
  expect(await screen.findByText("llama-3")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Undo last change" }));
  expect(await screen.findByText(/^Taken back: Set the price of llama-3/)).toBeVisible();
  expect(await table()).not.toHaveTextContent("llama-3 ");
});

test("an import shows what would change, and what was not read, before it applies", async () => {
  const { user } = renderPanel("busy", "/prices");
  await table();
  await user.click(screen.getByRole("button", { name: "Import" }));
  const dialog = await screen.findByRole("dialog", { name: "Import prices" });
  await user.click(within(dialog).getByText("Paste"));
  await user.type(within(dialog).getByLabelText("Price list"), "pasted");
  await user.click(within(dialog).getByRole("button", { name: "Show differences" }));
  expect(await within(dialog).findByText("1 price change, 1 new, 3 as they are.")).toBeVisible();
  expect(within(dialog).getByRole("list", { name: "Differences" })).toHaveTextContent("input $2.00 → $2.50 (+25 %)");
  expect(within(dialog).getByText(/“free” is no price/)).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Import 2" }));
  expect(await screen.findByText("Imported 2 prices from prices.json.")).toBeVisible();
});

test("a chosen file is named, and still chosen after a look at its differences", async () => {
  const { user } = renderPanel("busy", "/prices");
  await table();
  await user.click(screen.getByRole("button", { name: "Import" }));
  const dialog = await screen.findByRole("dialog", { name: "Import prices" });
  const file = new File(["{}"], "mine.json", { type: "application/json" });
  await user.upload(within(dialog).getByLabelText("Price list file"), file);
  expect(within(dialog).getByText("mine.json")).toBeVisible();
  await user.click(within(dialog).getByRole("button", { name: "Show differences" }));
  await user.click(await within(dialog).findByRole("button", { name: "Back" }));
  expect(within(dialog).getByText("mine.json")).toBeVisible();
});

test("a price opens with every rate, its days and its source", async () => {
  const { user } = renderPanel("busy", "/prices");
  await user.click(within(await table()).getByText("claude-sonnet-4-5"));
  const drawer = await screen.findByRole("dialog", { name: "claude-sonnet-4-5" });
  expect(drawer).toHaveTextContent("https://anthropic.com/pricing");
  expect(drawer).toHaveTextContent("us × 1.1");
  expect(within(drawer).getByRole("row", { name: /^Cache read/ })).toHaveTextContent("per million tokens");
});
