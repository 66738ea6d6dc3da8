//! The desktop's notification server, over D-Bus: `org.freedesktop.Notifications`, version 1.2.

use super::text::Notice;
use std::collections::HashMap;
use zbus::Connection;
use zbus::Variant;

/// Shows a notice, on the bus of the user's session.
pub(super) async fn show(notice: &Notice) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let capabilities: Vec<String> = bus
        .call_method(Some(SERVER), PLACE, Some(SERVER), "GetCapabilities", &())
        .await?
        .body()
        .deserialize()?;
    // A server without the capability would show what escapes markup.
    let is_markup = capabilities.iter().any(|name| name == "body-markup");
    let body = if is_markup {
        notice.markup()
    } else {
        notice.body.clone()
    };
    let (replaces, icon) = (0_u32, "dialog-question");
    let actions: [&str; 0] = [];
    let hints = HashMap::from([
        ("urgency", Variant::U8(NORMAL)),
        ("desktop-entry", Variant::from("codex-es-guard")),
    ]);
    let message = (
        "codex-es-guard",
        replaces,
        icon,
        notice.title.as_str(),
        body.as_str(),
        &actions[..],
        hints,
        SERVER_S_CHOICE,
    );
    bus.call_method(Some(SERVER), PLACE, Some(SERVER), "Notify", &message)
        .await?;
    Ok(())
}

/// The server's name, and its interface's.
const SERVER: &str = "org.freedesktop.Notifications";

const PLACE: &str = "/org/freedesktop/Notifications";

const NORMAL: u8 = 1;

/// How long a notice stays, in milliseconds, is the server's choice.
const SERVER_S_CHOICE: i32 = -1;
