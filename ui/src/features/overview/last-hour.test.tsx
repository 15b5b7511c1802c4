import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import type { UsageRecentView } from "@/ipc/bindings";
import { LastHour } from "@/features/overview/last-hour";
import { renderPanel, renderWith } from "../../../test/render-panel";

function hour(fields: Partial<UsageRecentView>): UsageRecentView {
  return {
    from: 1_795_248_000_000,
    to: 1_795_251_600_000,
    finding: "40 requests, 3 failed, most often: rate-limited",
    requests: 40,
    failed: 3,
    complete_percent: 92.5,
    failures: [
      { class: "rate-limited", requests: 2 },
      { class: "connect", requests: 1 },
    ],
    cache_eligible: 20,
    cache_percent: 35,
    requests_per_minute: 2.44,
    tokens_per_minute: 12_480,
    minutes: [{ start: 1_795_248_000_000, requests: 40, failed: 3 }],
    ...fields,
  };
}

async function shown(fields: Partial<UsageRecentView>) {
  const { host, cache } = renderWith("busy", <LastHour />);
  await screen.findByRole("img");
  vi.spyOn(host, "usageRecent").mockResolvedValue(hour(fields));
  await cache.invalidateQueries({ queryKey: ["usage_recent"] });
  return within(await screen.findByRole("region", { name: "Last hour" }));
}

test("the last hour shows its rates and leads to what failed", async () => {
  const card = await shown({});
  expect(await card.findByText("2.4")).toBeVisible();
  expect(card.getByText("12.5K")).toBeVisible();
  expect(card.getByText("92.5 %")).toBeVisible();
  expect(card.getByText("35 %")).toBeVisible();
  const failed = card.getByRole("link", { name: "3 failed" });
  expect(failed).toHaveAttribute("href", "#/requests?since=1795248000000&failure=rate-limited");
  expect(card.getByRole("img")).toHaveAccessibleName("By minute: 40 requests, 3 failed, most often: rate-limited");
});

test("shares of no requests are dashes", async () => {
  const none = { requests: 0, failed: 0, failures: [], complete_percent: null, cache_eligible: 0, cache_percent: null };
  const card = await shown({ ...none, requests_per_minute: 0, tokens_per_minute: 0 });
  expect(await card.findAllByText("–")).toHaveLength(2);
  expect(card.getAllByText("0")).toHaveLength(2);
  expect(card.queryByRole("link", { name: /failed/ })).toBeNull();
});

test("the overview shows it once something can go through the gateway", async () => {
  renderPanel("busy", "/");
  expect(await screen.findByRole("region", { name: "Last hour" })).toBeVisible();
});
