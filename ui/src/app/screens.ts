/** The screens, in the order of the navigation. */
import {
  Activity,
  Cable,
  Gauge,
  KeyRound,
  ListChecks,
  ListTree,
  MessagesSquare,
  Route,
  Server,
  Siren,
  SlidersHorizontal,
  type LucideIcon,
} from "lucide-react";
import { USAGE_PARTS } from "@/lib/usage-parts";

export interface Screen {
  path:
    | "/"
    | "/backends"
    | "/routing"
    | "/keys"
    | "/clients"
    | "/usage"
    | "/requests"
    | "/readiness"
    | "/alerts"
    | "/playground"
    | "/settings";
  label: string;
  icon: LucideIcon;
  /** Other first path segments of this screen. */
  also?: string[];
}

export const SCREENS: Screen[] = [
  { path: "/", label: "Overview", icon: Gauge },
  { path: "/backends", label: "Backends", icon: Server },
  { path: "/routing", label: "Routing", icon: Route },
  { path: "/keys", label: "Keys", icon: KeyRound },
  { path: "/clients", label: "Clients", icon: Cable },
  {
    path: "/usage",
    label: "Usage",
    icon: Activity,
    also: USAGE_PARTS.map(({ path }) => path),
  },
  { path: "/requests", label: "Requests", icon: ListTree },
  { path: "/readiness", label: "Readiness", icon: ListChecks },
  { path: "/alerts", label: "Alerts", icon: Siren },
  { path: "/playground", label: "Playground", icon: MessagesSquare },
  { path: "/settings", label: "Settings", icon: SlidersHorizontal },
];

/** The key that opens a screen with Ctrl/Cmd: the digits in their order on the keyboard, and the usual one of settings. */
export function screenKey({ path }: Screen): string {
  if (path === "/settings") return ",";
  return String((SCREENS.findIndex((screen) => screen.path === path) + 1) % 10);
}

/** True if a path belongs to the screen. */
export function isWithin(screen: Screen, pathname: string): boolean {
  if (screen.path === "/") return pathname === "/";
  return pathname.startsWith(screen.path) || screen.also?.some((path) => pathname.startsWith(path)) === true;
}
