import { act, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { choose } from "../../../../test/choose";
import { undo } from "../../../../test/undo";
import { renderPanel } from "../../../../test/render-panel";

test("a budget is added, and what is wrong stands beside its field", async () => {
  const { host, user } = renderPanel("busy", "/budgets?add=true");
  const dialog = await screen.findByRole("dialog", { name: "Add budget" });
  await user.type(within(dialog).getByLabelText("Name"), "zed-daily");
  await choose(user, within(dialog).getByRole("combobox", { name: "In each" }), "Day");
  await choose(user, within(dialog).getByRole("combobox", { name: "Counts" }), "Client");
  await choose(user, within(dialog).getByRole("combobox", { name: "Client" }), "zed");
  await choose(user, within(dialog).getByRole("combobox", { name: "At the limit" }), "Only tell me");
  await user.click(within(dialog).getByRole("button", { name: "Add budget" }));
  expect(await within(dialog).findByText("enter an amount above 0")).toBeVisible();
  expect(within(dialog).getByLabelText("Limit in USD")).toBeInvalid();

  await user.type(within(dialog).getByLabelText("Limit in USD"), "2.50");
  await user.click(within(dialog).getByRole("button", { name: "Add budget" }));
  const added = await screen.findByRole("listitem", { name: "zed-daily" });
  expect(within(added).getByText("of $2.50 a day")).toBeVisible();
  expect(within(added).getByText("client zed")).toBeVisible();
  expect(within(added).getByText(/only tells you/)).toBeVisible();
  expect(await host.budgets()).toContainEqual(
    expect.objectContaining({ id: "zed-daily", action: "tell", marks: [50, 80, 95, 100] }),
  );
});

test("a budget is tried on the past before it is made", async () => {
  const { host, user } = renderPanel("busy", "/budgets?add=true");
  const dialog = await screen.findByRole("dialog", { name: "Add budget" });
  const before = await host.budgets();
  await user.click(within(dialog).getByRole("button", { name: "Try on the last 30 days" }));
  expect(await within(dialog).findByText("enter an amount above 0")).toBeVisible();
  await user.type(within(dialog).getByLabelText("Limit in USD"), "1");
  await user.click(within(dialog).getByRole("button", { name: "Try on the last 30 days" }));
  expect(await within(dialog).findByText(/it would have refused \d+ of \d+ requests/)).toBeVisible();
  expect(within(dialog).queryByText("enter an amount above 0")).not.toBeInTheDocument();
  await user.type(within(dialog).getByLabelText("Limit in USD"), "0000");
  expect(within(dialog).queryByText(/it would have refused/)).not.toBeInTheDocument();
  expect(await host.budgets()).toEqual(before);
});

test("a budget is changed without its name, and removing it can be undone", async () => {
  const { host, user } = renderPanel("busy", "/budgets");
  const monthly = await screen.findByRole("listitem", { name: "monthly" });
  expect(within(monthly).getByRole("meter")).toHaveAttribute(
    "aria-valuetext",
    expect.stringMatching(/% used, 60 % of/),
  );
  const [before] = await host.budgets();
  await user.click(within(monthly).getByRole("button", { name: "Actions for monthly" }));
  await user.click(screen.getByRole("menuitem", { name: "Edit" }));
  const limit = await screen.findByLabelText("Limit in USD");
  expect(limit).toHaveValue("20");
  await user.clear(limit);
  await user.type(limit, "35");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText(/of \$35\.00 a month/)).toBeVisible();

  await user.click(screen.getByRole("button", { name: "Actions for monthly" }));
  await user.click(screen.getByRole("menuitem", { name: "Remove" }));
  await undo(user);
  expect(await screen.findByText(/of \$35\.00 a month/)).toBeVisible();
  const after = (await host.budgets()).find(({ id }) => id === "monthly");
  expect(after).toMatchObject({ limit_nano_usd: 35_000_000_000, reset_day: before?.reset_day, marks: before?.marks });
});

test("money in flight and what a crash cut off are said beside what is spent", async () => {
  renderPanel("busy", "/budgets");
  const monthly = await screen.findByRole("listitem", { name: "monthly" });
  expect(
    within(monthly).getByText(/\$0\.08 reserved for requests in flight; long answers may cost \$0\.40 more/),
  ).toBeVisible();
  expect(within(monthly).getByText(/A crash interrupted 2 requests; .*\$0\.20 reserved for it counts/)).toBeVisible();
  const agents = screen.getByRole("listitem", { name: "agents" });
  expect(within(agents).queryByText(/reserved/)).toBeNull();
});

test("more is allowed for a time, and taken back", async () => {
  const { user } = renderPanel("busy", "/budgets");
  const agents = await screen.findByRole("listitem", { name: "agents" });
  await user.click(within(agents).getByRole("button", { name: "Allow more" }));
  await user.type(await screen.findByLabelText("Amount in USD"), "5");
  await user.click(screen.getByRole("button", { name: "Allow more" }));
  expect(await within(agents).findByText(/of \$1\.50 a week and \$5\.00 more for a time/)).toBeVisible();
  await user.click(within(agents).getByRole("button", { name: "Take back" }));
  expect(await within(agents).findByText(/of \$1\.50 a week$/)).toBeVisible();
  await user.click(within(agents).getByText(/crossing/));
  expect(within(agents).getByText("50 % reached")).toBeVisible();
});

test("a crossed mark is told at once with its amount, and leads to the budget", async () => {
  const { host } = renderPanel("busy", "/budgets?budget=agents");
  expect(await screen.findByRole("listitem", { name: "agents", current: true })).toBeVisible();
  const crossing = {
    kind: "spent",
    percent: 80,
    period_from: 0,
    at: 1,
    spent_nano_usd: 1_200_000_000,
    limit_nano_usd: 1_500_000_000,
  } as const;
  const notice = { budget: "agents", title: "Budget agents: 80 % used", crossing, asks: false };
  act(() => host.announce({ kind: "budget_crossed", notice: { ...notice, message: "$1.20 of $1.50 this week." } }));
  expect(await screen.findByText("$1.20 of $1.50 this week.")).toBeVisible();
  expect(screen.getByRole("link", { name: "Budget" })).toHaveAttribute("href", "#/budgets?budget=agents");
});
