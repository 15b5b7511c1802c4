//! Structs whose fields all have one type, with an enum that names the fields.

/// Defines a struct and the enum of its fields. Columns, sums and lists of the fields go through
/// the enum, so that a new field is added in one place.
#[macro_export]
macro_rules! keyed_fields {
    (
        $(#[$doc:meta])* $name:ident by $(#[$key_doc:meta])* $key:ident: $value:ty
        { $($(#[$field_doc:meta])* $field:ident = $variant:ident),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name { $($(#[$field_doc])* pub $field: $value),+ }

        $(#[$key_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $key { $($variant),+ }

        impl $key {
            /// Every field, in the order of the struct.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($field)),+ }
            }
        }

        impl $name {
            #[must_use]
            pub const fn get(&self, key: $key) -> $value {
                match key { $($key::$variant => self.$field),+ }
            }

            /// Makes every field with `value`.
            pub fn from_fn(mut value: impl FnMut($key) -> $value) -> Self {
                Self { $($field: value($key::$variant)),+ }
            }

            /// [`Self::from_fn`] that stops at the first error.
            ///
            /// # Errors
            /// The first error of `value`.
            pub fn try_from_fn<E>(
                mut value: impl FnMut($key) -> Result<$value, E>,
            ) -> Result<Self, E> {
                Ok(Self { $($field: value($key::$variant)?),+ })
            }
        }
    };
}
