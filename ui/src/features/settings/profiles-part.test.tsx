import { expect, test, vi } from "vitest";
import { screen, within } from "@testing-library/react";
import { ProfilesPart } from "@/features/settings/profiles-part";
import { renderWith } from "../../../test/render-panel";

test("a profile is used, marked as such, and left again", async () => {
  const { user, host } = renderWith("busy", <ProfilesPart />);
  const switched = vi.spyOn(host, "profileSwitch");
  await user.click(await screen.findByRole("button", { name: "Use work" }));
  expect(await screen.findByText("in use")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Stop using work" }));
  expect(await screen.findByRole("button", { name: "Use work" })).toBeInTheDocument();
  expect(switched.mock.calls).toEqual([[{ name: "work" }], [{ name: null }]]);
});

test("a new profile has a name and chosen backends; a wrong name is refused at its field", async () => {
  const { user } = renderWith("busy", <ProfilesPart />);
  await user.click(screen.getByRole("button", { name: "Add profile" }));
  const dialog = await screen.findByRole("dialog");
  const name = within(dialog).getByRole("textbox", { name: "Name" });
  await user.type(name, "My Demo");
  await user.click(within(dialog).getByRole("checkbox", { name: "Mistral" }));
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByText(/cannot name a profile/)).toBeInTheDocument();
  await user.clear(name);
  await user.type(name, "demo");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("button", { name: "Use demo" })).toBeInTheDocument();
  expect(screen.getByText("mistral")).toBeInTheDocument();
});

test("a removed profile says what becomes of its backends", async () => {
  const { user } = renderWith("busy", <ProfilesPart />);
  await user.click(await screen.findByRole("button", { name: "More for home" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText(/Those that no other profile names are used again/)).toBeInTheDocument();
  await user.click(within(dialog).getByRole("button", { name: "Remove" }));
  expect(await screen.findByText(/In all profiles: .*groq/)).toBeInTheDocument();
});
