import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Heatmap } from "@/components/chart/heatmap";

test("the arrow keys walk hours and days, stop at the edges, and Enter chooses", async () => {
  const chosen = vi.fn();
  render(
    <Heatmap
      label="Use"
      columns={["00:00", "01:00", "02:00"]}
      rows={[
        { label: "Monday", cells: [{ value: 0 }, { value: 3 }, { value: 8 }] },
        { label: "Tuesday", cells: [{ value: 1 }, { value: 0 }, { value: 2 }] },
      ]}
      format={(value) => `${value} requests`}
      onChoose={chosen}
    />,
  );
  const chart = screen.getByRole("slider", { name: /^Use/ });
  await userEvent.tab();
  await userEvent.keyboard("{ArrowRight}{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "Monday 01:00: 3 requests");
  await userEvent.keyboard("{ArrowDown}{End}{ArrowRight}{ArrowDown}");
  expect(chart).toHaveAttribute("aria-valuetext", "Tuesday 02:00: 2 requests");
  await userEvent.keyboard("{Enter}");
  expect(chosen.mock.calls).toEqual([[1, 2]]);
  await userEvent.keyboard("{Escape}{Enter}");
  expect(chosen).toHaveBeenCalledOnce();
  expect(chart).toHaveAttribute("aria-valuetext", "Nothing chosen");
});
