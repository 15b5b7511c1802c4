import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("a paused gateway is named on every screen, and is resumed where it is told", async () => {
  const { user, host } = renderPanel("busy", "/");
  const resume = vi.spyOn(host, "gatewayResume");
  await screen.findByRole("heading", { level: 1 });
  await host.gatewayPause();
  expect(await screen.findByText("Gateway paused")).toBeVisible();
  const [button] = await screen.findAllByRole("button", { name: "Resume" });
  await user.click(button!);
  expect(resume).toHaveBeenCalledOnce();
  await waitFor(() => expect(screen.queryByText("Gateway paused")).not.toBeInTheDocument());
});
