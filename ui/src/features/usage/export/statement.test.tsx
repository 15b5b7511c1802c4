import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../../test/choose";
import { renderPanel } from "../../../../test/render-panel";

test("a statement of an earlier month is downloaded in the chosen format", async () => {
  const urls = { createObjectURL: vi.fn(() => "blob:statement"), revokeObjectURL: vi.fn() };
  vi.stubGlobal("URL", Object.assign(URL, urls));
  const { host, user } = renderPanel("busy", "/usage");
  const statement = vi.spyOn(host, "statement");
  await user.click(await screen.findByRole("button", { name: "Export" }));
  await user.click(screen.getByRole("menuitem", { name: "Statement of a month…" }));
  const dialog = await screen.findByRole("dialog", { name: "Statement" });
  await choose(user, within(dialog).getByRole("combobox", { name: "Month" }), "October 2026");
  await user.click(within(dialog).getByRole("radio", { name: "CSV" }));
  await user.click(within(dialog).getByRole("button", { name: "Download" }));
  expect(await screen.findByText(/^Downloaded .*2026-10/)).toBeVisible();
  expect(statement).toHaveBeenCalledExactlyOnceWith({ month: "2026-10", project: null, zone: "local", format: "csv" });
  expect(urls.createObjectURL).toHaveBeenCalledOnce();
});

test("a project that ended months ago has a statement", async () => {
  const { host, user } = renderPanel("busy", "/usage");
  const known = await host.usage({ range: "last_month", group_by: "project", zone: "local" });
  const asked = vi.spyOn(host, "usage");
  await user.click(await screen.findByRole("button", { name: "Export" }));
  asked.mockImplementation((query) =>
    Promise.resolve({
      ...known,
      groups: known.groups.slice(0, 1).map((group) => ({ ...group, key: "old", label: `since ${query.from}` })),
    }),
  );
  await user.click(screen.getByRole("menuitem", { name: "Statement of a month…" }));
  const dialog = await screen.findByRole("dialog", { name: "Statement" });
  await user.click(within(dialog).getByRole("combobox", { name: "Project" }));
  const option = await screen.findByRole("option", { name: /^since \d+$/ });
  const from = new Date(Number(option.textContent?.replace("since ", "")));
  expect([from.getFullYear(), from.getMonth(), from.getDate()]).toEqual([2025, 11, 1]);
});
