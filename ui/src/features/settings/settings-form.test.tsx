import { screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { SettingsScreen } from "@/features/settings/settings-screen";
import { renderWith } from "../../../test/render-panel";
import { undo } from "../../../test/undo";

test("a port out of range is refused at its field and stays typed; a good one is saved alone", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const port = await screen.findByLabelText("Port");
  await user.clear(port);
  await user.type(port, "70000");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(port).toBeInvalid());
  expect(port).toHaveAccessibleDescription(/Enter 1 to 65535/);
  expect(port).toHaveValue("70000");

  const edit = vi.spyOn(host, "settingsEdit");
  await user.clear(port);
  await user.type(port, "4300");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "Save" })).not.toBeInTheDocument());
  expect(edit).toHaveBeenCalledWith(
    expect.objectContaining({ gateway_port: 4300, body_bytes_max: 33_554_432, connect_timeout_ms: 5_000 }),
  );
});

test("what is typed survives a change of the settings from elsewhere", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const port = await screen.findByLabelText("Port");
  await user.clear(port);
  await user.type(port, "5000");
  const { values } = await host.settings();
  await host.settingsEdit({ ...values, in_flight_max: 77 });
  await waitFor(() => expect(screen.getByLabelText("Concurrent requests")).toHaveValue("77"));
  expect(port).toHaveValue("5000");
});

test("a word that is no number never leaves the page", async () => {
  const { user, host } = renderWith("busy", <SettingsScreen />);
  const edit = vi.spyOn(host, "settingsEdit");
  const port = await screen.findByLabelText("Port");
  await user.clear(port);
  await user.type(port, "door");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(port).toHaveAccessibleDescription(/Enter a number/));
  expect(edit).not.toHaveBeenCalled();
});

test("a broken file shows its problems and its repair, and the repair ends them", async () => {
  const { user } = renderWith("invalid-settings", <SettingsScreen />);
  expect(await screen.findByText("The settings file has errors")).toBeVisible();
  expect(screen.getByLabelText("Port")).toBeDisabled();
  expect(screen.getByRole("region", { name: "Proposed repair" })).toHaveTextContent("+port = 4283");
  await user.click(screen.getByRole("button", { name: "Apply repair" }));
  await waitFor(() => expect(screen.queryByText("The settings file has errors")).not.toBeInTheDocument());
  await undo(user);
  expect(await screen.findByText("The settings file has errors")).toBeVisible();
});
