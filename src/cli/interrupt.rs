//! Ctrl-C while something must not stop just anywhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Exit, output};

/// Whether somebody has asked to stop.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on the first Ctrl-C is a request, and the second one ends the process.
    ///
    /// Where signals cannot be had, Ctrl-C ends the process at once, as ever: a publication survives that too.
    pub(crate) fn watch() -> Interrupt {
        let interrupt = Interrupt::default();
        let asked = interrupt.clone();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return interrupt };
        // The thread is never waited for: it ends with the process.
        std::thread::spawn(move || {
            runtime.block_on(async {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                asked.0.store(true, Ordering::Relaxed);
                output::talk("stopping as soon as it is known what became of this step; Ctrl-C again stops at once");
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(Exit::Interrupted as i32);
                }
            });
        });
        interrupt
    }

    /// Whether somebody has asked.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
