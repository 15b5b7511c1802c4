import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Sparkline } from "@/components/chart/sparkline";

const HEIGHT = 40;

test("what failed is drawn in the colour of failures, as high as its share, and never as what worked", () => {
  render(<Sparkline values={[8, 4, 4, 0]} failed={[0, 1, 4, 0]} label="16 requests, 5 failed" height={HEIGHT} />);
  const bars = [...screen.getByRole("img").querySelectorAll("rect")];
  const heights = (colour: string) =>
    bars.filter((bar) => bar.classList.contains(colour)).map((bar) => Number(bar.getAttribute("height")));
  expect(heights("fill-bad")).toEqual([5, 20]);
  expect(heights("fill-accent")).toEqual([40, 15, 0]);
  expect(heights("fill-surface-3")).toEqual([1]);
});
