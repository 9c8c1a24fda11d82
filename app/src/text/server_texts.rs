//! How a struct of texts is declared that only the server needs.

/// Structs of texts that only the server needs.
macro_rules! server_texts {
    ($($(#[$meta:meta])* $name:ident { $($field:ident,)* })*) => {
        $(
            $(#[$meta])*
            #[allow(missing_docs, reason = "the name of a text and its English words are its documentation")]
            #[derive(Debug)]
            pub struct $name { $(pub $field: &'static str,)* }

            #[cfg(test)]
            impl $name {
                pub(crate) fn list(&self) -> Vec<&'static str> {
                    vec![$(self.$field,)*]
                }
            }
        )*
    };
}
