/**
 * Every operation of the core that the panel uses, with the types of the generated commands. Three hosts implement it:
 * the desktop window (`tauri-host`), a browser on loopback (`http-host`) and typed fake data for development and tests
 * (`fake-host`). A host without one of the operations does not compile.
 *
 * Every promise rejects with an `ApiError` and nothing else.
 */
import type { PanelEvent, commands } from "./bindings";
import type { Session } from "./session";

/** The generated commands, but rejecting with their error instead of returning it. */
type Operations<Commands> = {
  [Name in keyof Commands]: Commands[Name] extends (...req: infer Req) => Promise<infer Result>
    ? (...req: Req) => Promise<Extract<Result, { status: "ok" }> extends { data: infer Data } ? Data : never>
    : never;
};

export interface Host extends Operations<typeof commands> {
  /** The browser's session with the core; `null` if there is none to end (in the window). */
  session: Session | null;

  /** Calls `listener` for every event until the returned function is called. */
  subscribe(listener: (event: PanelEvent) => void): () => void;
}
