//! The time as the sandbox sees it: real, or moved forward by a test.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the sandbox takes the time from: for expiry of sessions and for repeated rollbacks.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;

    /// Moves the clock forward; `false` where it cannot be moved.
    fn advance_ms(&self, by_ms: u64) -> bool;
}

/// The time of the machine, plus what the clock was moved forward by.
#[derive(Debug, Default)]
pub struct SystemClock {
    ahead_ms: AtomicI64,
}

impl SystemClock {
    /// A clock that shows the time of the machine.
    pub const fn new() -> Self {
        Self { ahead_ms: AtomicI64::new(0) }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        machine.saturating_add(self.ahead_ms.load(Ordering::SeqCst))
    }

    fn advance_ms(&self, by_ms: u64) -> bool {
        let Ok(by_ms) = i64::try_from(by_ms) else { return false };
        self.ahead_ms
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ahead| ahead.checked_add(by_ms))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_moves_forward_and_never_overflows() {
        let clock = SystemClock::new();
        let before = clock.now_ms();
        assert!(clock.advance_ms(3_600_000));
        assert!(clock.now_ms() >= before + 3_600_000);
        assert!(!clock.advance_ms(u64::MAX));
        assert!(!clock.advance_ms(i64::MAX.unsigned_abs()));
    }
}
