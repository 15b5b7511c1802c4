import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../../test/render-panel";

/** The first one on the screen. Below it, the crossed table has one too. */
const title = async () => (await screen.findAllByRole("heading", { level: 2, name: /%/ }))[0]?.textContent;

test("the title says what the bars measure", async () => {
  const { user } = renderPanel("busy", "/usage");
  expect(await title()).toMatch(/\$/);
  await user.click(screen.getByRole("radio", { name: "Requests" }));
  expect(await title()).toMatch(/^[^$]+: \d+ % of [\d,]+ requests$/);
  await user.click(screen.getByRole("radio", { name: "Tokens" }));
  expect(await title()).toMatch(/^[^$]+: \d+ % of [\d,]+ tokens$/);
});
