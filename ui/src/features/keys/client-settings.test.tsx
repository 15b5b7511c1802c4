import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { renderPanel } from "../../../test/render-panel";

test("a client's limits and priority are shown and changed", async () => {
  const { user, host } = renderPanel("busy", "/clients/nightly-evals");
  const saved = vi.spyOn(host, "clientEdit");
  await user.click(await screen.findByRole("tab", { name: "Limits" }));
  expect(screen.getByLabelText("Requests a minute")).toHaveValue("30");
  expect(screen.getByLabelText("When all places are taken")).toHaveValue("background");
  await user.clear(screen.getByLabelText("Requests at once"));
  await user.selectOptions(screen.getByLabelText("Answers from the cache"), "on");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(saved).toHaveBeenCalled());
  expect(saved).toHaveBeenCalledWith({
    id: "nightly-evals",
    limits: { requests_per_minute: 30, tokens_per_minute: null, in_flight_max: null },
    cache: "on",
    priority: "background",
  });
  expect(await screen.findByText("nightly-evals was saved")).toBeVisible();
});
