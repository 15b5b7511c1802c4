import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { COLUMNS } from "@/features/requests/columns";
import { RequestDetail, RequestDrawer } from "@/features/requests/request-drawer";
import { RequestsTable } from "@/features/requests/requests-table";
import type { RequestView, UsageBasis } from "@/ipc/bindings";
import { makeHost, renderWith } from "../../../test/render-panel";

const HINT = "estimated: the backend reported no usage";

/** The newest priced request of the busy scenario with this usage basis. */
async function newest(basis: UsageBasis): Promise<RequestView> {
  const page = await makeHost("busy").host.requests({ limit: 500 });
  const found = page.requests.find((request) => request.usage_basis === basis && request.cost_nano_usd !== null);
  if (found === undefined) throw new Error(`the busy world has no request with ${basis} usage`);
  return found;
}

/** The row of `request` with its drawer closed: the first of those that began before the next one. */
async function rowOf(request: RequestView): Promise<HTMLElement> {
  renderWith(
    "busy",
    <RequestsTable
      query={{ since: request.started_at }}
      isFiltered
      chosen={{ columns: COLUMNS.filter(({ id }) => id !== "cached"), minWidth: undefined, choose: () => {} }}
      onOpen={() => {}}
    />,
  );
  const requests = await screen.findByRole("region", { name: "Requests" });
  const rows = await within(requests).findAllByRole("row");
  return rows.at(-1) as HTMLElement;
}

/** The detail of a request that no backend was asked for. */
function renderDetail(request: RequestView): HTMLElement {
  const failure = { class: null, cause: request.error ?? "", next_step: "Wait." };
  const cache = { outcome: "bypass", reason: "", saved_nano_usd: null, saved_ms: null } as const;
  const path = { request, route: null, queued_ms: null, attempts: [], passed_over: [], cache, failure };
  renderWith("busy", <RequestDetail path={path} />);
  return document.body;
}

test("estimated tokens and their cost are marked in the table", async () => {
  const row = await rowOf(await newest("estimated"));
  const marked = within(row).getAllByTitle(HINT);
  expect(marked).toHaveLength(3);
  for (const figure of marked) expect(figure).toHaveTextContent(/^~[$<\d]/);
});

test("reported tokens and their cost are not", async () => {
  const row = await rowOf(await newest("reported"));
  expect(within(row).queryByTitle(HINT)).not.toBeInTheDocument();
  expect(row).not.toHaveTextContent("~");
});

test("the drawer says that an estimate is one, and there is nothing reported to show", async () => {
  const request = await newest("estimated");
  renderWith("busy", <RequestDrawer id={request.id} onClose={() => {}} />);
  const drawer = within(await screen.findByRole("dialog", { name: request.model_asked }));
  expect(drawer.getByText(HINT)).toBeVisible();
  expect(drawer.getByText("estimated from text length")).toBeVisible();
  expect(drawer.getAllByTitle(HINT).length).toBeGreaterThanOrEqual(3);
  expect(drawer.queryByText("As reported")).not.toBeInTheDocument();
});

test("the drawer shows what the backend reported, word by word", async () => {
  const request = await newest("adjusted");
  renderWith("busy", <RequestDrawer id={request.id} onClose={() => {}} />);
  const drawer = within(await screen.findByRole("dialog", { name: request.model_asked }));
  expect(drawer.getByText(/adjusted where its numbers/)).toBeVisible();
  expect(drawer.getByText(request.usage_raw ?? "missing")).toBeVisible();
});

test("a request that was refused before it reached its backend names it, says why, and cost nothing", async () => {
  const refused: RequestView = {
    ...(await newest("reported")),
    state: "failed",
    attempts: 0,
    backend: "groq",
    error: "The backend groq is failing, so it is not asked at the moment.",
    explanation: "The request pins the backend groq, even though it is not ready: its breaker is tripped.",
    http_status: 503,
    first_token_ms: null,
    input_tokens: null,
    cache_read_tokens: null,
    output_tokens: null,
    usage_basis: null,
    usage_raw: null,
    cost_nano_usd: 0,
    cost_basis: "not_billed",
  };
  const drawer = within(renderDetail(refused));
  const fact = (name: string) => drawer.getByText(name, { selector: "dt" }).nextElementSibling;
  expect(drawer.getByText(refused.error ?? "")).toBeVisible();
  expect(fact("Backend")).toHaveTextContent("groq (not contacted)");
  expect(fact("Routing reason")).toHaveTextContent(refused.explanation ?? "");
  expect(fact("Status")).toHaveTextContent("503");
  expect(fact("Cost")).toHaveTextContent("not billed");
  // Without an answer there is nothing to report, and no source of a cost.
  for (const name of ["Model billed", "Finish reason", "Tokens out", "Cost source"])
    expect(drawer.queryByText(name)).not.toBeInTheDocument();
});

test("a request that failed at its backend was in contact with it", async () => {
  const failed: RequestView = { ...(await newest("reported")), state: "failed", attempts: 1, backend: "groq" };
  expect(within(renderDetail(failed)).queryByText(/not contacted/)).not.toBeInTheDocument();
});
