/** This machine: what is shown of a calm one, and of one with a slow ledger and a slow start. */
import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { LocalScreen } from "@/features/health/local-screen";
import { renderWith } from "../../../test/render-panel";

test("each chart has its numbers behind it", async () => {
  const { user } = renderWith("busy", <LocalScreen />);
  const chart = await screen.findByRole("figure", { name: "Memory of Gatehouse" });
  expect(within(chart).getByText(/^8\d MB now, at most \d+ MB in 5 h$/u)).toBeInTheDocument();
  await user.click(within(chart).getByRole("button", { name: "Show as table" }));
  const table = within(chart).getByRole("region", { name: "Memory of Gatehouse" });
  expect(within(table).getAllByRole("row")).toHaveLength(121);
});

test("the axis of a chart names full hours, each once", async () => {
  renderWith("busy", <LocalScreen />);
  const chart = await screen.findByRole("figure", { name: "Memory of Gatehouse" });
  const words = [...chart.querySelectorAll("svg text")].map((text) => text.textContent);
  const hours = words.filter((word) => word.includes(":"));
  expect(hours.length).toBeGreaterThan(1);
  expect(hours.filter((word) => !word.endsWith(":00"))).toEqual([]);
  expect(new Set(hours).size).toBe(hours.length);
});

test("what could not be found of the machine is unknown", async () => {
  renderWith("failing", <LocalScreen />);
  const facts = within(await screen.findByRole("region", { name: "This machine" }));
  expect(facts.getByText("Debian GNU/Linux 12, kernel 6.1.0, x86_64")).toBeInTheDocument();
  expect(facts.getByText("Power").nextElementSibling).toHaveTextContent("Unknown");
});

test("a slow start names its slowest stage, and a slow statement has its plan", async () => {
  const { user } = renderWith("failing", <LocalScreen />);
  const starts = await screen.findByRole("list", { name: "Starts, newest first" });
  expect(within(starts).getByText("▲ Slow. Longest stage: opening the ledger, 1240 ms")).toBeInTheDocument();
  const slow = screen.getByRole("list", { name: "Slow statements" });
  await user.click(within(slow).getAllByText(/^SELECT model/u)[0] ?? slow);
  expect(within(slow).getByText(/USE TEMP B-TREE/u)).toBeInTheDocument();
});
