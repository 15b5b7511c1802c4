import { screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { presetDays } from "@/features/usage/period-bar";
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
  await user.click(await screen.findByRole("radio", { name: "Last month" }));
  expect(screen.getByRole("radio", { name: "Last month" })).toBeChecked();
  const first = (screen.getByLabelText("First day") as HTMLInputElement).value;
  expect(first).toMatch(/-01$/);
  const month = expect.objectContaining({ from: Date.parse(`${first}T00:00:00Z`) });
  expect(asked).toHaveBeenCalledWith(month);
});
