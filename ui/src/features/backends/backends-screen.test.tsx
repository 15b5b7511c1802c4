import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { HEALTH } from "@/lib/tables";
import { renderPanel } from "../../../test/render-panel";
import { undo } from "../../../test/undo";

async function switchOff(label: string) {
  const { user, host } = renderPanel("busy", "/backends");
  await user.click(await screen.findByRole("switch", { name: `${label} switched on` }, { timeout: 5_000 }));
  expect(await screen.findByText(`${label} is off`)).toBeVisible();
  return { user, host };
}

test("switching off a backend whose routes have others says that those are used, and undo brings it back", async () => {
  const { user, host } = await switchOff("OpenAI");
  expect(screen.getByText("Requests for openai/… are refused. Routes use their other backends.")).toBeVisible();
  // The frame of the toasts takes clicks once its first toast has been counted.
  await undo(user);
  expect(await screen.findByText("OpenAI is on")).toBeVisible();
  expect((await host.backends()).find(({ id }) => id === "openai")?.enabled).toBe(true);
});

test("switching off the only backend of a route names the route", async () => {
  await switchOff("Ollama");
  expect(screen.getByText("Requests for ollama/… are refused. No other backend for local.")).toBeVisible();
});

test("switching off a backend that no route uses speaks of no route", async () => {
  await switchOff("Mock");
  expect(screen.getByText("Requests for mock/… are refused.")).toBeVisible();
});

test("a backend that answers badly is degraded, and says how", async () => {
  renderPanel("degraded", "/backends");
  const slow = within(await screen.findByRole("row", { name: /^OpenAI/ }, { timeout: 5_000 }));
  expect(slow.getByText("Degraded")).toBeVisible();
  expect(slow.getByText("first token 4.2 s, usually 0.9 s")).toBeVisible();
  expect(
    within(screen.getByRole("row", { name: /^Groq/ })).getByText("3 of 10 requests failed in half an hour"),
  ).toBeVisible();
  expect(screen.getByText("3 of 6 backends up, 2 degraded, 1 off")).toBeVisible();
  expect(HEALTH.degraded).toEqual({ word: "Degraded", shape: "half", tone: "warn" });
});
