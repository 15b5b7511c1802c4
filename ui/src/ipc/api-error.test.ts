import { expect, test } from "vitest";
import { toApiError } from "@/ipc/api-error";

test("an ApiError passes through, everything else becomes failed", () => {
  const error = { code: "not_found", message: "Gone.", hint: null, field: null };
  expect(toApiError(error)).toEqual(error);
  expect(toApiError("command backend_add not found")).toEqual({
    code: "failed",
    message: "command backend_add not found",
    hint: null,
    field: null,
  });
  expect(toApiError(new Error("boom")).code).toBe("failed");
  expect(toApiError({ code: "made_up", message: "x" }).code).toBe("failed");
  expect(toApiError(undefined).message).not.toBe("");
});
