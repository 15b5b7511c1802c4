/** Provides the chosen host to components. */
import { createContext, useContext } from "react";
import type { Host } from "@/ipc/host";

export const HostContext = createContext<Host | null>(null);

export function useHost(): Host {
  const host = useContext(HostContext);
  if (host === null) throw new Error("no host: the panel was rendered outside its HostContext");
  return host;
}
