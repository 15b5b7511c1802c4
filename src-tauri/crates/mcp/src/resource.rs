//! Resources: views that a client may attach to a conversation.

use rmcp::model::Resource;

pub(crate) struct ResourceRow {
    pub(crate) uri: &'static str,
    name: &'static str,
    description: &'static str,
    /// The operation that returns it, and its request.
    pub(crate) operation: &'static str,
    pub(crate) request: &'static str,
}

pub(crate) const RESOURCES: &[ResourceRow] = &[
    ResourceRow {
        uri: "gatehouse://status",
        name: "Status",
        description: "The verdict, the gateway, backends and what was spent today.",
        operation: "status",
        request: "null",
    },
    ResourceRow {
        uri: "gatehouse://usage/today",
        name: "Usage today",
        description: "Requests, tokens and cost since midnight, by backend.",
        operation: "usage",
        request: "{}",
    },
    ResourceRow {
        uri: "gatehouse://checks/last",
        name: "Last checks",
        description: "The newest readiness run with causes and fixes.",
        operation: "readiness",
        request: "null",
    },
];

pub(crate) const MIME_TYPE: &str = "application/json";

pub(crate) fn listed_resources() -> Vec<Resource> {
    RESOURCES
        .iter()
        .map(|row| {
            Resource::new(row.uri, row.name)
                .with_description(row.description)
                .with_mime_type(MIME_TYPE)
        })
        .collect()
}

pub(crate) fn find_resource(uri: &str) -> Option<&'static ResourceRow> {
    RESOURCES.iter().find(|row| row.uri == uri)
}
