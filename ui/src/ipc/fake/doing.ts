/** What a part of the made-up core is given to do its work with. */
import type { Tag } from "@/ipc/bindings";
import type { World } from "@/ipc/fake/world";

export interface Doing {
  world: World;
  now: () => number;
  /** Runs the work as the core would: late where the scenario is slow, refused where the core has gone. */
  answer: <Output>(work: () => Output) => Promise<Output>;
  /** Tells the panel what is stale. */
  changed: (...tags: Tag[]) => void;
}
