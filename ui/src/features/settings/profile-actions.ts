/** Puts a profile in use, with an undo in the toast. */
import { useMemo } from "react";
import { notify, notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";

interface ProfileChange {
  /** None for no profile. */
  name: string | null;
  /** The one in use until now. */
  before: string | null;
}

export function useProfileSwitch() {
  const { mutate } = useAction("profileSwitch", (call, name: string | null) => call({ name }));
  return useMemo(() => {
    const change = ({ name, before }: ProfileChange) =>
      mutate(name, {
        onSuccess: () =>
          notify({
            title: name === null ? "No profile is in use" : `Profile ${name} is in use`,
            detail: name === null ? "All backends are used." : null,
            undo: () => change({ name: before, before: name }),
          }),
        onError: notifyError,
      });
    return change;
  }, [mutate]);
}
