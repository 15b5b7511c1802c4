import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { StackedBars } from "@/components/stacked-bars";

test("the cursor walks the bars and reads out their parts", async () => {
  render(
    <StackedBars
      label="Cost by day"
      height={200}
      groups={[
        { key: "a", label: "openai", colour: "red" },
        { key: "b", label: "groq", colour: "blue" },
      ]}
      bars={[
        { key: "1", label: "19 Nov", values: [4, 0], total: 4 },
        { key: "2", label: "20 Nov", values: [0, 0], total: 0 },
        { key: "3", label: "21 Nov", values: [1, 2], total: 3 },
      ]}
      format={(value) => `$${value}`}
      formatTick={String}
    />,
  );
  const chart = screen.getByRole("slider", { name: /Cost by day/ });
  expect(chart).toHaveAttribute("aria-valuetext", "No bar chosen");
  await userEvent.tab();
  expect(chart).toHaveFocus();
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "19 Nov: $4. openai $4");
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "20 Nov: nothing");
  await userEvent.keyboard("{End}");
  expect(chart).toHaveAttribute("aria-valuetext", "21 Nov: $3. openai $1, groq $2");
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuenow", "2");
});
