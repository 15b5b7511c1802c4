/** The dependencies of each part of the fake core. */
import type { ChangeTag } from "@/ipc/bindings";
import type { World } from "@/ipc/fake/world";

export interface Doing {
  world: World;
  now: () => number;
  /** Runs the work like the core: delayed in the slow scenario, rejected if the core is offline. */
  answer: <Output>(work: () => Output) => Promise<Output>;
  /** Reports changed tags to the panel. */
  changed: (...tags: ChangeTag[]) => void;
}
