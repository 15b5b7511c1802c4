import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { Field } from "@/components/form/field";
import { Select } from "@/components/form/select";

const OPTIONS = ["Amber", "Brass", "Bronze", "Copper"].map((label) => ({ value: label.toLowerCase(), label }));

function Metal() {
  const [value, setValue] = useState("brass");
  return (
    <Field label="Metal" help="What it is made of.">
      {(control) => <Select {...control} value={value} onChange={setValue} options={OPTIONS} />}
    </Field>
  );
}

test("it opens at what is chosen, walks by arrow, and chooses by Enter", async () => {
  const user = userEvent.setup();
  render(<Metal />);
  const select = screen.getByRole("combobox", { name: "Metal" });
  expect(select).toHaveAccessibleDescription("What it is made of.");
  expect(select).toHaveTextContent("Brass");
  await user.tab();
  expect(select).toHaveFocus();
  await user.keyboard("{ArrowDown}");
  expect(screen.getByRole("listbox")).toBeVisible();
  expect(screen.getByRole("option", { name: "Brass", selected: true })).toHaveFocus();
  await user.keyboard("{ArrowDown}{Enter}");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
  expect(select).toHaveTextContent("Bronze");
  expect(select).toHaveFocus();
});

test("letters lead to the next option that begins with them, open or closed; Escape changes nothing", async () => {
  const user = userEvent.setup();
  render(<Metal />);
  await user.tab();
  await user.keyboard("b");
  expect(screen.getByRole("option", { name: "Bronze" })).toHaveFocus();
  await user.keyboard("c");
  expect(screen.getByRole("option", { name: "Copper" })).toHaveFocus();
  await user.keyboard("{Escape}");
  expect(screen.getByRole("combobox")).toHaveTextContent("Brass");
  await user.click(screen.getByRole("combobox"));
  await user.click(screen.getByRole("option", { name: "Amber" }));
  expect(screen.getByRole("combobox")).toHaveTextContent("Amber");
});
