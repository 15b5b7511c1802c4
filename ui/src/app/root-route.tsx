/** The frame that every screen's route is a child of, and what their addresses share. */
import { createRootRoute, Navigate } from "@tanstack/react-router";
import { Shell } from "@/app/shell";

export interface AddSearch {
  add?: true;
}

export function parseAdd(search: Record<string, unknown>): AddSearch {
  return isSet(search["add"]) ? { add: true } : {};
}

export function isSet(value: unknown): boolean {
  return value === true || value === "true";
}

export const root = createRootRoute({ component: Shell, notFoundComponent: () => <Navigate to="/" replace /> });
