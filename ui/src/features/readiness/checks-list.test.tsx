import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { ChecksList } from "@/features/readiness/checks-list";
import type { ReadinessRunView } from "@/ipc/bindings";
import { newRun, plannedChecks, runAfter } from "@/ipc/fake/checks";
import { health, makeBackend, makeWorld } from "@/ipc/fake/world";
import { NOW, renderWith } from "../../../test/render-panel";

const BACKENDS = 60;

/** All checks with 60 more backends, none of which lists its models. */
function crowdedRun(done: "whole" | "running"): ReadinessRunView {
  const world = makeWorld("failing", NOW);
  for (let index = 0; index < BACKENDS; index += 1)
    world.backends.push(makeBackend(`b${index}`, null, health("down", "No answer.", NOW, NOW, null)));
  const checks = plannedChecks(world, "full");
  const count = done === "whole" ? checks.length : checks.length - 1;
  return runAfter(newRun("run-1", "full", checks, NOW), checks, count, NOW, null);
}

const sections = () => screen.getAllByRole("heading", { level: 2 }).map((heading) => heading.textContent);

test("what failed stands first, the worst on top, and sixty alike failures are one folded row", async () => {
  const run = crowdedRun("whole");
  renderWith("failing", <ChecksList run={run} />);
  const list = screen.getByRole("region", { name: "Checks" });
  expect(sections()[0]).toBe("Needs attention");
  const rows = [...list.querySelectorAll("summary")].map((summary) => summary.textContent);
  // The rejected key and the locked vault block everything; each has its own row, before less severe ones.
  expect(rows[0]).toMatch(/Failed.*Blocker/);
  expect(rows[1]).toMatch(/Failed.*Blocker/);
  expect(rows[2]).toMatch(/^Models available on 61 backends.*Failed/);
  const title = list.querySelectorAll<HTMLElement>("summary")[2];
  const family = title?.closest("details");
  expect(family).not.toHaveAttribute("open");

  await userEvent.click(title as HTMLElement);
  expect(family).toHaveAttribute("open");
  const members = [...(family?.querySelectorAll("details") ?? [])];
  expect(members).toHaveLength(BACKENDS + 1);
  for (const member of members) expect(member).not.toHaveAttribute("open");
});

test("while the run goes every check keeps its place", () => {
  render(<ChecksList run={crowdedRun("running")} />);
  expect(sections()).not.toContain("Needs attention");
});
