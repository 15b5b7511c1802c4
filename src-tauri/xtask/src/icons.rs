//! `cargo xtask icons`: renders every size of every icon from the SVG drawings in icons/.
//!
//! The results are committed, since the desktop program embeds them at compile time, and a build
//! should need no drawing program.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::call::ProgramCall;
use crate::install::{self, Prerequisite};
use crate::repository::Repository;

/// Icons of the program: file name and edge in pixels.
const PROGRAM: [(&str, u32); 4] =
    [("32x32.png", 32), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)];

/// Sizes inside the Windows icon; Tauri shows the first in development.
const ICO_EDGES: [u32; 6] = [32, 16, 24, 48, 64, 256];

/// Images in the Windows icon of this edge or more, in pixels, are PNGs.
const ICO_PNG_EDGE_MIN: u32 = 256;

/// Sizes inside the macOS icon.
const ICNS_EDGES: [u32; 6] = [16, 32, 64, 128, 256, 512];

/// Largest edge in pixels for the small drawing: in the other one the joints between the stones
/// would be less than a pixel wide.
const SMALL_EDGE_MAX: u32 = 32;

/// States of the tray icon; each is a drawing `tray-NAME.svg`.
const TRAY: [&str; 4] = ["ok", "attention", "problem", "outline"];

/// Tray images: edge of the image and of the drawing in it, in pixels. The drawings use a grid of
/// 16, so they are drawn at 16 or 32 with a margin instead of being blurred to fit.
const TRAY_EDGES: [(u32, u32); 4] = [(16, 16), (22, 16), (32, 32), (44, 32)];

/// Tray colours: brass has a contrast of at least 3 on white and on black panels; macOS takes a
/// black template and colours it itself.
const INKS: [(&str, &str); 2] = [("", "#b07f24"), ("-template", "#000000")];

pub(crate) fn run(repository: &Repository) -> Result<()> {
    install::ensure(repository, &[Prerequisite::Drawing])?;
    let desk = IconFolders { icons: repository.root.join("icons"), scratch: repository.scratch()? };
    for (name, edge) in PROGRAM {
        desk.draw(&Drawing::of_the_mark(edge), &desk.icons.join(name))?;
    }
    desk.write_ico()?;
    desk.write_icns()?;
    for state in TRAY {
        for (suffix, ink) in INKS {
            for (edge, inner) in TRAY_EDGES {
                let drawing = Drawing { source: format!("tray-{state}.svg"), edge, inner, ink };
                let name = format!("tray-{state}{suffix}-{edge}.png");
                desk.draw(&drawing, &desk.icons.join(name))?;
            }
        }
    }
    println!("drew the icons in {}", desk.icons.display());
    Ok(())
}

/// One image of one drawing.
struct Drawing {
    source: String,
    edge: u32,
    inner: u32,
    ink: &'static str,
}

impl Drawing {
    fn of_the_mark(edge: u32) -> Self {
        let source = if edge <= SMALL_EDGE_MAX { "mark-small.svg" } else { "mark.svg" };
        Self { source: source.to_owned(), edge, inner: edge, ink: "#000000" }
    }
}

/// The folders of the drawings and of temporary files.
struct IconFolders {
    icons: PathBuf,
    scratch: PathBuf,
}

impl IconFolders {
    fn draw(&self, drawing: &Drawing, to: &Path) -> Result<()> {
        let Drawing { source, edge, inner, ink } = drawing;
        let style = self.scratch.join("ink.css");
        std::fs::write(&style, format!("svg {{ color: {ink} }}"))
            .with_context(|| format!("could not write {}", style.display()))?;
        let margin = (edge - inner) / 2;
        let size = format!("--width {inner} --height {inner}");
        let page =
            format!("--page-width {edge} --page-height {edge} --left {margin} --top {margin}");
        let call = ProgramCall::new("rsvg-convert", &self.icons).words(&size).words(&page);
        call.arg("--stylesheet").arg(&style).arg("-o").arg(to).arg(source).run()
    }

