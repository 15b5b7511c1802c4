import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { PlanWindows } from "@/features/overview/plan-windows";
import { PlanWindow } from "@/components/chart/plan-window";
import { PlansScreen } from "@/features/usage/plans/plans-screen";
import { NOW, renderWith } from "../../../../test/render-panel";

test("each window says what is used, when it starts again and whether it lasts", async () => {
  renderWith("busy", <PlansScreen />);
  const plan = await screen.findByRole("region", { name: "Codex CLI (plus)" });
  const short = within(plan).getByRole("meter", { name: "5 hours: used" });
  expect(short).toHaveAttribute("aria-valuetext", "74 % used, 56 % of the time was over");
  expect(within(plan).getByText("ahead of pace")).toBeVisible();
  expect(within(plan).getByText(/at this pace used up/)).toBeVisible();
  expect(within(plan).getByText("on pace")).toBeVisible();
  expect(screen.getByText("Codex CLI (plus): at this pace the window of 5 hours is used up early.")).toBeVisible();
});

test("a window that has started again has no figure", () => {
  const window = {
    label: "5 hours",
    state: "started_again",
    used_percent: null,
    elapsed_percent: null,
    resets_at: NOW - 60_000,
    runs_out_at: null,
    read_at: NOW - 120_000,
  } as const;
  renderWith("busy", <PlanWindow window={window} />);
  expect(screen.getByText("not known")).toBeVisible();
  expect(screen.getByText(/Use since then has not been told yet/)).toBeVisible();
  expect(screen.queryByRole("meter")).not.toBeInTheDocument();
});

test("what usage is worth is no money, and unknown prices are not zero", async () => {
  renderWith("busy", <PlansScreen />);
  const table = await screen.findByRole("region", { name: "Worth at list prices" });
  expect(within(table).getByRole("row", { name: /Claude Code/ })).toHaveTextContent("$214.73");
  expect(within(table).getByRole("row", { name: /OpenCode/ })).toHaveTextContent(/npriced/);
  expect(screen.getByText("not money spent")).toBeVisible();
});

test("without a reading the screen says which tools tell their limits", async () => {
  renderWith("fresh", <PlansScreen />);
  expect(await screen.findByText(/Claude Code and Gemini CLI write down no limits/)).toBeVisible();
});

test("Overview shows the windows of plans", async () => {
  renderWith("busy", <PlanWindows />);
  expect(await screen.findByRole("meter", { name: "Codex CLI (plus), 5 hours: used" })).toBeInTheDocument();
  expect(screen.getByText("ahead of pace")).toBeVisible();
});
