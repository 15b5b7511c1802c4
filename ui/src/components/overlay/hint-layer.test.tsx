import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { Hint } from "@/components/overlay/hint";
import { HintLayer } from "@/components/overlay/hint-layer";

/** A text field shows its focus whatever gave it. */
const Explained = ({ withLayer }: { withLayer: boolean }) => (
  <>
    <Hint text="Empty asks the backend">
      <input aria-label="Model" />
    </Hint>
    {withLayer && <HintLayer />}
  </>
);

test("what has the focus when the layer is loaded is explained at once", async () => {
  const { rerender } = render(<Explained withLayer={false} />);
  screen.getByRole("textbox").focus();
  rerender(<Explained withLayer />);
  expect(await screen.findByRole("tooltip")).toHaveTextContent("Empty asks the backend");
  expect(screen.getByRole("textbox")).toHaveAccessibleDescription("Empty asks the backend");
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("tooltip")).not.toBeInTheDocument();
});
