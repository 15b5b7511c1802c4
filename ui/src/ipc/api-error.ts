/** Converts everything a host may throw to an `ApiError`. */
import type { ApiError, ErrorCode } from "@/ipc/bindings";

const CODES: Record<ErrorCode, true> = {
  invalid_input: true,
  not_found: true,
  vault_unavailable: true,
  settings_invalid: true,
  offline: true,
  timed_out: true,
  failed: true,
};

export function isApiError(value: unknown): value is ApiError {
  if (typeof value !== "object" || value === null) return false;
  const { code, message } = value as Partial<Record<keyof ApiError, unknown>>;
  return typeof code === "string" && code in CODES && typeof message === "string";
}

/** Returns an `ApiError` unchanged; anything else (a transport's own error) becomes `failed`. */
export function toApiError(thrown: unknown): ApiError {
  if (isApiError(thrown)) return { ...thrown, hint: thrown.hint ?? null, field: thrown.field ?? null };
  const message =
    typeof thrown === "string"
      ? thrown
      : thrown instanceof Error
        ? thrown.message
        : "Something failed for an unknown reason.";
  return { code: "failed", message, hint: null, field: null };
}

export function offlineError(): ApiError {
  return {
    code: "offline",
    message: "Gatehouse is not responding.",
    hint: "Start it with `gatehouse serve --panel`, or open the desktop app.",
    field: null,
  };
}
