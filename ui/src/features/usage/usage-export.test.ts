import { expect, test } from "vitest";
import { usageCsv } from "@/features/usage/usage-export";
import { makeHost } from "../../../test/render-panel";

test("the export has a line for each bar and group, and a hostile name stays text", async () => {
  const { host } = makeHost("busy");
  const usage = await host.usage({ range: "last_week", group_by: "backend", zone: "utc" });
  const first = usage.groups[0]!;
  const csv = usageCsv(
    { ...usage, groups: [{ ...first, label: "=cmd|'/c calc'!A1" }, ...usage.groups.slice(1)] },
    "backend",
  );
  const lines = csv.trimEnd().split("\r\n");
  expect(lines).toHaveLength(1 + usage.buckets.length * usage.groups.length);
  expect(lines[0]).toBe("start_utc,backend,cost_nano_usd,requests,tokens");
  expect(lines[1]).toContain(",'=cmd|");
});
