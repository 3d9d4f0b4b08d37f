//! An answer on its way: whole, unless a test asked for the connection to break.

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Where a connection breaks, in tests alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AbortAt {
    /// Before the first byte of the answer.
    Before,
    /// In the middle of the body.
    Middle,
}

/// Why hyper ends the connection.
#[derive(Debug)]
pub(super) struct Aborted;

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off because a test asked for it")
    }
}

impl std::error::Error for Aborted {}

/// The body of an answer.
pub(super) enum ResponseBody {
    Whole(Full<Bytes>),
    /// Half of it, and then nothing, though the head promises so many bytes.
    Half(Full<Bytes>, u64, Next),
}

/// What comes next of half a body.
pub(super) enum Next {
    Half,
    /// A pause, in which what there is gets sent.
    Pause,
    End,
}

impl ResponseBody {
    pub(super) fn half(whole: Full<Bytes>) -> Self {
        let length = whole.size_hint().lower();
        Self::Half(whole, length, Next::Half)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let (whole, length, next) = match self.get_mut() {
            Self::Whole(whole) => {
                return Pin::new(whole).poll_frame(cx).map_err(|never| match never {});
            }
            Self::Half(whole, length, next) => (whole, length, next),
        };
        match next {
            Next::Half => {
                *next = Next::Pause;
                let half = usize::try_from(*length / 2).unwrap_or_default();
                let cut = |frame: Frame<Bytes>| frame.map_data(|bytes| bytes.slice(..half));
                let frame = Pin::new(whole).poll_frame(cx);
                frame.map_ok(cut).map_err(|never| match never {})
            }
            Next::Pause => {
                *next = Next::End;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Next::End => Poll::Ready(Some(Err(Aborted))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(whole) if whole.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Half(_, length, _) => SizeHint::with_exact(*length),
        }
    }
}
