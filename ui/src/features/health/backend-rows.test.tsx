/** The list of backends: first tokens that came later than before. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("a percentile that is certainly worse is marked in words, and the details say by how much", async () => {
  const { user } = renderPanel("busy", "/health");
  const marks = await screen.findAllByText("▲ slower");
  const row = marks[0]?.closest("li");
  if (row == null) throw new Error("the mark is in no row");
  expect(within(row).getAllByText("▲ slower")).toHaveLength(1);
  await user.click(within(row).getByText(/^Details/));
  expect(
    within(row).getByText(/^The 95th percentile is 210 ms to 790 ms later than .* with 95 % confidence\.$/),
  ).toBeVisible();
  expect(within(row).getByText(/^The median has not changed measurably from the seven days before\.$/)).toBeVisible();
});
