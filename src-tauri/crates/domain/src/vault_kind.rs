//! The places where keys are stored, by the words of the settings, the command line and the panel.

crate::words! {
    /// Where the vault stores keys. Chosen by the user, never by looking around.
    #[derive(Default)]
    VaultKind {
        /// The operating system's keychain.
        #[default]
        Keychain = "keychain",
        /// One file encrypted with a passphrase, for machines that have no keychain.
        File = "file",
        /// A read-only view of variables such as `OPENAI_API_KEY`.
        Env = "env",
        /// Nowhere: gone when the process ends. For tests and the demonstration.
        Memory = "memory",
    }
}
