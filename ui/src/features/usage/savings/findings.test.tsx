import { defaultParseSearch } from "@tanstack/react-router";
import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { EfficiencyCards } from "@/features/usage/savings/efficiency-cards";
import { AdviceCard } from "@/features/usage/savings/advice-card";
import { AnomaliesLine } from "@/features/usage/costs/anomalies-line";
import { AnomaliesScreen } from "@/features/usage/anomalies/anomalies-screen";
import type { UsagePlace } from "@/features/usage/usage-place";
import type { UsageAdviceCardView, UsageAnomalyView } from "@/ipc/bindings";
import { formatMoney } from "@/lib/money";
import { parseRequestFilter } from "@/lib/request-filter";
import { renderWith } from "../../../../test/render-panel";
import { undo } from "../../../../test/undo";

const PLACE: UsagePlace = { range: "last_month", group: "backend", zone: "local", measure: "cost" };
const PERIOD = { range: "last_month", zone: "local" } as const;

const ANOMALY: UsageAnomalyView = {
  id: "cost@1970-01-01T00:16:40.000Z",
  rule: "cost",
  start: 1_000_000,
  end: 4_600_000,
  finding: "$4.20 between 14:00 and 15:00, usually $0.30",
  actual: 4_200_000_000,
  expected: 300_000_000,
  unit: "nano_usd",
  robust_z: 9,
  subject: { dimension: "client", key: "codex", label: "codex" },
  split: { volume_nano_usd: 2_900_000_000, mix_nano_usd: -100_000_000, price_nano_usd: 1_100_000_000 },
  contributors: [{ dimension: "model", key: "gpt-5.2", label: "gpt-5.2", excess_nano_usd: 2_100_000_000 }],
};

test("what is unusual is one line on Costs, which leads to all of it", async () => {
  const { host, cache } = renderWith("busy", <AnomaliesLine place={PLACE} />);
  const known = await host.usageAnomalies({ zone: "local", days: 7 });
  expect(await screen.findByRole("link")).toHaveAttribute("href", "#/anomalies");
  expect(screen.getByRole("link")).toHaveTextContent(`${known.finding}${known.anomalies[0]?.finding}`);
  vi.spyOn(host, "usageAnomalies").mockResolvedValue({ ...known, learning: true, finding: "Calm", anomalies: [] });
  await cache.invalidateQueries({ queryKey: ["usage_anomalies"] });
  expect(await screen.findByText("Calm")).toBeVisible();
  expect(screen.getByRole("link")).toHaveTextContent(/still learning what is usual$/);
});

test("each unusual thing has its explanation and its requests", async () => {
  const moved = vi.fn();
  const { host, user, cache } = renderWith(
    "busy",
    <AnomaliesScreen place={{ zone: "local", look_back: "7" }} onMove={moved} />,
  );
  const known = await host.usageAnomalies({ zone: "local", days: 7 });
  await screen.findByText(`${known.finding}.`);
  const view = {
    ...known,
    learning: true,
    finding: "1 unusual thing",
    unavailable_rules: ["Loops are not looked for."],
  };
  const asked = vi.spyOn(host, "usageAnomalies").mockResolvedValue({ ...view, anomalies: [ANOMALY] });
  await cache.invalidateQueries({ queryKey: ["usage_anomalies"] });
  expect(await screen.findByText("1 unusual thing, still learning what is usual.")).toBeVisible();
  const list = screen.getByRole("list", { name: "Unusual spending" });
  expect(list).toHaveTextContent("$2.90 from more tokens, $1.10 from dearer tokens");
  expect(within(list).getByRole("link", { name: ANOMALY.finding })).toHaveAttribute(
    "href",
    "#/requests?client=codex&since=1000000&until=4600000",
  );
  expect(within(list).getByRole("link", { name: "gpt-5.2 +$2.10" })).toHaveAttribute(
    "href",
    "#/requests?model=gpt-5.2&since=1000000&until=4600000",
  );
  expect(screen.getByText("Loops are not looked for.")).toBeVisible();

  asked.mockResolvedValue({ ...view, learning: false, finding: "Nothing unusual", anomalies: [] });
  await cache.invalidateQueries({ queryKey: ["usage_anomalies"] });
  expect(await screen.findByText("Nothing unusual")).toBeVisible();
  expect(screen.queryByRole("list", { name: "Unusual spending" })).not.toBeInTheDocument();
  expect(screen.getByText("Loops are not looked for.")).toBeVisible();
  await user.click(screen.getByRole("radio", { name: "28 days" }));
  expect(moved).toHaveBeenCalledWith({ zone: "local", look_back: "28" });
});

