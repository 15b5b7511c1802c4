import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("the Overview says that requests are answered, and which backends answer badly", async () => {
  renderPanel("degraded", "/");
  expect(await screen.findByRole("heading", { level: 1, name: /^Ready, degraded: .* \(and 1 more\)$/ })).toBeVisible();
  expect(screen.getByText("OpenAI is slow: first token 4.2 s, usually 0.9 s")).toBeVisible();
  expect(screen.getByText("3 of 5 backends up, 2 degraded")).toBeVisible();
  expect(screen.getByText("Groq fails 3 of 10 requests")).toBeVisible();
  const strip = within(await screen.findByRole("region", { name: "Backends" }));
  expect(await strip.findByRole("link", { name: /^OpenAI ?Degraded/ })).toBeVisible();
});

test("Health counts the backends that answer badly", async () => {
  renderPanel("degraded", "/health");
  expect(await screen.findByText("2 of 4 backends are degraded.", {}, { timeout: 5_000 })).toBeVisible();
});
