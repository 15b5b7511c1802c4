import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

async function openResilience(scenario: Parameters<typeof renderPanel>[0], backend: string) {
  const rendered = renderPanel(scenario, `/backends/${backend}`);
  await rendered.user.click(await screen.findByRole("tab", { name: "Resilience" }));
  return { ...rendered, now: await screen.findByRole("region", { name: "Now" }) };
}

test("breaker, cooldown and block are told apart, each with why and until when", async () => {
  const { now } = await openResilience("failing", "groq");
  expect(now).toHaveTextContent("BreakerHealthy");
  expect(now).toHaveTextContent("The provider's rate limit was reached, for all models. 1 min 21 s left.");
  expect(now).toHaveTextContent("llama-5-70b The daily quota is used up. 9 h left.");
  expect(now).toHaveTextContent("BlockNone");
  expect(now).toHaveTextContent("0 of 3");
});

test("a block leads to the key that lifts it", async () => {
  const { now } = await openResilience("blocked", "openrouter");
  expect(within(now).getByRole("link", { name: "Replace the key." })).toHaveAttribute("href", "#/keys/openrouter");
});

test("holding a breaker by hand says for how long, and can be taken back", async () => {
  const { now, user, host } = await openResilience("busy", "openai");
  const forcing = vi.spyOn(host, "accessForce");
  await user.click(within(now).getByRole("button", { name: /^Block traffic/ }));
  expect(await within(now).findByText(/^Traffic blocked by you/)).toHaveTextContent("15 min left");
  expect(within(now).getByRole("button", { name: /^Block traffic/ })).toHaveAttribute("aria-pressed", "true");
  expect(forcing).toHaveBeenCalledWith({ backend: "openai", credential: "openai", forced: "open", minutes: 15 });
  await user.click(within(now).getByRole("button", { name: "Reset" }));
  await waitFor(() => expect(within(now).queryByText(/^Traffic blocked by you/)).not.toBeInTheDocument());
});

test("holding it closed ends after the time in the settings", async () => {
  const { now, user, host } = await openResilience("busy", "openai");
  const forcing = vi.spyOn(host, "accessForce");
  await user.click(within(now).getByRole("button", { name: "Allow traffic" }));
  expect(await within(now).findByText(/^Traffic allowed by you/)).toHaveTextContent("15 min left");
  expect(forcing).toHaveBeenCalledWith({ backend: "openai", credential: "openai", forced: "closed", minutes: null });
  expect(await screen.findByText(/^Until \d/)).toBeVisible();
});

test("the timeline is walked with the arrow keys and stands as a table with its evidence", async () => {
  const { user } = await openResilience("one-open", "openai");
  const strip = await screen.findByRole("slider", { name: /^States/ });
  strip.focus();
  await user.keyboard("{End}");
  expect(strip).toHaveAttribute("aria-valuetext", expect.stringMatching(/^Tripped for 6 s/));
  await user.keyboard("{ArrowLeft}");
  expect(strip).toHaveAttribute("aria-valuetext", expect.stringMatching(/^Healthy for 1 h/));
  const timeline = screen.getByRole("region", { name: "Timeline" });
  expect(within(timeline).getByText("3 failures in a row")).toBeVisible();
  expect(within(timeline).getAllByRole("link", { name: "req_1a2f01" })[0]).toHaveAttribute(
    "href",
    "#/requests?request=req_1a2f01",
  );
});

test("other numbers are tried on the past without changing anything", async () => {
  const { user, host } = await openResilience("one-open", "openai");
  const trying = vi.spyOn(host, "breakerBacktest");
  await user.type(screen.getByLabelText("Failures in a row"), "5");
  expect(await screen.findByText(/would have tripped 3 times in the last 7 days/)).toBeVisible();
  expect(trying).toHaveBeenLastCalledWith(
    expect.objectContaining({ backend: "openai", consecutive_failures: 5, failure_percent: null }),
  );
});
