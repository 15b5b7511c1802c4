/** What becomes of the alerts of a rule, in words. */
import type { AlertDelivery } from "@/ipc/bindings";

export const DELIVERIES = [
  { value: "notification", label: "Notify me" },
  { value: "inbox", label: "Inbox only" },
  { value: "off", label: "Off" },
] as const satisfies { value: AlertDelivery; label: string }[];
