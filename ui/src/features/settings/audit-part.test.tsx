import { screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { AuditPart } from "@/features/settings/audit-part";
import { choose } from "../../../test/choose";
import { renderWith } from "../../../test/render-panel";

const rows = () => screen.getByRole("table").getAttribute("aria-rowcount");

test("changes are listed by page with their caller, and found by it", async () => {
  const { user } = renderWith("busy", <AuditPart />);
  const table = await screen.findByRole("region", { name: "Changes" });
  expect(within(table).getAllByText("Agent: Claude Code 2.1.0").length).toBeGreaterThan(1);
  expect(rows()).toBe("51");
  await user.click(screen.getByRole("button", { name: "Show older" }));
  await waitFor(() => expect(rows()).toBe("65"));
  expect(screen.queryByRole("button", { name: "Show older" })).not.toBeInTheDocument();
  await choose(user, screen.getByLabelText("Changes by"), "Command line");
  await waitFor(() => expect(rows()).toBe("17"));
  expect(screen.queryByText(/Claude Code/)).not.toBeInTheDocument();
});

test("nothing changed yet", async () => {
  renderWith("fresh", <AuditPart />);
  expect(await screen.findByText("No changes recorded")).toBeVisible();
});

test("without a core it says so", async () => {
  renderWith("offline", <AuditPart />);
  expect(await screen.findByRole("alert", { name: "Not connected" })).toBeVisible();
});
