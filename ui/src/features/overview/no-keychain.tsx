/** The first step on a machine without a keychain: use an encrypted file, or continue without keys. */
import { useState } from "react";
import { Button } from "@/components/button/button";
import { Card } from "@/components/layout/card";
import { FileVaultForm } from "@/connected/file-vault-form";

const DISMISSED_UNDER = "gatehouse.no_keychain.dismissed";

export function wasNoKeychainDismissed(): boolean {
  return localStorage.getItem(DISMISSED_UNDER) !== null;
}

interface NoKeychainProps {
  /** An encrypted file already exists. */
  fileExists: boolean;
  onDismiss: () => void;
}

export function NoKeychain({ fileExists, onDismiss }: NoKeychainProps) {
  const [isCreating, setCreating] = useState(false);
  const dismiss = () => {
    localStorage.setItem(DISMISSED_UNDER, "yes");
    onDismiss();
  };
  return (
    <Card title="Where should API keys be stored?" className="@container">
      <div className="flex flex-col gap-3">
        <p className="text-ink-2">
          This machine has no keychain. Gatehouse can keep keys in a file encrypted with your passphrase. Client tokens
          and the built-in mock work without one.
        </p>
        {isCreating ? (
          <FileVaultForm
            exists={fileExists}
            moveKeys={false}
            aside={<Button onClick={() => setCreating(false)}>Cancel</Button>}
            onDone={() => setCreating(false)}
          />
        ) : (
          <div className="flex flex-wrap gap-2">
            <Button look="primary" onClick={() => setCreating(true)}>
              {fileExists ? "Use the encrypted key file" : "Create an encrypted key file"}
            </Button>
            <Button onClick={dismiss}>Continue without keys</Button>
          </div>
        )}
      </div>
    </Card>
  );
}
