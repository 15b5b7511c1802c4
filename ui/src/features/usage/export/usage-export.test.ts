import { expect, test } from "vitest";
import { usageCsv } from "@/features/usage/export/usage-export";
import { makeHost } from "../../../../test/render-panel";

test("the export has a line for each bar and group, and a hostile name stays text", async () => {
  const { host } = makeHost("busy");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "utc" });
  const first = usage.series[0]!;
  const csv = usageCsv(
    { ...usage, series: [{ ...first, label: "=cmd|'/c calc'!A1" }, ...usage.series.slice(1)] },
    "backend",
  );
  const lines = csv.trimEnd().split("\r\n");
  expect(lines).toHaveLength(1 + usage.buckets.length * usage.series.length);
  expect(lines[0]).toBe("start_utc,backend,cost_nano_usd,requests,tokens,unpriced_requests");
  expect(lines[1]).toContain(",'=cmd|");
});

test("with twelve groups the export names eight and the rest, and adds up to the totals", async () => {
  const { host } = makeHost("busy");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "utc" });
  const series = ["a", "b", "c", "d", "e", "f", "g", "h", "other"].map((key) => ({
    kind: key === "other" ? ("rest" as const) : ("named" as const),
    key,
    label: key,
  }));
  const groups = Array.from({ length: 12 }, (_, place) => ({ ...usage.groups[0]!, key: `m${place}` }));
  const known = { is_cost_unknown: false, unpriced_requests: 0 };
  const segments = series.map(() => ({ ...known, cost_nano_usd: 3, requests: 2, tokens: 1 }));
  const total = { ...known, cost_nano_usd: 27, requests: 18, tokens: 9 };
  const buckets = [{ start: 0, label: "1 Jan", segments, total }];
  const lines = usageCsv({ ...usage, series, groups, buckets }, "model")
    .trimEnd()
    .split("\r\n")
    .slice(1);
  expect(lines.map((line) => line.split(",")[1])).toEqual(series.map(({ label }) => label));
  const sum = (column: number) => lines.reduce((all, line) => all + Number(line.split(",")[column]), 0);
  expect([sum(2), sum(3), sum(4)]).toEqual([27, 18, 9]);
});

test("the export has an empty cell and a count for a cost that is not known", async () => {
  const { host } = makeHost("busy");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "utc" });
  const unknown = { cost_nano_usd: 0, is_cost_unknown: true, requests: 2, unpriced_requests: 2, tokens: 7 };
  const series = usage.series.slice(0, 1);
  const lines = usageCsv(
    { ...usage, series, buckets: [{ start: 0, label: "1 Jan", segments: [unknown], total: unknown }] },
    "backend",
  ).split("\r\n");
  expect(lines[1]).toBe(`1970-01-01T00:00:00.000Z,${series[0]?.label},,2,7,2`);
});
