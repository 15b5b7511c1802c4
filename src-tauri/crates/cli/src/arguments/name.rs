//! The argument that names one thing, shared by several commands.

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct NameArgument {
    /// Its name
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}
