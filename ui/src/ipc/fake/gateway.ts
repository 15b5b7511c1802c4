/** The gateway of the fake core: whether it answers, and the status. */
import type { Doing } from "@/ipc/fake/doing";
import { gatewayView, statusView } from "@/ipc/fake/views";
import type { Host } from "@/ipc/host";

export function fakeGateway({
  world,
  now,
  answer,
  changed,
}: Doing): Pick<Host, "status" | "gatewayPause" | "gatewayResume"> {
  const set = (isPaused: boolean) =>
    answer(() => {
      world.isGatewayPaused = isPaused;
      changed("status");
      return gatewayView(world);
    });
  return {
    status: () => answer(() => statusView(world, now())),
    gatewayPause: () => set(true),
    gatewayResume: () => set(false),
  };
}
