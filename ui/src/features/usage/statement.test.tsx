import { screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../test/choose";
import { renderPanel } from "../../../test/render-panel";

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
