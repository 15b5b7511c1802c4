import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { renderPanel } from "../../../test/render-panel";

async function removalOf(id: string, label: string): Promise<HTMLElement> {
  const { user } = renderPanel("busy", `/backends/${id}`);
  const drawer = await screen.findByRole("dialog", { name: label }, { timeout: 5_000 });
  await user.click(within(drawer).getByRole("button", { name: "More for this backend" }));
  await user.click(await screen.findByRole("menuitem", { name: /^Remove backend/ }));
  return screen.findByRole("dialog", { name: `Remove ${label}?` });
}

test("the dialog names the route that is left without a backend", async () => {
  const dialog = await removalOf("ollama", "Ollama");
  expect(dialog).toHaveTextContent("No other backend is left for the route local.");
  expect(dialog).not.toHaveTextContent("key");
});

test("the dialog names the routes that use their other backends", async () => {
  const dialog = await removalOf("openai", "OpenAI");
  expect(dialog).toHaveTextContent("The routes fast, claude, mini-test will use other backends.");
  expect(dialog).toHaveTextContent("Its key openai stays in the vault.");
  expect(dialog).not.toHaveTextContent("No other backend is left");
});

async function summaryOf(id: string, label: string): Promise<HTMLElement> {
  renderPanel("failing", `/backends/${id}`);
  return screen.findByRole("dialog", { name: label }, { timeout: 5_000 });
}

function factOf(drawer: HTMLElement, name: string): string | null | undefined {
  return within(drawer).getByText(name, { selector: "dt" }).nextElementSibling?.textContent;
}

test("a backend that is down says how its last probe ended, and what it was asked is shown as failed", async () => {
  const drawer = await summaryOf("ollama", "Ollama");
  expect(factOf(drawer, "Last probe")).toBe("failed");
  const day = within(drawer).getByRole("img", { name: /^\d+ requests in 24 hours by hour, \d+ failed$/ });
  const failed = Number(/(\d+) failed/.exec(day.getAttribute("aria-label") ?? "")?.[1]);
  expect(failed).toBeGreaterThan(0);
  expect(day.querySelectorAll("rect.fill-bad").length).toBeGreaterThan(0);
});

test("a probe that was answered with a refusal has a time, and does not pass for a good one", async () => {
  expect(factOf(await summaryOf("openrouter", "OpenRouter"), "Last probe")).toBe("answered in 211 ms (free)");
});
