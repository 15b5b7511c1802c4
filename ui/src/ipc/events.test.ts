import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test, vi } from "vitest";
import * as toast from "@/components/overlay/toast";
import { applyEvent } from "@/ipc/events";
import type { QueryName } from "@/ipc/query-key";
import { EVERY_TAG } from "@/ipc/tags";
import { OPERATION_READS } from "@/lib/tables";
import type { LogImportView, ReadinessView, ReadinessRunView, ChangeTag } from "@/ipc/bindings";

const READS = Object.entries(OPERATION_READS) as [QueryName, readonly ChangeTag[]][];
const QUERY_NAMES = READS.map(([name]) => name);

function filledCache(): QueryClient {
  const cache = new QueryClient();
  for (const name of QUERY_NAMES) cache.setQueryData([name, { some: "filter" }], name);
  return cache;
}

function staleNames(cache: QueryClient): QueryName[] {
  return QUERY_NAMES.filter((name) => cache.getQueryState([name, { some: "filter" }])?.isInvalidated === true);
}

test.each(EVERY_TAG)("the tag %s makes exactly its readings stale", (tag) => {
  const cache = filledCache();
  applyEvent({ kind: "changed", tags: [tag] }, cache, () => {});
  expect(staleNames(cache)).toEqual(READS.filter(([, tags]) => tags.includes(tag)).map(([name]) => name));
});

test("any number of events during a reading lead to one more reading", async () => {
  const cache = new QueryClient();
  const answers: (() => void)[] = [];
  const read = vi.fn<() => Promise<string>>(() => new Promise((resolve) => answers.push(() => resolve("read"))));
  const stop = new QueryObserver(cache, { queryKey: ["status"], queryFn: read, initialData: "old" }).subscribe(
    () => {},
  );
  const answer = async () => {
    answers.shift()?.();
    await vi.waitFor(() => expect(cache.isFetching()).toBe(answers.length));
  };
  await answer();
  read.mockClear();
  for (let events = 0; events < 10; events += 1) applyEvent({ kind: "changed", tags: ["status"] }, cache, () => {});
  expect(read).toHaveBeenCalledTimes(1);
  await answer();
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  await answer();
  expect(read).toHaveBeenCalledTimes(2);
  stop();
});

test("an alert is shown by the window that has the focus", () => {
  const shown = vi.spyOn(toast, "notify");
  applyEvent(
    {
      kind: "alert_shown",
      title: "Groq is down",
      body: "Connection refused.",
      path: "/backends/groq",
      is_critical: true,
    },
    new QueryClient(),
    () => {},
  );
  expect(shown).toHaveBeenCalledWith({
    title: "Groq is down",
    detail: "Connection refused.",
    tone: "bad",
    link: { label: "Open", path: "/backends/groq" },
  });
});

/** A query of the status that has been asked for and not answered. */
function asking() {
  const cache = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, retry: false } } });
  const answers: ((answer: string) => void)[] = [];
  const read = vi.fn<() => Promise<string>>(() => new Promise((resolve) => answers.push(resolve)));
  const answer = async (text: string) => {
    answers.shift()?.(text);
    await vi.waitFor(() => expect(cache.getQueryData(["status"])).toBe(text));
  };
  return { cache, read, answer, query: { queryKey: ["status"], queryFn: read } };
}

test("a change during the first reading leads to one more: its answer may be older than the change", async () => {
  const { cache, read, answer, query } = asking();
  const stop = new QueryObserver(cache, query).subscribe(() => {});
  applyEvent({ kind: "changed", tags: ["status"] }, cache, () => {});
  expect(read).toHaveBeenCalledTimes(1);
  await answer("before the change");
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2));
  await answer("after the change");
  expect(read).toHaveBeenCalledTimes(2);
  expect(cache.getQueryState(["status"])?.isInvalidated).toBe(false);
  stop();
});

test("a change while nobody looks yet marks what was read ahead", async () => {
  const { cache, read, answer, query } = asking();
  void cache.prefetchQuery(query);
  applyEvent({ kind: "changed", tags: ["status"] }, cache, () => {});
  await answer("before the change");
  await vi.waitFor(() => expect(cache.getQueryState(["status"])?.isInvalidated).toBe(true));
  expect(read).toHaveBeenCalledTimes(1);
});

test("presets go stale by no tag: they are part of the program", () => {
  expect(OPERATION_READS.presets).toEqual([]);
});

test("progress replaces the run and keeps the history; the end makes readiness and status stale", () => {
  const cache = new QueryClient();
  const history = [{ id: "run-1" }] as ReadinessView["history"];
  cache.setQueryData<ReadinessView>(["readiness"], { run: null, history });
  cache.setQueryData(["status"], {});
  const run = { id: "run-2", state: "running" } as ReadinessRunView;
  applyEvent({ kind: "run_progress", run }, cache, () => {});
  expect(cache.getQueryData(["readiness"])).toEqual({ run, history });
  expect(cache.getQueryState(["status"])?.isInvalidated).toBe(false);
  applyEvent({ kind: "run_progress", run: { ...run, state: "finished" } }, cache, () => {});
  expect(cache.getQueryState(["status"])?.isInvalidated).toBe(true);
});

test("progress of an import is shown with every grouping of session logs", () => {
  const cache = new QueryClient();
  for (const group_by of ["tool", "day"]) cache.setQueryData(["session_logs", { group_by }], { finding: group_by });
  const progress = { state: "running", sentence: "Reading" } as LogImportView;
  applyEvent({ kind: "log_import", import: progress }, cache, () => {});
  expect(cache.getQueryData(["session_logs", { group_by: "day" }])).toEqual({ finding: "day", import: progress });
  expect(cache.getQueryData(["session_logs", { group_by: "tool" }])).toEqual({ finding: "tool", import: progress });
});

test("progress of a cost report is kept until its fetch ends", () => {
  const cache = new QueryClient();
  const progress = {
    provider: "openai",
    days_read: 7,
    days: 30,
    sentence: "OpenAI: day 7 of 30",
    is_running: true,
  } as const;
  applyEvent({ kind: "billing_progress", progress }, cache, () => {});
  expect(cache.getQueryData(["billing_progress"])).toEqual(progress);
  applyEvent({ kind: "billing_progress", progress: { ...progress, is_running: false } }, cache, () => {});
  expect(cache.getQueryData(["billing_progress"])).toBeNull();
});

test("progress of a backup is kept until it ends", () => {
  const cache = new QueryClient();
  const progress = { task: "restore", percent: 40, is_running: true } as const;
  applyEvent({ kind: "backup_progress", progress }, cache, () => {});
  expect(cache.getQueryData(["backup_progress"])).toEqual(progress);
  applyEvent({ kind: "backup_progress", progress: { ...progress, is_running: false } }, cache, () => {});
  expect(cache.getQueryData(["backup_progress"])).toBeNull();
});

test("a click in a notification moves the panel", () => {
  const navigate = vi.fn<(path: string) => void>();
  applyEvent({ kind: "navigate", path: "/backends/openai" }, new QueryClient(), navigate);
  expect(navigate).toHaveBeenCalledExactlyOnceWith("/backends/openai");
});
