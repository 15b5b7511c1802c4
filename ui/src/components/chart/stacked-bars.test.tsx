import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { StackedBars } from "@/components/chart/stacked-bars";

function renderBars(
  onChoose: (index: number) => void = () => {},
  onZoom?: (range: { first: number; last: number }) => void,
): HTMLElement {
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
      onChoose={onChoose}
      onZoom={onZoom}
    />,
  );
  return screen.getByRole("slider", { name: /Cost by day/ });
}

test("the cursor walks the bars and reads out their parts", async () => {
  const chart = renderBars();
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

test("a bar of which nothing is known is read out and marked as such, and can be opened", async () => {
  render(
    <StackedBars
      label="Cost by day"
      height={200}
      groups={[{ key: "a", label: "openai", colour: "red" }]}
      bars={[
        { key: "1", label: "19 Nov", values: [0], total: 0, words: ["unpriced", "unpriced"], isUnknown: true },
        { key: "2", label: "20 Nov", values: [4], total: 4, words: ["$4 + 1 unpriced", "$4 + 1 unpriced"] },
        { key: "3", label: "21 Nov", values: [0], total: 0, words: [null, null] },
      ]}
      format={(value) => `$${value}`}
      formatTick={String}
      onChoose={() => {}}
    />,
  );
  const chart = screen.getByRole("slider", { name: /Cost by day/ });
  expect(screen.getAllByText("?")).toHaveLength(1);
  await userEvent.tab();
  await userEvent.keyboard("{Home}");
  expect(chart).toHaveAttribute("aria-valuetext", "19 Nov: unpriced. openai unpriced");
  expect(screen.getByText("Click to list the requests")).toBeInTheDocument();
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "20 Nov: $4 + 1 unpriced. openai $4 + 1 unpriced");
  await userEvent.keyboard("{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "21 Nov: nothing");
});

test("Enter chooses the bar under the cursor, and nothing without one", async () => {
  const choose = vi.fn();
  renderBars(choose);
  await userEvent.tab();
  await userEvent.keyboard("{Enter}");
  expect(choose).not.toHaveBeenCalled();
  await userEvent.keyboard("{End}{ArrowLeft}{Enter}");
  expect(choose).toHaveBeenCalledExactlyOnceWith(1);
});

test("a click chooses the bar that is pointed at, and nothing beside the axis", async () => {
  const choose = vi.fn();
  const chart = renderBars(choose);
  await userEvent.pointer([
    { target: chart, coords: { clientX: 10 } },
    { keys: "[MouseLeft]", target: chart },
  ]);
  expect(choose).not.toHaveBeenCalled();
  await userEvent.pointer([
    { target: chart, coords: { clientX: 740 } },
    { keys: "[MouseLeft]", target: chart },
  ]);
  expect(choose).toHaveBeenCalledExactlyOnceWith(2);
});

test("Shift marks bars to zoom into; Escape and a plain arrow take the mark back", async () => {
  const [choose, zoom] = [vi.fn(), vi.fn()];
  const chart = renderBars(choose, zoom);
  await userEvent.tab();
  await userEvent.keyboard("{End}{Shift>}{ArrowLeft}{/Shift}");
  expect(chart).toHaveAttribute("aria-valuetext", "20 Nov to 21 Nov marked. Enter zooms in");
  await userEvent.keyboard("{Escape}");
  expect(chart).toHaveAttribute("aria-valuetext", "20 Nov: nothing");
  await userEvent.keyboard("{Shift>}{ArrowLeft}{/Shift}{ArrowRight}");
  expect(chart).toHaveAttribute("aria-valuetext", "20 Nov: nothing");
  await userEvent.keyboard("{Shift>}{ArrowLeft}{/Shift}{Enter}");
  expect(zoom).toHaveBeenCalledExactlyOnceWith({ first: 0, last: 1 });
  expect(choose).not.toHaveBeenCalled();
  expect(chart).toHaveAttribute("aria-valuetext", "No bar chosen");
});

test("a drag zooms into its bars, and a drag that ends elsewhere does not", async () => {
  const [choose, zoom] = [vi.fn(), vi.fn()];
  const chart = renderBars(choose, zoom);
  await userEvent.pointer([
    { keys: "[MouseLeft>]", target: chart, coords: { clientX: 740 } },
    { target: chart, coords: { clientX: 80 } },
    { keys: "[/MouseLeft]", target: chart, coords: { clientX: 80 } },
  ]);
  expect(zoom).toHaveBeenCalledExactlyOnceWith({ first: 0, last: 2 });
  expect(choose).not.toHaveBeenCalled();
  await userEvent.pointer([
    { keys: "[MouseLeft>]", target: chart, coords: { clientX: 740 } },
    { target: document.body },
    { keys: "[/MouseLeft]", target: document.body },
  ]);
  expect(chart).toHaveAttribute("aria-valuetext", "No bar chosen");
  expect(zoom).toHaveBeenCalledOnce();
});

test("bars of nothing have a base line only, and say so", () => {
  render(
    <StackedBars
      label="Cost by day"
      height={200}
      groups={[{ key: "a", label: "mock", colour: "red" }]}
      bars={[{ key: "1", label: "19 Nov", values: [0], total: 0 }]}
      format={String}
      formatTick={(tick) => `tick ${tick}`}
      onChoose={() => {}}
      flat="Nothing was billed"
    />,
  );
  expect(screen.getByText("Nothing was billed")).toBeInTheDocument();
  expect(screen.getAllByText(/^tick/).map((tick) => tick.textContent)).toEqual(["tick 0"]);
});
