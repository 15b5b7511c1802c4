//! The tray's icon: a shape for each state, dimmed while what is known is old, with a dot while an
//! incident is open. All of it can be told apart in one colour.

use control::view::VerdictLevel;
use tauri::image::Image;

use super::menu::TrayView;

/// What is left of the opacity of a dimmed icon, in percent.
const DIMMED_PERCENT: u16 = 45;
/// The dot in the upper right corner, and the clear ring around it, in parts of the icon's edge.
const DOT_RADIUS: f32 = 0.19;
const DOT_RING: f32 = 0.07;
/// Bytes of a pixel: red, green, blue, opacity.
const PIXEL_BYTES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrayShape {
    /// The outline of a gate: nothing is set up, or nothing is known.
    Outline,
    /// An open gate.
    Ok,
    /// A triangle.
    Attention,
    /// A bar.
    Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TrayLook {
    pub(super) shape: TrayShape,
    pub(super) is_dimmed: bool,
    pub(super) has_dot: bool,
}

impl TrayLook {
    pub(super) fn of(view: &TrayView) -> Self {
        let level = view.status.as_ref().map(|status| status.verdict.level);
        let shape = match level {
            None | Some(VerdictLevel::Unknown | VerdictLevel::NotSetUp) => TrayShape::Outline,
            Some(VerdictLevel::Ok) => TrayShape::Ok,
            Some(VerdictLevel::Attention) => TrayShape::Attention,
            Some(VerdictLevel::Problem) => TrayShape::Problem,
        };
        Self { shape, is_dimmed: view.is_stale, has_dot: view.open_incidents() > 0 }
    }

    pub(super) fn image(self) -> tauri::Result<Image<'static>> {
        let drawing = Image::from_bytes(match self.shape {
            TrayShape::Outline => include_bytes!("../../../icons/tray-outline-32.png"),
            TrayShape::Ok => include_bytes!("../../../icons/tray-ok-32.png"),
            TrayShape::Attention => include_bytes!("../../../icons/tray-attention-32.png"),
            TrayShape::Problem => include_bytes!("../../../icons/tray-problem-32.png"),
        })?;
        let (mut pixels, edge) = (drawing.rgba().to_vec(), drawing.width());
        if self.is_dimmed {
            dim(&mut pixels);
        }
        if self.has_dot {
            add_dot(&mut pixels, edge);
        }
        Ok(Image::new_owned(pixels, edge, drawing.height()))
    }
}

fn dim(pixels: &mut [u8]) {
    for opacity in pixels.iter_mut().skip(PIXEL_BYTES - 1).step_by(PIXEL_BYTES) {
        let left = u16::from(*opacity) * DIMMED_PERCENT / 100;
        *opacity = u8::try_from(left).unwrap_or(u8::MAX);
    }
}

/// Draws the dot in the colour of the shape.
fn add_dot(pixels: &mut [u8], edge: u32) {
    // The colours of the pixels at its rim are not to be trusted.
    let most_solid = pixels.chunks(PIXEL_BYTES).max_by_key(|pixel| pixel.last().copied());
    let Some(ink) = most_solid.map(<[u8]>::to_vec) else { return };
    let size = edge as f32;
    let (radius, ring) = (size * DOT_RADIUS, size * DOT_RING);
    let (center_x, center_y) = (size - radius, radius);
    for (pixel, at) in pixels.chunks_mut(PIXEL_BYTES).zip(0_u32..) {
        let [x, y] = [at % edge, at / edge].map(|place| place as f32 + 0.5);
        let distance = (x - center_x).hypot(y - center_y);
        if distance <= radius {
            pixel.copy_from_slice(&ink);
            pixel.iter_mut().skip(PIXEL_BYTES - 1).for_each(|opacity| *opacity = u8::MAX);
        } else if distance <= radius + ring {
            pixel.fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels of 1,024 in which two icons must differ to be told apart at a glance.
    const PIXELS_APART_MIN: usize = 60;

    fn opacities(look: TrayLook) -> Vec<u8> {
        let image = look.image().expect("a drawing");
        assert_eq!((image.width(), image.height()), (32, 32));
        image.rgba().chunks(PIXEL_BYTES).map(|pixel| pixel[3]).collect()
    }

    #[test]
    fn the_dot_has_the_colour_of_the_shape() {
        let look = TrayLook { shape: TrayShape::Problem, is_dimmed: false, has_dot: true };
        let image = look.image().expect("a drawing");
        let colours: std::collections::BTreeSet<&[u8]> =
            image.rgba().chunks(PIXEL_BYTES).filter(|pixel| pixel[3] == u8::MAX).collect();
        assert_eq!(colours.len(), 1, "{colours:?}");
    }

    #[test]
    fn every_look_differs_from_every_other_without_colour() {
        let mut looks = Vec::new();
        let shapes = [TrayShape::Outline, TrayShape::Ok, TrayShape::Attention, TrayShape::Problem];
        for shape in shapes {
            for (is_dimmed, has_dot) in [(false, false), (true, false), (false, true), (true, true)]
            {
                looks.push(TrayLook { shape, is_dimmed, has_dot });
            }
        }
        for (place, one) in looks.iter().enumerate() {
            for other in &looks[place + 1..] {
                let pairs = opacities(*one).into_iter().zip(opacities(*other));
                let apart = pairs.filter(|(one, other)| one.abs_diff(*other) > 64).count();
                assert!(apart >= PIXELS_APART_MIN, "{one:?} and {other:?}: {apart} pixels");
            }
        }
    }
}