const ADVICE: UsageAdviceCardView = {
  rule: "unused_key",
  title: "The key spare was not used",
  subject: { dimension: "credential", key: "spare", label: "spare" },
  saving_nano_usd_per_month: null,
  evidence: [{ label: "Requests", value: "0", filter: { credential: "spare" } }],
  next_step: "Remove it.",
  back_test: { estimated_nano_usd: 2_800_000_000, saved_nano_usd: 3_100_000_000 },
};

test("a suggestion has its estimate, its evidence, its back-test and its next step", async () => {
  const { host, cache } = renderWith("busy", <AdviceCard place={PLACE} />);
  const known = await host.usageAdvice({ zone: "local" });
  await screen.findByText(known.finding);
  const cheaper = {
    ...ADVICE,
    rule: "cheaper_model",
    title: "Try another",
    saving_nano_usd_per_month: 3_000_000_000,
  } as const;
  const view = { ...known, from: 10, to: 20, advice: [cheaper, ADVICE] };
  const asked = vi.spyOn(host, "usageAdvice").mockResolvedValue(view);
  await cache.invalidateQueries({ queryKey: ["usage_advice"] });
  await screen.findByText("Try another");
  const [first, second] = screen.getAllByRole("heading", { level: 3 });
  expect(first?.closest("li")).toHaveTextContent(/\$3\.00less a month$/);
  const unused = within(second?.closest("li") as HTMLElement);
  expect(unused.getByText("saving not known")).toBeVisible();
  expect(unused.getByRole("link", { name: "0" })).toHaveAttribute("href", "#/requests?key=spare&since=10&until=20");
  expect(unused.getByRole("link", { name: "Open the key" })).toHaveAttribute("href", "#/keys/spare");
  expect(unused.getByText("A month ago: estimated $2.80, would have saved $3.10")).toBeVisible();
  asked.mockResolvedValue({ ...view, finding: "Nothing to suggest", advice: [] });
  await cache.invalidateQueries({ queryKey: ["usage_advice"] });
  expect(await screen.findByText("Nothing to suggest")).toBeVisible();
});

test("savings stand by route, model or client, and waste by kind, each with its requests", async () => {
  const { host, user } = renderWith("busy", <EfficiencyCards place={PLACE} />);
  const { cache_savings_by_client, without_cache_nano_usd, waste } = await host.usageEfficiency(PERIOD);
  const both = await screen.findByRole("list", { name: "Cost with and without the cache" });
  expect(both).toHaveTextContent(`${formatMoney(without_cache_nano_usd)} + `);
  await user.click(screen.getByRole("radio", { name: "Client" }));
  const [most] = cache_savings_by_client;
  const savings = within(screen.getByRole("list", { name: "Savings by client" }));
  expect(savings.getByRole("link", { name: most?.label ?? "" })).toHaveAttribute(
    "href",
    expect.stringContaining(`client=${most?.key}&cache=hit&since=`),
  );
  const wasted = within(screen.getByRole("list", { name: "Waste" }));
  const kinds = waste.filter(({ requests }) => requests > 0);
  expect(kinds.map(({ kind }) => kind)).toEqual(["failed", "retries", "checks"]);
  expect(wasted.getAllByRole("listitem")).toHaveLength(kinds.length);
  for (const { label, requests } of kinds) {
    const row = wasted.getByRole("link", { name: label });
    const [, search] = (row.getAttribute("href") ?? "").split("?");
    const filter = parseRequestFilter(defaultParseSearch(`?${search}`));
    const found = await host.requests({ ...filter, limit: 500 });
    expect(found.requests.length, label).toBe(requests);
    expect(row.closest("li") ?? row).toHaveTextContent(`${requests} requests`);
  }
});

test("what is fine goes and can be shown again", async () => {
  const { host, user } = renderWith(
    "busy",
    <AnomaliesScreen place={{ zone: "local", look_back: "7" }} onMove={() => {}} />,
  );
  const [first] = (await host.usageAnomalies({ zone: "local", days: 7 })).anomalies;
  const finding = first?.finding ?? "nothing";
  await user.click(await screen.findByRole("button", { name: `It's fine: ${finding}` }));
  await user.click(await screen.findByText("1 that you said are fine"));
  const fine = within(screen.getByRole("list", { name: "Fine" }));
  expect(fine.getByRole("link", { name: finding })).toBeVisible();
  await user.click(fine.getByRole("button", { name: `Show again: ${finding}` }));
  expect(await screen.findByRole("button", { name: `It's fine: ${finding}` })).toBeVisible();
  expect(screen.queryByText(/that you said are fine/)).not.toBeInTheDocument();
  // The toast takes it back too.
  await user.click(screen.getByRole("button", { name: `It's fine: ${finding}` }));
  await undo(user);
  expect(await screen.findByRole("button", { name: `It's fine: ${finding}` })).toBeVisible();
});
