//! What is asked of services that work depends on, beside the backends.

use crate::words;

words! {
    /// How a service is checked. No check is billed.
    ServiceKind {
        /// A web address is asked; its status and text are compared
        Http = "http",
        /// A port takes connections
        Tcp = "tcp",
        /// A Redis or Valkey server answers PING
        Redis = "redis",
        /// A PostgreSQL server answers SELECT 1
        Postgres = "postgres",
        /// GitHub accepts a token that has the scopes that are wanted
        Github = "github",
    }
}

words! {
    /// The method of an HTTP check: one that changes nothing.
    #[derive(Default)]
    ServiceMethod {
        #[default]
        Get = "GET",
        Head = "HEAD",
    }
}
