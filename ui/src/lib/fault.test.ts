import { expect, test } from "vitest";
import { faultElsewhere, faultOf } from "@/lib/fault";
import type { ApiError } from "@/ipc/bindings";

const error: ApiError = { code: "invalid_input", message: "Too short.", hint: "Paste it whole.", field: "key.secret" };

test("an error lands at the field it names and nowhere else", () => {
  expect(faultOf(error, "secret")).toBe("Too short. Paste it whole.");
  expect(faultOf(error, "id")).toBeNull();
  expect(faultElsewhere(error, ["id", "secret"])).toBeNull();
  expect(faultElsewhere(error, ["id"])).toBe(error);
  expect(faultElsewhere({ ...error, field: null }, ["id"])).not.toBeNull();
});
