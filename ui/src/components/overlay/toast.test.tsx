import { screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

async function holdOpen() {
  const rendered = renderPanel("busy", "/backends/openai");
  await rendered.user.click(await screen.findByRole("tab", { name: "Resilience" }));
  await rendered.user.click(await screen.findByRole("button", { name: /^Block traffic/ }));
  const drawer = screen.getByRole("dialog");
  return { ...rendered, drawer, undo: await within(drawer).findByRole("button", { name: "Undo" }) };
}

test("the undo of a result is inside the open drawer and can be pressed there, and the drawer stays", async () => {
  const { host, user, drawer, undo } = await holdOpen();
  const clearing = vi.spyOn(host, "accessReset");
  await user.click(undo);
  expect(clearing).toHaveBeenCalledWith({ backend: "openai", credential: "openai" });
  expect(drawer).toBeVisible();
  await waitFor(() => expect(within(drawer).queryByText(/^Traffic blocked by you/)).not.toBeInTheDocument());
});

test("the undo is reached by the keyboard alone while the drawer keeps the focus", async () => {
  const { host, user, drawer, undo } = await holdOpen();
  const clearing = vi.spyOn(host, "accessReset");
  for (let step = 0; step < 60 && document.activeElement !== undo; step += 1) await user.tab();
  expect(undo).toHaveFocus();
  await user.keyboard("{Enter}");
  expect(clearing).toHaveBeenCalled();
  expect(drawer).toBeVisible();
});

test("a result outlives the drawer it came from, and is not made anew: its time would begin again", async () => {
  const { user, drawer, undo } = await holdOpen();
  await user.click(within(drawer).getByRole("button", { name: "Close" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
  expect(await screen.findByRole("button", { name: "Undo" })).toBe(undo);
  expect(undo).toBeVisible();
});
