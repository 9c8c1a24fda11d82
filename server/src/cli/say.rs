//! What a command says to whoever started it, who may have left (`| head`) or have no room for it (`> FILE` on a full
//! disk). A refund that was made is made all the same: nothing here panics.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Says a line on standard output.
macro_rules! say {
    ($($words:tt)*) => { $crate::cli::say::on_output(format_args!($($words)*)) };
}

/// Says a line on standard error.
macro_rules! complain {
    ($($words:tt)*) => { $crate::cli::say::on_error(format_args!($($words)*)) };
}

pub(super) fn on_output(words: Arguments<'_>) {
    match writeln!(io::stdout(), "{words}") {
        Ok(()) => {}
        // Who read it has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            if !IS_LOST.swap(true, Ordering::Relaxed) {
                on_error(format_args!("tillgate: standard output cannot be written: {error}"));
            }
        }
    }
}

pub(super) fn on_error(words: Arguments<'_>) {
    // Nothing is left to say it to.
    let _ = writeln!(io::stderr(), "{words}");
}

/// Whether something that was to be said on standard output is lost.
pub(super) fn is_lost() -> bool {
    IS_LOST.load(Ordering::Relaxed)
}