    fn render_mark(&self, edge: u32) -> Result<BufReader<File>> {
        let path = self.scratch.join(format!("icon-{edge}.png"));
        self.draw(&Drawing::of_the_mark(edge), &path)?;
        let file =
            File::open(&path).with_context(|| format!("could not read {}", path.display()))?;
        Ok(BufReader::new(file))
    }

    fn create(&self, name: &str) -> Result<BufWriter<File>> {
        let path = self.icons.join(name);
        let file =
            File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
        Ok(BufWriter::new(file))
    }

    fn write_ico(&self) -> Result<()> {
        let mut icon = ico::IconDir::new(ico::ResourceType::Icon);
        for edge in ICO_EDGES {
            let image = ico::IconImage::read_png(self.render_mark(edge)?)?;
            // Older Windows tools read PNG inside an icon only for its largest image.
            let entry = if edge < ICO_PNG_EDGE_MIN {
                ico::IconDirEntry::encode_as_bmp(&image)?
            } else {
                ico::IconDirEntry::encode_as_png(&image)?
            };
            icon.add_entry(entry);
        }
        icon.write(self.create("icon.ico")?).context("could not write the Windows icon")
    }

    fn write_icns(&self) -> Result<()> {
        let mut family = icns::IconFamily::new();
        for edge in ICNS_EDGES {
            family.add_icon(&icns::Image::read_png(self.render_mark(edge)?)?)?;
        }
        family.write(self.create("icon.icns")?).context("could not write the macOS icon")
    }
}

#[cfg(test)]
mod tests {
    use super::{INKS, PROGRAM, TRAY, TRAY_EDGES};
    use crate::repository::Repository;

    /// Pixels of 256 in which two tray shapes must differ to be told apart at a glance.
    const PIXELS_APART_MIN: usize = 24;

    fn read(name: &str) -> ico::IconImage {
        let path = Repository::locate().unwrap().root.join("icons").join(name);
        let file = super::File::open(path).unwrap();
        ico::IconImage::read_png(super::BufReader::new(file)).unwrap()
    }

    #[test]
    fn every_committed_image_has_its_size() {
        for (name, edge) in PROGRAM {
            assert_eq!((read(name).width(), read(name).height()), (edge, edge), "{name}");
        }
        for state in TRAY {
            for (suffix, _) in INKS {
                for (edge, _) in TRAY_EDGES {
                    let image = read(&format!("tray-{state}{suffix}-{edge}.png"));
                    assert_eq!((image.width(), image.height()), (edge, edge), "{state} {edge}");
                }
            }
        }
    }

    #[test]
    fn tray_shapes_differ_without_colour() {
        let shape = |state: &str| -> Vec<bool> {
            let image = read(&format!("tray-{state}-16.png"));
            image.rgba_data().chunks(4).map(|pixel| pixel[3] > 127).collect()
        };
        for (place, one) in TRAY.iter().enumerate() {
            for other in &TRAY[place + 1..] {
                let apart = shape(one).iter().zip(shape(other)).filter(|(a, b)| **a != *b).count();
                assert!(apart >= PIXELS_APART_MIN, "{one} and {other} differ in {apart} pixels");
            }
        }
    }

    #[test]
    fn tray_ink_shows_on_light_and_dark_panels() {
        let channel = |part: &str| {
            let value = f64::from(u8::from_str_radix(part, 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let ink = INKS[0].1;
        let light = 0.2126 * channel(&ink[1..3])
            + 0.7152 * channel(&ink[3..5])
            + 0.0722 * channel(&ink[5..7]);
        let (on_white, on_black) = (1.05 / (light + 0.05), (light + 0.05) / 0.05);
        assert!(
            on_white >= 3.0 && on_black >= 3.0,
            "{on_white:.2} on white, {on_black:.2} on black"
        );
    }
}
