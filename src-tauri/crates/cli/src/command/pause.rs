//! `gatehouse pause` and `gatehouse resume`: whether the gateway answers new requests.

use control::Core;

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::text::render_sentence;

pub(crate) async fn pause(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let gateway = control::gateway_pause(core).await?;
    let told = "Paused. New requests are refused until `gatehouse resume`.";
    console.print_view(&gateway, |_| render_sentence(told))?;
    Ok(Exit::Success)
}

pub(crate) async fn resume(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let gateway = control::gateway_resume(core).await?;
    let told = format!("The gateway answers at {} again.", gateway.address);
    console.print_view(&gateway, |_| render_sentence(&told))?;
    Ok(Exit::Success)
}
