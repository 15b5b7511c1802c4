import { act, screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("a filter of the costs is chosen from the names of the period, and every number and link follows it", async () => {
  const { host, user } = renderPanel("busy", "/usage?range=last_week");
  const asked = vi.spyOn(host, "usageForecast");
  await user.click(await screen.findByRole("button", { name: "Filter" }));
  act(() => screen.getByRole("menuitem", { name: "Model" }).focus());
  await user.keyboard("{ArrowRight}");
  const choice = await screen.findByRole("menuitem", { name: "gpt-5.2-mini" });
  act(() => choice.focus());
  await user.keyboard("{Enter}");
  const filter = { model: "gpt-5.2-mini" };
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "local", compare: true, filter });
  const bars = await screen.findByRole("figure", { name: usage.finding });
  expect(screen.getByRole("button", { name: "Model: gpt-5.2-mini" })).toBeVisible();
  expect(asked).toHaveBeenLastCalledWith({ zone: "local", filter });
  const change = Math.abs(usage.previous?.cost_change_percent ?? 0);
  expect(screen.getByText(new RegExp(`^${change} % (more|less) than in the 7 days before$`))).toBeVisible();
  await user.click(within(bars).getByRole("button", { name: "Show as table" }));
  const [total] = within(bars).getAllByRole("link", { name: /^\$/ });
  expect(total).toHaveAttribute("href", expect.stringMatching(/^#\/requests\?model=gpt-5\.2-mini&since=\d+/));
  expect(screen.getByRole("link", { name: "Activity" })).toHaveAttribute(
    "href",
    "#/activity?range=last_week&group=backend&zone=local&model=gpt-5.2-mini",
  );
  await user.click(screen.getByRole("button", { name: "Clear model filter" }));
  expect(screen.queryByRole("button", { name: "Model: gpt-5.2-mini" })).not.toBeInTheDocument();
});

test("the activity says which of its charts a filter cannot reach", async () => {
  const { host } = renderPanel("busy", "/activity?client=codex&key=openai");
  const asked = vi.spyOn(host, "usageLatency");
  expect(await screen.findByText(/^Times can be filtered by one backend, model or route only/)).toBeVisible();
  expect(screen.getByText(/^Failed attempts are counted by backend and key only/)).toBeVisible();
  expect(screen.getByRole("link", { name: "Failed requests" })).toHaveAttribute(
    "href",
    "#/requests?client=codex&key=openai&state=failed",
  );
  expect(asked).not.toHaveBeenCalled();
});

test("the times follow a filter by one backend, and their days lead to its requests", async () => {
  const { host } = renderPanel("busy", "/activity?backend=openai");
  const asked = vi.spyOn(host, "usageLatency");
  expect(await screen.findByRole("figure", { name: /^OpenAI, first token: half within/ })).toBeVisible();
  expect(asked.mock.calls.map(([query]) => query.name)).toEqual(["openai"]);
});

test("without a request that matches, the filter is named as the reason", async () => {
  renderPanel("busy", "/usage?client=nobody");
  expect(await screen.findByText("No requests match the filter")).toBeVisible();
});
