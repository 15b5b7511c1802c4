import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { SessionLogs } from "@/features/usage/session-logs/session-logs";
import { renderWith } from "../../../../test/render-panel";

test("without an import the section says what it would bring and where it looks", async () => {
  renderWith("fresh", <SessionLogs zone="utc" />);
  expect(await screen.findByText(/never a prompt or an answer/)).toBeVisible();
  expect(screen.getByText("/home/dev/.codex/sessions")).toBeVisible();
  expect(screen.queryByRole("region", { name: "Usage from session logs" })).not.toBeInTheDocument();
});

test("totals stand apart, unpriced ones are marked, and problems are listed by file and line", async () => {
  renderWith("busy", <SessionLogs zone="utc" />);
  const table = await screen.findByRole("region", { name: "Usage from session logs" });
  const rows = within(table).getAllByRole("row");
  expect(rows[1]).toHaveTextContent(/Claude Code.*\$214\.73.*8,412/);
  expect(rows[4]).toHaveTextContent(/OpenCode.*npriced/);
  expect(screen.getByText(/part of no other total/)).toBeVisible();

  await userEvent.click(screen.getByText(/3 problems in the logs/));
  const problems = screen.getByRole("region", { name: "Problems in session logs" });
  expect(within(problems).getByText("is negative (-5)")).toBeVisible();
  expect(within(problems).getByText("1,204")).toBeVisible();
});

test("imports begin by themselves once the switch beside the import is on", async () => {
  const { host } = renderWith("busy", <SessionLogs zone="utc" />);
  const keep = await screen.findByRole("switch", { name: "Keep session logs up to date" });
  await waitFor(() => expect(keep).toBeEnabled());
  expect(keep).not.toBeChecked();
  expect(keep).toHaveAccessibleDescription(/every ten minutes/);
  await userEvent.click(keep);
  await waitFor(() => expect(keep).toBeChecked());
  expect((await host.settings()).values.import_session_logs).toBe(true);
});

test("the totals can be grouped by model", async () => {
  renderWith("busy", <SessionLogs zone="utc" />);
  await userEvent.click(await screen.findByRole("radio", { name: "Model" }));
  expect(await screen.findByText("claude-opus-4-5")).toBeVisible();
});

test("an import shows its progress and its end, and the button cancels it meanwhile", async () => {
  const { host, elapse } = renderWith("busy", <SessionLogs zone="utc" />);
  await userEvent.click(await screen.findByRole("button", { name: "Import session logs" }));
  const button = await screen.findByRole("button", { name: "Cancel import" });
  const running = await host.sessionLogs({ from: null, group_by: "tool", zone: "utc" });
  if (running.import === null) throw new Error("no import is running");
  const half = { ...running.import, files: 1_284, done_files: 642, sentence: "Reading: 642 of 1284 files" };
  act(() => host.announce({ kind: "log_import", import: half }));
  await waitFor(() => expect(screen.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "642"));

  await userEvent.click(button);
  expect(await screen.findByText(/The next import resumes there/)).toBeVisible();
  await userEvent.click(await screen.findByRole("button", { name: "Import session logs" }));
  await screen.findByRole("button", { name: "Cancel import" });
  act(elapse);
  expect(await screen.findByText(/10,272 answers new or completed/)).toBeVisible();
  expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
});
