import { act, cleanup, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { offlineError } from "@/ipc/api-error";
import type { RequestsQuery } from "@/ipc/bindings";
import { NOW, renderPanel, type Rendered } from "../../../test/render-panel";
import { undo } from "../../../test/undo";

/** The rows of the table without its header. Found by label: a query by role in a long table takes seconds. */
async function rows(): Promise<HTMLElement[]> {
  const table = await screen.findByLabelText("Requests", { selector: "div" }, { timeout: 5_000 });
  return [...table.querySelectorAll<HTMLElement>("tbody tr")];
}

async function count(host: Rendered["host"], query: RequestsQuery): Promise<number> {
  return (await host.requests({ limit: 500, ...query })).requests.length;
}

async function addFilter(user: Rendered["user"], name: string): Promise<void> {
  await user.click(await screen.findByRole("button", { name: "Filter" }));
  await user.click(await screen.findByRole("menuitem", { name }));
}

test("the number of failed requests leads to exactly those", async () => {
  const { host } = renderPanel("failing", "/usage?range=last_week");
  const week = await host.usage({ range: "last_week", group_by: "backend", zone: "local" });
  const link = await screen.findByRole("link", { name: /^\d+ failed$/ });
  const failed = Number.parseInt(link.textContent ?? "", 10);
  expect(failed).toBe(week.totals.failed_requests);
  const path = link.getAttribute("href")?.slice(1) ?? "";
  cleanup();
  renderPanel("failing", path);
  expect(await screen.findByText("State: Failed")).toBeVisible();
  const found = await rows();
  for (const row of found) expect(row).toHaveTextContent("Failed");
  expect(found).toHaveLength(failed);
});

test("a filter by status comes from the core and reaches past the rows on the page", async () => {
  const { host, user } = renderPanel("failing", "/requests?within=24h");
  const expected = await count(host, { http_status: "401", within: "24h" });
  expect(expected).toBeGreaterThan(2);
  const all = (await rows()).length;
  await user.click(screen.getByRole("button", { name: "Filter" }));
  act(() => screen.getByRole("menuitem", { name: "Status" }).focus());
  await user.keyboard("{ArrowRight}");
  const choice = await screen.findByRole("menuitem", { name: "401" });
  act(() => choice.focus());
  await user.keyboard("{Enter}");
  expect(await screen.findByText("Status: 401")).toBeVisible();
  await waitFor(async () => expect(await rows()).toHaveLength(expected));
  await user.click(screen.getByRole("button", { name: "Clear status filter" }));
  await waitFor(async () => expect(await rows()).toHaveLength(all));
});

test("a filter is typed with the keyboard alone, and a wrong one is explained in the core's words", async () => {
  const { host, user } = renderPanel("busy", "/requests?within=24h");
  await rows();
  await addFilter(user, "Slower than…");
  const field = await screen.findByRole("textbox", { name: "Slower than:" });
  await waitFor(() => expect(field).toHaveFocus());
  await user.keyboard("25s{Enter}");
  expect(await screen.findByText("Slower than: 25s")).toBeVisible();
  const expected = await count(host, { slower_than: "25s", within: "24h" });
  await waitFor(async () => expect(await rows()).toHaveLength(expected));
  await user.click(screen.getByRole("button", { name: "Slower than: 25s" }));
  await user.clear(await screen.findByRole("textbox", { name: "Slower than:" }));
  await user.keyboard("soon{Enter}");
  expect(await screen.findByText(/enter a time span, such as/)).toBeVisible();
});

test("filters stand in the address and are taken from it", async () => {
  renderPanel("busy", "/requests?state=cancelled&backend=groq&failure=key-rejected&min_cost=0.10");
  expect(await screen.findByText("State: Cancelled")).toBeVisible();
  expect(await screen.findByText("Backend: Groq")).toBeVisible();
  expect(screen.getByText("Failure: Key rejected")).toBeVisible();
  expect(screen.getByText("Min cost in USD: 0.1")).toBeVisible();
  expect(await screen.findByText("No matching requests")).toBeVisible();
});

test("a part of a model's name filters, and all filters go at once", async () => {
  const { host, user } = renderPanel("busy", "/requests?client=codex&within=7d");
  const both = await count(host, { client: "codex", model: "*mini*", within: "7d" });
  await rows();
  await user.type(screen.getByRole("searchbox", { name: /^Filter requests by model/ }), "mini");
  await waitFor(async () => expect(await rows()).toHaveLength(both));
  await user.click(screen.getByRole("button", { name: "Clear all" }));
  expect(screen.queryByText(/^Client:/)).not.toBeInTheDocument();
  expect(screen.getByRole("searchbox", { name: /^Filter requests by model/ })).toHaveValue("");
});

test("a pause keeps the list and counts what comes meanwhile", async () => {
  const { host, user, cache } = renderPanel("busy", "/requests?within=24h");
  await rows();
  await user.click(screen.getByRole("button", { name: "Pause" }));
  expect(await screen.findByText("Paused, 0 new requests")).toBeVisible();
  const [newest] = (await host.requests({ limit: 1 })).requests;
  if (newest === undefined) throw new Error("the busy world has requests");
  const requests = host.requests;
  host.requests = async (query) => {
    const page = await requests(query);
    const isLater = (query.since ?? 0) >= NOW;
    return isLater ? { ...page, requests: [{ ...newest, id: "req_new", started_at: NOW + 1 }] } : page;
  };
  await cache.invalidateQueries({ queryKey: ["requests"] });
  expect(await screen.findByText("Paused, 1 new request")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Resume" }));
  expect(screen.getByRole("button", { name: "Pause" })).toBeVisible();
});

test("where few match, it says how far back it looked and goes on", async () => {
  const { host, user, cache } = renderPanel("busy", "/requests?min_cost=0.05");
  await rows();
  const requests = host.requests;
  host.requests = async (query) =>
    query.before === "req_cut"
      ? requests({ ...query, before: null })
      : { requests: [], next: "req_cut", looked_back_to: NOW - 7_200_000, no_longer_kept: null };
  await cache.invalidateQueries({ queryKey: ["requests"] });
  expect(await screen.findByText(/No match so far\. Looked back to/)).toHaveTextContent("2 h ago");
  await user.click(screen.getByRole("button", { name: "Look further back" }));
  await waitFor(async () => expect((await rows()).length).toBeGreaterThan(0));
});

test("filters are saved under a name, chosen again, and removed with an undo", async () => {
  const { host, user } = renderPanel("busy", "/requests?client=codex&state=failed");
  await rows();
  await user.click(screen.getByRole("button", { name: "Views" }));
  await user.click(await screen.findByRole("menuitem", { name: "Save these filters…" }));
  const dialog = within(await screen.findByRole("dialog", { name: "Save these filters" }));
  await user.type(dialog.getByRole("textbox", { name: "Name" }), "Codex fails");
  await user.click(dialog.getByRole("button", { name: "Save" }));
  expect(await dialog.findByRole("alert")).toHaveTextContent("use a-z");
  await user.clear(dialog.getByRole("textbox", { name: "Name" }));
  await user.type(dialog.getByRole("textbox", { name: "Name" }), "codex-fails{Enter}");
  const saved = await screen.findByRole("button", { name: "codex-fails" });
  await waitFor(() => expect(document.body).not.toHaveStyle({ pointerEvents: "none" }));
  expect((await host.savedViews()).map((view) => view.name)).toContain("codex-fails");
  await user.click(saved);
  await user.click(await screen.findByRole("menuitem", { name: "slow-and-dear" }));
  expect(await screen.findByText("Slower than: 20s")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "slow-and-dear" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove slow-and-dear" }));
  await waitFor(async () => expect((await host.savedViews()).map((view) => view.name)).toEqual(["codex-fails"]));
  await undo(user);
  await waitFor(async () => expect(await host.savedViews()).toHaveLength(2));
});

function header(name: string): HTMLElement | null {
  return screen.queryByRole("columnheader", { name });
}

test("columns are chosen and kept", async () => {
  const { user } = renderPanel("busy", "/requests?within=24h");
  await rows();
  expect(header("Project")).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Columns" }));
  await user.click(await screen.findByRole("menuitemcheckbox", { name: "Project" }));
  await user.keyboard("{Escape}");
  await waitFor(() => expect(header("Project")).toBeVisible());
  expect(localStorage.getItem("gatehouse.requests.columns")).toContain("project");
  await user.click(screen.getByRole("button", { name: "Columns" }));
  await user.click(await screen.findByRole("menuitem", { name: "Usual columns" }));
  await waitFor(() => expect(header("Project")).not.toBeInTheDocument());
  expect(localStorage.getItem("gatehouse.requests.columns")).toBeNull();
});

test("a request of any age opens by its address: its times, its cause and the next step, its code", async () => {
  const { host } = renderPanel("failing", "/requests");
  const { requests } = await host.requests({ limit: 1, state: "failed", http_status: "401" });
  const [failed] = requests;
  if (failed === undefined) throw new Error("the failing world has failed requests");
  cleanup();
  const { user } = renderPanel("failing", `/requests?client=nobody&request=${failed.id}`);
  const drawer = within(await screen.findByRole("dialog", { name: failed.model_asked }));
  expect(drawer.getByText(/^Replace the key under/)).toBeVisible();
  expect(drawer.getAllByText(/rejected the key: 401/)).toHaveLength(1);
  expect(drawer.queryByText("Status")).not.toBeInTheDocument();
  expect(drawer.getByRole("figure", { name: "Waterfall" })).toBeVisible();
  await user.click(drawer.getByText("Copy as code"));
  expect(await drawer.findByRole("button", { name: "Copy curl" })).toBeVisible();
  expect(drawer.getByText(/gatehouse token/, { selector: "figure:first-of-type code" })).toBeVisible();
  expect(drawer.getByRole("link", { name: "Replay in the playground" })).toHaveAttribute(
    "href",
    `#/playground?model=${encodeURIComponent(failed.model_asked)}`,
  );
});

test("all requests that match are exported, not only those on the screen", async () => {
  const urls = { createObjectURL: vi.fn(() => "blob:requests"), revokeObjectURL: vi.fn() };
  vi.stubGlobal("URL", Object.assign(URL, urls));
  const { host, user } = renderPanel("busy", "/requests?state=failed");
  const exported = vi.spyOn(host, "requestsExport");
  await user.click(await screen.findByRole("button", { name: "Export" }));
  await user.click(screen.getByRole("menuitem", { name: "CSV" }));
  expect(await screen.findByText(/^Downloaded gatehouse-requests-.*\.csv/)).toBeVisible();
  const failed = await count(host, { state: "failed" });
  expect(screen.getByText(new RegExp(`^${failed} requests, `))).toBeVisible();
  expect(exported).toHaveBeenCalledExactlyOnceWith({ query: { state: "failed" }, format: "csv" });
  expect(urls.createObjectURL).toHaveBeenCalledOnce();
});

test("a period that is typed goes to the core as it is, and a span to choose stays a choice", async () => {
  const { host, user } = renderPanel("busy", "/requests?within=24h");
  expect(await screen.findByText("Last: 24 hours")).toBeVisible();
  const asked = vi.spyOn(host, "requests");
  await rows();
  await addFilter(user, "Period…");
  await waitFor(() => expect(screen.getByRole("textbox", { name: "Period:" })).toHaveFocus());
  await user.keyboard("2026-11-01..2026-11-07{Enter}");
  expect(await screen.findByText("Period: 2026-11-01..2026-11-07")).toBeVisible();
  expect(screen.queryByText("Last: 24 hours")).not.toBeInTheDocument();
  expect(asked).toHaveBeenCalledWith(expect.objectContaining({ within: "2026-11-01..2026-11-07" }));
});

test("a period before the kept requests says that they are gone, and a later one does not", async () => {
  const day = 86_400_000;
  const since = NOW - 90 * day;
  const { host } = renderPanel("busy", `/requests?since=${since}&until=${since + day}`);
  const { values } = await host.settings();
  const gone = `Requests older than ${values.retention_days} days are no longer kept; sums stay.`;
  expect(await screen.findByText(gone)).toBeVisible();
  cleanup();
  // A period that is typed begins before them too.
  const typed = new Date(since).toISOString().slice(0, 10);
  renderPanel("busy", `/requests?within=${typed}..${typed}`);
  expect(await screen.findByText(gone)).toBeVisible();
  cleanup();
  renderPanel("busy", `/requests?since=${NOW - day}`);
  await rows();
  expect(screen.queryByText(gone)).not.toBeInTheDocument();
});

test("a line of words turns into the chips with Enter, and an error says where it is and keeps the text", async () => {
  const { host, user } = renderPanel("busy", "/requests?client=codex");
  const box = await screen.findByRole("searchbox", { name: /^Filter requests by model/ });
  await user.type(box, "sttus:5xx{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("at character 1: there is no filter named sttus");
  expect(box).toHaveValue("sttus:5xx");
  expect(box).toBeInvalid();
  await user.clear(box);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  const asked = vi.spyOn(host, "requests");
  await user.type(box, "status:5xx cost>0.10 mini{Enter}");
  expect(await screen.findByRole("button", { name: "Status: 5xx" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Min cost in USD: 0.10" })).toBeVisible();
  expect(screen.getByRole("button", { name: "Client: codex" })).toBeVisible();
  expect(box).toHaveValue("mini");
  const wanted = { client: "codex", http_status: "5xx", min_cost: "0.10", model: "*mini*" };
  expect(asked).toHaveBeenLastCalledWith(expect.objectContaining(wanted));
});

test("an error of the box ends with one full stop, also where it is not about the text", async () => {
  const { host, user } = renderPanel("busy", "/requests");
  const box = await screen.findByRole("searchbox", { name: /^Filter requests by model/ });
  await user.type(box, "sttus:5xx{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent(/named sttus\. The filters are [^.]+\.$/);
  vi.spyOn(host, "requestQuery").mockRejectedValue(offlineError());
  await user.type(box, "{Enter}");
  expect(await screen.findByText(/^Gatehouse is not responding\./)).toHaveTextContent(/responding\. Start it/);
});

test("the words of the box are listed, and one is filled in with its example", async () => {
  const { user } = renderPanel("busy", "/requests");
  await user.click(await screen.findByRole("button", { name: "Words for filters" }));
  await user.click(await screen.findByRole("menuitem", { name: /^took>5s/ }));
  const box = screen.getByRole("searchbox", { name: /^Filter requests by model/ });
  expect(box).toHaveValue("took>5s");
  await waitFor(() => expect(box).toHaveFocus());
  await user.keyboard("{Enter}");
  expect(await screen.findByRole("button", { name: "Slower than: 5s" })).toBeVisible();
});
