//! The typed API of the core: one function for each operation, the views they return, and one error
//! type.
//!
//! The table in `operations` is the whole API. The window, the command line and the control
//! listener are generated from it, so none of them has rules of its own. Invariant: no operation
//! returns a secret, except the two that give a client's local token to the command line.

mod agent_tool;
mod amount;
mod audit;
mod caller;
mod choice;
mod core;
mod core_events;
mod csv_cell;
mod display;
mod error;
mod event;
mod json;
mod json_format;
mod moment;
mod notification_response;
mod operation;
mod operations;
mod operations_listener;
mod panel_event;
mod remote;
mod request_json;
mod sign;
mod typed_period;
mod unknown_name;
pub mod view;

pub use crate::core::Core;
pub use ::wiring::{Launch, ToolModel};
pub use agent_tool::{AgentPermission, AgentTool, SchemaError, json_schema};
pub use alerts::{Notification, NotificationAction, NotificationResponse, Urgency};
pub use amount::{MORNING_HOUR, parse_span, parse_time_to_come};
pub use caller::{AgentName, Caller, PersonAnswer};
pub use choice::{Choice, ChoiceTable, choice_tables};
pub use core_events::CoreEvents;
pub use csv_cell::{FORMULA_STARTS, guard_formula};
pub use display::DisplayAvailability;
pub use engine::{
    ALLOCATOR, Allocator, ClientWiring, ConfigError, Engine, EngineConfig, Folders, LaunchContext,
    LockError, ServeError, ServingAddresses, StartError, WindowFocus, harden_process,
    private_variable_names, private_variables, start_log,
};
pub use error::{ApiError, ErrorCode};
pub use event::PanelEvents;
pub use gateway::{AgentBody, AgentEndpoint, Asset};
pub use json::parse_request;
pub use json_format::JSON_FORMAT_VERSION;
pub use moment::{DayOrInstant, clock_time};
pub use monitor::{AppIdentity, DesktopChannel, NotificationChannel};
pub use notification_response::respond_to_notification;
pub use operation::{preset_views, request_query_words, unwired_view};
pub use operations::*;
pub use operations_listener::{AssetLookup, serve};
pub use panel_event::{ChangeTag, PanelEvent};
pub use remote::RemoteEngine;
pub use settings::{
    Card, Setting, SettingKind, SettingValue, Settings, Theme, reference as settings_reference,
};
pub use sign::{Label, LabelTable, Shape, Sign, SignTable, Tone, label_tables, sign_tables};
pub use unknown_name::{nearest_name, unknown_name_error};
