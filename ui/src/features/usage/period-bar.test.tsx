import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { presetDays } from "@/features/usage/period-bar";
import { choose } from "../../../test/choose";
import { renderPanel } from "../../../test/render-panel";

test("months begin on their first day and end on their last", () => {
  const days = presetDays(Date.UTC(2027, 0, 5, 12), "utc");
  expect(days.this_month).toEqual({ first: "2027-01-01", last: "2027-01-05" });
  expect(days.month_before).toEqual({ first: "2026-12-01", last: "2026-12-31" });
  expect(days["90_days"]).toEqual({ first: "2026-10-08", last: "2027-01-05" });
  expect(presetDays(Date.UTC(2028, 2, 1), "utc").month_before).toEqual({ first: "2028-02-01", last: "2028-02-29" });
});

test("last month asks for its days, and stays chosen", async () => {
  const { host, user } = renderPanel("busy", "/usage?zone=utc");
  const asked = vi.spyOn(host, "usage");
  await choose(user, await screen.findByRole("combobox", { name: "Period" }), "Last month");
  expect(screen.getByRole("combobox", { name: "Period" })).toHaveTextContent("Last month");
  expect(screen.queryByLabelText("First day")).not.toBeInTheDocument();
  const month = expect.objectContaining({ from: Date.UTC(2026, 9, 1) });
  expect(asked).toHaveBeenCalledWith(month);
});

test("the days of a period of one's own are typed, also while they are those of another", async () => {
  const { user } = renderPanel("busy", "/usage?zone=utc");
  await choose(user, await screen.findByRole("combobox", { name: "Period" }), "Custom");
  const first = screen.getByLabelText("First day");
  await user.clear(first);
  await user.type(first, "2026-11-01");
  expect(screen.getByLabelText("First day")).toHaveValue("2026-11-01");
  expect(screen.getByRole("combobox", { name: "Period" })).toHaveTextContent("Custom");
});
