/** The screens, in the order of the navigation. */
import {
  Activity,
  Cable,
  Gauge,
  HeartPulse,
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
    | "/health"
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
  { path: "/health", label: "Health", icon: HeartPulse },
  { path: "/alerts", label: "Alerts", icon: Siren },
  { path: "/playground", label: "Playground", icon: MessagesSquare },
  { path: "/settings", label: "Settings", icon: SlidersHorizontal },
];

/** Screens for which no digit is left: the usual key of settings, and the one beside it. */
const OTHER_KEYS: Partial<Record<Screen["path"], string>> = { "/settings": ",", "/health": "." };

/** The key that opens a screen with Ctrl/Cmd: the digits in their order on the keyboard, or another. */
export function screenKey({ path }: Screen): string {
  const other = OTHER_KEYS[path];
  if (other !== undefined) return other;
  const withDigit = SCREENS.filter((screen) => OTHER_KEYS[screen.path] === undefined);
  return String((withDigit.findIndex((screen) => screen.path === path) + 1) % 10);
}

/** True if a path belongs to the screen. */
export function isWithin(screen: Screen, pathname: string): boolean {
  if (screen.path === "/") return pathname === "/";
  return pathname.startsWith(screen.path) || screen.also?.some((path) => pathname.startsWith(path)) === true;
}
