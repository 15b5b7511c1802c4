import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { choose } from "../../../test/choose";
import { renderPanel } from "../../../test/render-panel";

test("a budget is added, and what is wrong stands beside its field", async () => {
  const { host, user } = renderPanel("busy", "/budgets?add=true");
  const dialog = await screen.findByRole("dialog", { name: "Add budget" });
  await user.type(within(dialog).getByLabelText("Name"), "zed-daily");
  await choose(user, within(dialog).getByRole("combobox", { name: "In each" }), "Day");
  await choose(user, within(dialog).getByRole("combobox", { name: "Counts" }), "Client");
  await choose(user, within(dialog).getByRole("combobox", { name: "Client" }), "zed");
  await user.click(within(dialog).getByRole("button", { name: "Add budget" }));
  expect(await within(dialog).findByText("enter an amount above 0")).toBeVisible();
  expect(within(dialog).getByLabelText("Limit")).toBeInvalid();

  await user.type(within(dialog).getByLabelText("Limit"), "2.50");
  await user.click(within(dialog).getByRole("button", { name: "Add budget" }));
  const added = await screen.findByRole("listitem", { name: "zed-daily" });
  expect(within(added).getByText("of $2.50")).toBeVisible();
  expect(within(added).getByText("client zed, by the day")).toBeVisible();
  expect((await host.budgets()).map(({ id }) => id)).toContain("zed-daily");
});

test("a budget is changed without its name, and removing it can be undone", async () => {
  const { host, user } = renderPanel("busy", "/budgets");
  const monthly = await screen.findByRole("listitem", { name: "monthly" });
  expect(within(monthly).getByRole("meter")).toHaveAttribute(
    "aria-valuetext",
    expect.stringMatching(/% used, 60 % of/),
  );
  await user.click(within(monthly).getByRole("button", { name: "Actions for monthly" }));
  await user.click(screen.getByRole("menuitem", { name: "Edit" }));
  const limit = await screen.findByLabelText("Limit");
  expect(limit).toHaveValue("20");
  await user.clear(limit);
  await user.type(limit, "35");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("of $35.00")).toBeVisible();

  await user.click(screen.getByRole("button", { name: "Actions for monthly" }));
  await user.click(screen.getByRole("menuitem", { name: "Remove" }));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  expect(await screen.findByText("of $35.00")).toBeVisible();
  expect((await host.budgets()).map(({ id }) => id)).toContain("monthly");
});
