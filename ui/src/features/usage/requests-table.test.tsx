import { screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { RequestDrawer } from "@/features/usage/request-drawer";
import { RequestsTable } from "@/features/usage/requests-table";
import type { RequestView, UsageBasisView } from "@/ipc/bindings";
import { makeHost, renderWith } from "../../../test/render-panel";

const HINT = "estimated: the backend reported no usage";

/** The newest priced request of the busy scenario with this usage basis. */
async function newest(basis: UsageBasisView): Promise<RequestView> {
  const page = await makeHost("busy").host.requests({ before: null, limit: 500, backend: null, client: null });
  const found = page.requests.find((request) => request.usage_basis === basis && request.cost !== null);
  if (found === undefined) throw new Error(`the busy world has no request with ${basis} usage`);
  return found;
}

/** The row of `request` with its drawer closed: the first of those that began before the next one. */
async function rowOf(request: RequestView): Promise<HTMLElement> {
  renderWith(
    "busy",
    <RequestsTable
      since={request.started_at}
      filter={{}}
      zone="local"
      onFilter={() => {}}
      openId={null}
      onOpen={() => {}}
      onClose={() => {}}
    />,
  );
  const requests = await screen.findByRole("region", { name: "Requests" });
  const rows = await within(requests).findAllByRole("row");
  return rows.at(-1) as HTMLElement;
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
  renderWith("busy", <RequestDrawer request={request} onClose={() => {}} />);
  const drawer = within(await screen.findByRole("dialog", { name: request.model_asked }));
  expect(drawer.getByText(HINT)).toBeVisible();
  expect(drawer.getByText("estimated from text length")).toBeVisible();
  expect(drawer.getAllByTitle(HINT).length).toBeGreaterThanOrEqual(3);
  expect(drawer.queryByText("As reported")).not.toBeInTheDocument();
});

test("the drawer shows what the backend reported, word by word", async () => {
  const request = await newest("adjusted");
  renderWith("busy", <RequestDrawer request={request} onClose={() => {}} />);
  const drawer = within(await screen.findByRole("dialog", { name: request.model_asked }));
  expect(drawer.getByText(/adjusted where its numbers/)).toBeVisible();
  expect(drawer.getByText(request.usage_raw ?? "missing")).toBeVisible();
});
