import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { LineChart } from "@/components/chart/line-chart";

test("the cursor reads out every line and the band, gaps left out, and Enter chooses", async () => {
  const choose = vi.fn();
  render(
    <LineChart
      label="Spending"
      height={200}
      points={["19 Nov", "20 Nov", "21 Nov"].map((label) => ({ key: label, label }))}
      lines={[
        { key: "spent", label: "spent", colour: "red", values: [4, 6, null] },
        { key: "expected", label: "expected", colour: "blue", dashed: true, values: [null, null, 9] },
      ]}
      band={{ label: "range", colour: "blue", low: [null, null, 7], high: [null, null, 12] }}
      format={(value) => `$${value}`}
      formatTick={String}
      onChoose={choose}
    />,
  );
  const chart = screen.getByRole("slider", { name: /Enter lists the requests/ });
  await userEvent.tab();
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "19 Nov: spent $4");
  await userEvent.keyboard("{End}{Enter}");
  expect(chart).toHaveAttribute("aria-valuetext", "21 Nov: expected $9, range $7 to $12");
  expect(choose).toHaveBeenCalledExactlyOnceWith(2);
});
