//! `cargo xtask icons`: every size of every icon, from the SVG drawings in icons/.
//!
//! The results are committed, since the desktop program embeds them while it compiles and nobody
//! should need a drawing program for that.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::call::Call;
use crate::install::{self, Need};
use crate::repository::Repository;

/// Icons of the program: file name, drawing, edge in pixels. Up to 32 px a drawing of its own is
/// used: the joints between the stones would be less than a pixel wide.
const PROGRAM: [(&str, &str, u32); 4] = [
    ("32x32.png", "mark-small.svg", 32),
    ("128x128.png", "mark.svg", 128),
    ("128x128@2x.png", "mark.svg", 256),
    ("icon.png", "mark.svg", 512),
];

/// Sizes inside the Windows icon; the first is what Tauri shows while developing.
const ICO_EDGES: [u32; 6] = [32, 16, 24, 48, 64, 256];

/// Sizes inside the macOS icon.
const ICNS_EDGES: [u32; 6] = [16, 32, 64, 128, 256, 512];

/// Up to this edge, in pixels, the small drawing is used.
const SMALL_EDGE_MAX: u32 = 32;

/// What the tray tells: each is a drawing `tray-NAME.svg`.
const TRAY: [&str; 4] = ["ok", "attention", "problem", "drill"];

/// Tray images: edge of the image and of the drawing in it, in pixels. The drawings are made on a
/// grid of 16, so they stand at 16 or 32 with a margin around instead of being blurred to fit.
const TRAY_EDGES: [(u32, u32); 4] = [(16, 16), (22, 16), (32, 32), (44, 32)];

/// Inks of the tray: brass has a contrast of at least 3 on white and on black panels; macOS takes a
/// black template and colours it itself.
const INKS: [(&str, &str); 2] = [("", "#b07f24"), ("-template", "#000000")];

/// Draws everything again.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    install::ensure(repository, &[Need::Drawing])?;
    let folder = repository.root.join("icons");
    for (name, drawing, edge) in PROGRAM {
        Drawing::plain(drawing, edge).draw(&folder, &folder.join(name))?;
    }
    let scratch = repository.scratch()?;
    write_ico(&folder, &scratch)?;
    write_icns(&folder, &scratch)?;
    for state in TRAY {
        for (suffix, ink) in INKS {
            for (edge, inner) in TRAY_EDGES {
                let drawing = Drawing { name: format!("tray-{state}.svg"), edge, inner, ink };
                drawing.draw(&folder, &folder.join(format!("tray-{state}{suffix}-{edge}.png")))?;
            }
        }
    }
    println!("drew the icons in {}", folder.display());
    Ok(())
}

struct Drawing {
    name: String,
    edge: u32,
    inner: u32,
    ink: &'static str,
}

impl Drawing {
    fn plain(name: &str, edge: u32) -> Self {
        Self { name: name.to_owned(), edge, inner: edge, ink: "#000000" }
    }

    fn of_size(edge: u32) -> Self {
        Self::plain(if edge <= SMALL_EDGE_MAX { "mark-small.svg" } else { "mark.svg" }, edge)
    }

    fn draw(&self, folder: &Path, to: &Path) -> Result<()> {
        let style = to.with_extension("css");
        std::fs::write(&style, format!("svg {{ color: {} }}", self.ink))
            .with_context(|| format!("could not write {}", style.display()))?;
        let margin = (self.edge - self.inner) / 2;
        let words = format!(
            "--width {inner} --height {inner} --page-width {edge} --page-height {edge} --left {margin} --top {margin}",
            inner = self.inner,
            edge = self.edge,
        );
        let call = Call::new("rsvg-convert", folder).words(&words);
        let drawn = call.arg("--stylesheet").arg(&style).arg("-o").arg(to).arg(&self.name).run();
        std::fs::remove_file(&style)
            .with_context(|| format!("could not remove {}", style.display()))?;
        drawn
    }
}

fn drawn(folder: &Path, scratch: &Path, edge: u32) -> Result<PathBuf> {
    let path = scratch.join(format!("icon-{edge}.png"));
    Drawing::of_size(edge).draw(folder, &path)?;
    Ok(path)
}

fn write_ico(folder: &Path, scratch: &Path) -> Result<()> {
    let mut icon = ico::IconDir::new(ico::ResourceType::Icon);
    for edge in ICO_EDGES {
        let file = std::fs::File::open(drawn(folder, scratch, edge)?)?;
        let image = ico::IconImage::read_png(std::io::BufReader::new(file))?;
        icon.add_entry(ico::IconDirEntry::encode(&image)?);
    }
    let path = folder.join("icon.ico");
    let file = std::fs::File::create(&path)
        .with_context(|| format!("could not write {}", path.display()))?;
    icon.write(file).context("could not write the Windows icon")
}

fn write_icns(folder: &Path, scratch: &Path) -> Result<()> {
    let mut family = icns::IconFamily::new();
    for edge in ICNS_EDGES {
        let file = std::fs::File::open(drawn(folder, scratch, edge)?)?;
        family.add_icon(&icns::Image::read_png(std::io::BufReader::new(file))?)?;
    }
    let path = folder.join("icon.icns");
    let file = std::fs::File::create(&path)
        .with_context(|| format!("could not write {}", path.display()))?;
    family.write(std::io::BufWriter::new(file)).context("could not write the macOS icon")
}
