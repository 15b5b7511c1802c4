import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { BackendsStrip } from "@/features/overview/backends-strip";
import { makeHost, renderWith } from "../../../test/render-panel";

test("where not all fit, those that are down come first", async () => {
  const { backends } = makeHost("busy").host;
  const [up] = (await backends()).filter(({ health }) => health.state === "up");
  const many = Array.from({ length: 8 }, (_, index) => ({
    ...up!,
    id: `b${index}`,
    label: `Backend ${index}`,
    health: index === 6 ? { ...up!.health, state: "down" as const } : up!.health,
  }));
  const { cache } = renderWith("busy", <BackendsStrip />);
  await screen.findAllByRole("link");
  cache.setQueryData(["backends"], many);
  const strip = screen.getByRole("region", { name: "Backends" });
  expect(await within(strip).findByRole("link", { name: "3 more" })).toBeVisible();
  const tiles = within(strip)
    .getAllByRole("link")
    .map((tile) => tile.textContent);
  expect(tiles[0]).toMatch(/^Backend 6Down/);
  expect(tiles[1]).toMatch(/^Backend 0Up/);
});
