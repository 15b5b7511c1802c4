/** Theme and notifications. Each setting takes effect at once. */
import { Bell } from "lucide-react";
import { SettingRow } from "@/features/settings/setting-row";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { Choice } from "@/components/form/choice";
import { Notice } from "@/components/notice/notice";
import { Switch } from "@/components/form/switch";
import { notifyError } from "@/components/overlay/toast";
import { useAction } from "@/ipc/actions";
import type { SettingsValues, SettingsView } from "@/ipc/bindings";

const THEMES = [
  { value: "system", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const;

/** Saves some values at once, on top of the current settings. */
export function useSettingsChange(settings: SettingsView) {
  const change = useAction("settingsEdit", (call, part: Partial<SettingsValues>) =>
    call({ ...settings.values, ...part }),
  );
  return (part: Partial<SettingsValues>) =>
    change.mutate(part, {
      onError: notifyError,
    });
}

export function ThemePart({ settings }: { settings: SettingsView }) {
  const change = useSettingsChange(settings);
  return (
    <Card title="Appearance" flush>
      <SettingRow label="Theme" detail="Default: System." changed={settings.values.theme !== settings.defaults.theme}>
        <Choice label="Theme" options={THEMES} value={settings.values.theme} onChange={(theme) => change({ theme })} />
      </SettingRow>
    </Card>
  );
}

export function NotificationsPart({ settings }: { settings: SettingsView }) {
  const change = useSettingsChange(settings);
  const test = useAction("notificationTest", (call) => call());
  return (
    <Card title="Notifications" flush>
      <SettingRow
        label="Desktop notifications"
        detail="When something needs your attention, and when checks finish in the background."
        changed={settings.values.notifications_enabled !== settings.defaults.notifications_enabled}
      >
        <Switch
          label="Desktop notifications"
          checked={settings.values.notifications_enabled}
          disabled={!settings.valid}
          onChange={(notifications_enabled) => change({ notifications_enabled })}
        />
      </SettingRow>
      <SettingRow label="Test" detail="Sends one notification now." changed={false}>
        <Button icon={Bell} busy={test.isPending} onClick={() => test.mutate(undefined)}>
          Send test
        </Button>
      </SettingRow>
      {(test.data ?? test.error) && (
        <div className="border-t border-line p-3">
          {test.error ? (
            <Notice tone="bad" urgent title={test.error.message}>
              {test.error.hint}
            </Notice>
          ) : (
            test.data && (
              <Notice
                tone={test.data.delivered ? "info" : "bad"}
                urgent
                title={test.data.delivered ? "Delivered" : "Not delivered"}
              >
                {test.data.detail}
              </Notice>
            )
          )}
        </div>
      )}
    </Card>
  );
}
