//! The body of an answer: at once, at a rate, or only half of it.

use std::io;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How many pieces a slow body has in a second, where it has that many bytes.
const PIECES: u64 = 10;

/// How long a cut body waits before it breaks off, so that what came before is on its way.
const BEFORE_THE_CUT: Duration = Duration::from_millis(50);

/// Bytes on their way.
pub(super) struct Paced {
    rest: Bytes,
    /// What was announced and has not gone yet; more than `rest` when the body is cut.
    announced: u64,
    rate: Option<NonZeroU64>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    /// All of them, at this many bytes a second; at once where there is no rate.
    pub(super) fn new(bytes: Bytes, rate: Option<NonZeroU64>) -> Paced {
        Paced { announced: bytes.len() as u64, rest: bytes, rate, pause: None }
    }

    /// The same, but the connection breaks half-way. What was announced stays announced.
    pub(super) fn cut(mut self) -> Paced {
        self.rest.truncate(self.rest.len() / 2);
        self
    }

    fn next_piece(&mut self) -> Bytes {
        let Some(rate) = self.rate else { return std::mem::take(&mut self.rest) };
        let size = (rate.get() / PIECES).max(1);
        let piece = self.rest.split_to(usize::try_from(size).unwrap_or(usize::MAX).min(self.rest.len()));
        self.pause = Some(Box::pin(sleep(Duration::from_secs_f64(piece.len() as f64 / rate.get() as f64))));
        piece
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
                if this.rest.is_empty() && this.announced > 0 {
                    return Poll::Ready(Some(Err(io::Error::other("cut on purpose"))));
                }
            }
            match (this.rest.is_empty(), this.announced) {
                (false, _) => {
                    let piece = this.next_piece();
                    this.announced -= piece.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                (true, 0) => return Poll::Ready(None),
                (true, _) => this.pause = Some(Box::pin(sleep(BEFORE_THE_CUT))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.announced == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
