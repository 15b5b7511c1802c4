import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { lazyComponent, lazyOverlay } from "@/components/overlay/lazy";

const Greeting = ({ name }: { name: string }) => <p>Hello, {name}</p>;

interface PanelProps {
  open: boolean;
  onClose: () => void;
}
const Panel = ({ open }: PanelProps) => (open ? <p>Open</p> : <p>Closed</p>);

test("the placeholder stands until the script has come; what is loaded ahead needs none", async () => {
  const Lazy = lazyComponent(() => Promise.resolve(Greeting), <p>Wait</p>);
  const { unmount } = render(<Lazy name="Ada" />);
  expect(screen.getByText("Wait")).toBeVisible();
  expect(await screen.findByText("Hello, Ada")).toBeVisible();
  unmount();
  render(<Lazy name="Grace" />);
  expect(screen.getByText("Hello, Grace")).toBeVisible();
});

test("a script that cannot be loaded is said, with a way to reload, and can be tried again", async () => {
  const load = vi.fn(() => Promise.resolve(Greeting)).mockRejectedValueOnce(new TypeError("gone"));
  const Lazy = lazyComponent(load, <p>Wait</p>);
  render(<Lazy name="Ada" />);
  const alert = await screen.findByRole("alert", { name: "Not loaded" });
  expect(alert).toHaveTextContent("Reload the panel if Gatehouse was updated.");
  expect(screen.getByRole("button", { name: "Reload" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Hello, Ada")).toBeVisible();
});

test("an overlay is loaded when it opens, and stays when it closes", async () => {
  const load = vi.fn(() => Promise.resolve(Panel));
  const Overlay = lazyOverlay(load, ({ open }) => open);
  const { rerender } = render(<Overlay open={false} onClose={() => {}} />);
  expect(load).not.toHaveBeenCalled();
  rerender(<Overlay open onClose={() => {}} />);
  expect(await screen.findByText("Open")).toBeVisible();
  rerender(<Overlay open={false} onClose={() => {}} />);
  expect(screen.getByText("Closed")).toBeVisible();
});

test("an overlay that cannot be loaded says so and can be dismissed", async () => {
  const close = vi.fn();
  const Overlay = lazyOverlay<PanelProps>(
    () => Promise.reject(new TypeError("gone")),
    ({ open }) => open,
  );
  render(<Overlay open onClose={close} />);
  expect(await screen.findByRole("alert")).toHaveTextContent("This part of the panel could not be loaded");
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(close).toHaveBeenCalledOnce();
});
