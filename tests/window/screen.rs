//! The screen from a window manager's view: the windows, the focus, and close requests. The screen
//! has no window manager, so the test acts as one.

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, CreateWindowAux,
    EventMask, InputFocus, MapState, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME};

/// The title of the panel's window.
const TITLE: &[u8] = b"Gatehouse";

/// A connection to the screen, with a window of another program on it.
pub(crate) struct TestScreen {
    connection: RustConnection,
    root: Window,
    other: Window,
}

impl TestScreen {
    /// Connects, and opens the other program's window.
    pub(crate) fn open(display: &str) -> Self {
        let (connection, number) = x11rb::connect(Some(display)).expect("a screen");
        let root = connection.setup().roots.get(number).expect("its root").root;
        let other = connection.generate_id().expect("an id");
        connection
            .create_window(
                COPY_DEPTH_FROM_PARENT,
                other,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_OUTPUT,
                COPY_FROM_PARENT,
                &CreateWindowAux::new(),
            )
            .expect("sent");
        connection.map_window(other).expect("sent").check().expect("shown");
        Self { connection, root, other }
    }

    /// True if the panel's window is visible.
    pub(crate) fn shows_panel(&self) -> bool {
        self.panel().is_some_and(|window| self.is_viewable(window))
    }

    /// The number of visible windows with a title.
    pub(crate) fn titled_windows(&self) -> usize {
        let is_shown =
            |window: &Window| !self.title(*window).is_empty() && self.is_viewable(*window);
        self.windows().iter().filter(|window| is_shown(window)).count()
    }

    /// Gives the keyboard focus to the panel.
    pub(crate) fn focus_panel(&self) {
        self.focus(self.panel().expect("the panel's window"));
    }

    /// Gives the keyboard focus to the other program.
    pub(crate) fn focus_other(&self) {
        self.focus(self.other);
    }

    /// Resizes the panel, in pixels.
    pub(crate) fn resize_panel(&self, (width, height): (u32, u32)) {
        let window = self.panel().expect("the panel's window");
        let size = ConfigureWindowAux::new().width(width).height(height);
        let sent = self.connection.configure_window(window, &size);
        sent.expect("sent").check().expect("the size changes");
    }

    /// Asks the panel to close, as its close button does.
    pub(crate) fn close_panel(&self) {
        let window = self.panel().expect("the panel's window");
        let ask = [self.intern_atom(b"WM_DELETE_WINDOW"), CURRENT_TIME, 0, 0, 0];
        let event = ClientMessageEvent::new(32, window, self.intern_atom(b"WM_PROTOCOLS"), ask);
        let sent = self.connection.send_event(false, window, EventMask::NO_EVENT, event);
        sent.expect("sent").check().expect("accepted");
    }

    fn focus(&self, window: Window) {
        let moved = self.connection.set_input_focus(InputFocus::PARENT, window, CURRENT_TIME);
        moved.expect("sent").check().expect("the focus moves");
    }

    fn panel(&self) -> Option<Window> {
        self.windows().into_iter().find(|window| self.title(*window) == TITLE)
    }

    fn windows(&self) -> Vec<Window> {
        let tree = self.connection.query_tree(self.root).expect("sent");
        tree.reply().expect("the windows").children
    }

    /// Empty for a window that has closed meanwhile.
    fn title(&self, window: Window) -> Vec<u8> {
        let title =
            self.connection.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
        title.expect("sent").reply().map(|reply| reply.value).unwrap_or_default()
    }

    fn is_viewable(&self, window: Window) -> bool {
        let attributes = self.connection.get_window_attributes(window).expect("sent").reply();
        attributes.is_ok_and(|known| known.map_state == MapState::VIEWABLE)
    }

    fn intern_atom(&self, name: &[u8]) -> u32 {
        self.connection.intern_atom(false, name).expect("sent").reply().expect("an atom").atom
    }
}
