import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { choose } from "../../../test/choose";
import { renderPanel } from "../../../test/render-panel";

test("the savings come first, over those requests only that could have been answered", async () => {
  renderPanel("busy", "/cache");
  expect(await screen.findByText("217 of 588 repeatable requests were served from cache.")).toBeVisible();
  expect(screen.getByText("37 %")).toBeVisible();
  expect(screen.getByText("$2.89")).toBeVisible();
  expect(screen.getByText("Not repeatable (temperature is not 0).")).toBeVisible();
  expect(screen.getByText(/^Doubling the memory limit/)).toBeVisible();
});

test("a lost shared tier is told as lost, not as an error", async () => {
  renderPanel("failing", "/cache");
  expect(await screen.findByText("Unreachable")).toBeVisible();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("a purge asks first, says what it costs, and tells how many went", async () => {
  const { user, host } = renderPanel("busy", "/cache");
  const purging = vi.spyOn(host, "cachePurge");
  await user.click(await screen.findByRole("button", { name: "Purge" }));
  const dialog = await screen.findByRole("dialog", { name: "Purge the cache" });
  expect(dialog).toHaveTextContent("Purged requests go to the provider again");
  await choose(user, within(dialog).getByLabelText("Purge"), "One client");
  await choose(user, within(dialog).getByLabelText("Which"), "codex");
  expect(purging).not.toHaveBeenCalled();
  await user.click(within(dialog).getByRole("button", { name: "Purge" }));
  expect(purging).toHaveBeenCalledWith({ what: { kind: "client", id: "codex" } });
  expect(await screen.findByText("87 responses purged.")).toBeVisible();
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
});

test("an empty cache says so and offers no false zero", async () => {
  renderPanel("fresh", "/cache");
  expect(await screen.findByText("No bypassed requests")).toBeVisible();
  expect(screen.getByText("no cacheable requests")).toBeVisible();
  expect(screen.queryByText("0 %")).not.toBeInTheDocument();
});
