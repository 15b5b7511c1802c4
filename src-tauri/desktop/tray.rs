//! The tray: an icon that shows the state by its shape, and a menu with all actions, since most Linux
//! hosts deliver no click on the icon.
//!
//! `watch` asks the core, `menu` and `icon` decide what is shown, and this file shows it. Texts and check
//! marks change in place; the menu is built anew only when it gets other rows, because some desktops close
//! an open menu that is replaced.

mod clipboard;
mod command;
mod icon;
mod menu;
mod perform;
mod watch;

use parking_lot::Mutex;
use tauri::menu::{
    CheckMenuItem, IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu,
};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Wry};

pub(crate) use self::perform::TrayNotifier;
pub(crate) use self::watch::TrayWatch;

use self::command::TrayCommand;
use self::icon::TrayLook;
use self::menu::{TrayRow, TrayView};

pub(crate) struct Tray {
    icon: TrayIcon<Wry>,
    shown: Mutex<Shown>,
}

struct Shown {
    look: TrayLook,
    tooltip: String,
    rows: Vec<TrayRow>,
    items: Vec<ShownItem>,
}

/// The handle of a row, to change it in place.
enum ShownItem {
    Text(MenuItem<Wry>),
    Choice(CheckMenuItem<Wry>),
    Submenu(Submenu<Wry>, Vec<Self>),
    Line,
}

struct TrayFace {
    look: TrayLook,
    tooltip: String,
    rows: Vec<TrayRow>,
}

impl TrayFace {
    fn of(view: &TrayView) -> Self {
        let rows = menu::menu_rows(view, control::view::TimeZoneChoice::Local);
        Self { look: TrayLook::of(view), tooltip: view.sentence(), rows }
    }
}

/// Creates the tray. Call it on the main thread.
pub(crate) fn create(app: &AppHandle<Wry>) -> tauri::Result<Tray> {
    let TrayFace { look, tooltip, rows } = TrayFace::of(&TrayView::default());
    let (menu, items) = build_menu(app, &rows)?;
    let icon = TrayIconBuilder::with_id("gatehouse")
        .icon(look.image()?)
        .tooltip(&tooltip)
        .menu(&menu)
        .on_menu_event(on_menu_event)
        .build(app)?;
    Ok(Tray { icon, shown: Mutex::new(Shown { look, tooltip, rows, items }) })
}

impl Tray {
    /// Shows `face`, and nothing anew that is shown already. Call it on the main thread.
    fn show(&self, app: &AppHandle<Wry>, face: TrayFace) -> tauri::Result<()> {
        let mut shown = self.shown.lock();
        if shown.look != face.look {
            self.icon.set_icon(Some(face.look.image()?))?;
            shown.look = face.look;
        }
        if shown.tooltip != face.tooltip {
            self.icon.set_tooltip(Some(&face.tooltip))?;
            shown.tooltip = face.tooltip;
        }
        if has_same_items(&shown.rows, &face.rows) {
            // Also without a change: the desktop checks a row by itself when it is clicked.
            update_items(&shown.items, &shown.rows, &face.rows)?;
        } else {
            let (menu, items) = build_menu(app, &face.rows)?;
            self.icon.set_menu(Some(menu))?;
            shown.items = items;
        }
        shown.rows = face.rows;
        Ok(())
    }
}

/// True if only texts and check marks differ.
fn has_same_items(shown: &[TrayRow], next: &[TrayRow]) -> bool {
    let is_same = |(shown, next): (&TrayRow, &TrayRow)| match (shown, next) {
        (TrayRow::Note(_), TrayRow::Note(_)) | (TrayRow::Line, TrayRow::Line) => true,
        (TrayRow::Item(one, _), TrayRow::Item(other, _)) => one == other,
        (TrayRow::Choice { command: one, .. }, TrayRow::Choice { command: other, .. }) => {
            one == other
        }
        (TrayRow::Submenu(_, one), TrayRow::Submenu(_, other)) => has_same_items(one, other),
        _ => false,
    };
    shown.len() == next.len() && shown.iter().zip(next).all(is_same)
}

fn update_items(items: &[ShownItem], shown: &[TrayRow], next: &[TrayRow]) -> tauri::Result<()> {
    for ((item, shown), next) in items.iter().zip(shown).zip(next) {
        match (item, shown, next) {
            (
                ShownItem::Text(item),
                TrayRow::Note(before) | TrayRow::Item(_, before),
                TrayRow::Note(label) | TrayRow::Item(_, label),
            ) if before != label => item.set_text(escape(label))?,
            (
                ShownItem::Choice(item),
                TrayRow::Choice { label: before, .. },
                TrayRow::Choice { label, is_chosen, .. },
            ) => {
                if before != label {
                    item.set_text(escape(label))?;
                }
                if item.is_checked()? != *is_chosen {
                    item.set_checked(*is_chosen)?;
                }
            }
            (
                ShownItem::Submenu(item, items),
                TrayRow::Submenu(before, shown),
                TrayRow::Submenu(label, rows),
            ) => {
                if before != label {
                    item.set_text(escape(label))?;
                }
                update_items(items, shown, rows)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn build_menu(
    app: &AppHandle<Wry>,
    rows: &[TrayRow],
) -> tauri::Result<(Menu<Wry>, Vec<ShownItem>)> {
    let menu = Menu::new(app)?;
    let items = build_items(app, rows, &|item| menu.append(item))?;
    Ok((menu, items))
}

fn build_items(
    app: &AppHandle<Wry>,
    rows: &[TrayRow],
    append: &dyn Fn(&dyn IsMenuItem<Wry>) -> tauri::Result<()>,
) -> tauri::Result<Vec<ShownItem>> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(match row {
            TrayRow::Note(label) => {
                let item = MenuItem::new(app, escape(label), false, None::<&str>)?;
                append(&item)?;
                ShownItem::Text(item)
            }
            TrayRow::Item(command, label) => {
                let id = command.to_string();
                let item = MenuItem::with_id(app, id, escape(label), true, None::<&str>)?;
                append(&item)?;
                ShownItem::Text(item)
            }
            TrayRow::Choice { command, label, is_chosen } => {
                let (id, label) = (command.to_string(), escape(label));
                let item = CheckMenuItem::with_id(app, id, label, true, *is_chosen, None::<&str>)?;
                append(&item)?;
                ShownItem::Choice(item)
            }
            TrayRow::Submenu(label, rows) => {
                let submenu = Submenu::new(app, escape(label), true)?;
                let items = build_items(app, rows, &|item| submenu.append(item))?;
                append(&submenu)?;
                ShownItem::Submenu(submenu, items)
            }
            TrayRow::Line => {
                append(&PredefinedMenuItem::separator(app)?)?;
                ShownItem::Line
            }
        });
    }
    Ok(items)
}

/// Menus take a single `&` for the mark of a key.
fn escape(label: &str) -> String {
    label.replace('&', "&&")
}

#[expect(clippy::needless_pass_by_value, reason = "the form that Tauri calls")]
fn on_menu_event(app: &AppHandle<Wry>, event: MenuEvent) {
    match TrayCommand::from_id(event.id().as_ref()) {
        Some(command) => perform::perform(app, command),
        None => tracing::warn!(id = event.id().as_ref(), "the tray has no such item"),
    }
}
