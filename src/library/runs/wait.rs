//! Waiting for the clock: until when what is open in a run sleeps, and whether anything else in it goes on.
//!
//! Short waits are timers of this process. Where nothing but longer ones is left, they are put aside: the run pauses, needs
//! no process, and whoever keeps the clock goes on with it.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{call::PendingCall, frame::Frame};
use crate::{
    host,
    library::{LibraryError, now_ms, rfc3339_ms},
};

/// Waits that are over sooner are not worth putting the run aside.
const MOMENT: Duration = Duration::from_secs(1);
/// How long nothing may go on before the waits are put aside: answers are on their way for a moment.
const QUIET: Duration = Duration::from_millis(50);

/// The time left until a moment in milliseconds since 1970.
pub fn time_until(at: i64) -> Duration {
    Duration::from_millis(u64::try_from(at.saturating_sub(now_ms())).unwrap_or_default())
}

/// The error for a run that nobody has to do anything about yet.
pub fn waits_for_the_clock(run_id: &str, until: i64) -> LibraryError {
    LibraryError::invalid_with_hint(
        format!("run `{run_id}` waits until {} and goes on by itself then", rfc3339_ms(until)),
        "wait for that; cancel_run ends it before",
    )
}

impl PendingCall {
    /// When it ends, where it waits for the clock.
    pub fn due(&self) -> Option<i64> {
        host::due(&self.function, self.arguments.clone(), self.at)?.ok()?
    }
}

impl Frame {
    /// The first moment until which it, or what it called, sleeps.
    pub fn wakes_at(&self) -> Option<i64> {
        let is_open = |call: &&PendingCall| call.reply.is_none() && self.state.awaited.contains(&call.sequence);
        let own = self.waiting.iter().filter(is_open).filter_map(PendingCall::due);
        own.chain(self.children.iter().filter_map(Self::wakes_at)).min()
    }
}

/// What a run does at the moment: how much goes on, and which timers there are.
#[derive(Default)]
pub struct Activity {
    busy: AtomicUsize,
    /// How often something began.
    begun: AtomicUsize,
    changed: Notify,
    timers: Mutex<Vec<i64>>,
    /// Puts the timers aside.
    parking: Mutex<CancellationToken>,
}

/// Something that goes on until this is dropped.
pub struct Busy<'a>(&'a Activity);

/// Something that goes on, and waits for others until this is dropped.
pub struct Idle<'a>(&'a Activity);

impl Activity {
    /// Something begins.
    pub fn busy(&self) -> Busy<'_> {
        self.begin();
        Busy(self)
    }

    /// Something that is busy waits for others.
    pub fn idle(&self) -> Idle<'_> {
        self.end();
        Idle(self)
    }

    fn begin(&self) {
        self.busy.fetch_add(1, Ordering::SeqCst);
        self.begun.fetch_add(1, Ordering::SeqCst);
    }

    fn end(&self) {
        self.busy.fetch_sub(1, Ordering::SeqCst);
        self.changed.notify_one();
    }

    /// Waits until `due`. `false` when the wait is put aside before.
    pub async fn wait(&self, due: i64) -> bool {
        let parking = self.parking.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.timers().push(due);
        let _timer = Timer(self, due);
        tokio::select! {
            biased;
            () = tokio::time::sleep(time_until(due)) => true,
            () = parking.cancelled() => false,
        }
    }

    /// Puts the timers aside whenever nothing but long waits is left. Never returns.
    pub async fn park_when_quiet(&self) {
        loop {
            let begun = self.begun.load(Ordering::SeqCst);
            if self.busy.load(Ordering::SeqCst) > 0 {
                self.changed.notified().await;
                continue;
            }
            tokio::time::sleep(QUIET).await;
            if self.busy.load(Ordering::SeqCst) > 0 || self.begun.load(Ordering::SeqCst) != begun {
                continue;
            }
            let first = self.timers().iter().copied().min();
            match first.map(time_until) {
                Some(left) if left > MOMENT => {
                    let mut parking = self.parking.lock().unwrap_or_else(PoisonError::into_inner);
                    std::mem::take(&mut *parking).cancel();
                }
                Some(_) | None => self.changed.notified().await,
            }
        }
    }

    fn timers(&self) -> MutexGuard<'_, Vec<i64>> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.begin();
    }
}

struct Timer<'a>(&'a Activity, i64);

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let mut timers = self.0.timers();
        if let Some(at) = timers.iter().position(|due| *due == self.1) {
            timers.swap_remove(at);
        }
        drop(timers);
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_waits_are_put_aside_when_nothing_else_goes_on() {
        let activity = Activity::default();
        let busy = activity.busy();
        let far = now_ms() + 3_600_000;
        tokio::select! {
            parked = activity.wait(far) => panic!("it goes on: {parked}"),
            () = activity.park_when_quiet() => {}
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        drop(busy);
        tokio::select! {
            reached = activity.wait(far) => assert!(!reached),
            () = activity.park_when_quiet() => {}
        }
    }

    #[tokio::test]
    async fn a_short_wait_keeps_the_long_ones() {
        let activity = Activity::default();
        let (soon, far) = (now_ms() + 300, now_ms() + 3_600_000);
        tokio::select! {
            reached = activity.wait(soon) => assert!(reached),
            parked = activity.wait(far) => panic!("the other goes on first: {parked}"),
            () = activity.park_when_quiet() => {}
        }
    }
}
