import { screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("what is not set up yet is offered once: by the first steps", async () => {
  renderPanel("fresh", "/");
  expect(await screen.findByRole("link", { name: "Add backend" })).toBeVisible();
  expect(screen.getByRole("link", { name: "Connect a client" })).toBeVisible();
  expect(screen.getByRole("button", { name: /checks$/ })).toBeVisible();
  expect(screen.queryByRole("link", { name: /^Add a/ })).not.toBeInTheDocument();
});
