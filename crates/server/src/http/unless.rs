//! Work that something else may put an end to.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Wakes a task, and remembers that it did.
struct Bell {
    rung: AtomicBool,
    task: Waker,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

/// What comes of `work`, unless it is `over` before. Whether it is, is looked at when something came of that
/// and not whenever there is work, which is some times for each request.
pub(super) async fn unless<T>(work: impl Future<Output = T>, over: impl Future) -> Option<T> {
    let (mut work, mut over) = (pin!(work), pin!(over));
    let mut bell: Option<Arc<Bell>> = None;
    poll_fn(|cx| {
        let bell = match &mut bell {
            Some(bell) if bell.task.will_wake(cx.waker()) => bell,
            other => {
                let (rung, task) = (AtomicBool::new(true), cx.waker().clone());
                other.insert(Arc::new(Bell { rung, task }))
            }
        };
        if bell.rung.load(Ordering::Relaxed) && bell.rung.swap(false, Ordering::Acquire) {
            let waker = Waker::from(Arc::clone(bell));
            if over.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                return Poll::Ready(None);
            }
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::sync::Notify;
    use tokio::task::yield_now;

    /// Ends when it is told to, and counts how often it is looked at.
    async fn told(by: &Notify, looked: &AtomicUsize) {
        let mut told = pin!(by.notified());
        poll_fn(|cx| {
            looked.fetch_add(1, Ordering::Relaxed);
            told.as_mut().poll(cx)
        })
        .await;
    }

    #[tokio::test]
    async fn work_ends_by_itself_and_nothing_else_is_looked_at_meanwhile() {
        let (never, looked) = (Notify::new(), AtomicUsize::new(0));
        let work = async {
            for _ in 0..10 {
                yield_now().await;
            }
            7
        };
        assert_eq!(unless(work, told(&never, &looked)).await, Some(7));
        assert_eq!(looked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn work_ends_when_it_is_over() {
        let (over, looked) = (Arc::new(Notify::new()), AtomicUsize::new(0));
        let teller = Arc::clone(&over);
        tokio::spawn(async move {
            yield_now().await;
            teller.notify_one();
        });
        assert_eq!(unless(std::future::pending::<()>(), told(&over, &looked)).await, None);
        assert_eq!(looked.load(Ordering::Relaxed), 2);
        // Also when it was before it began.
        over.notify_one();
        assert_eq!(unless(async { 7 }, told(&over, &looked)).await, None);
    }

    #[tokio::test]
    async fn whoever_waits_for_it_may_change() {
        let (over, looked) = (Notify::new(), AtomicUsize::new(0));
        let mut both = pin!(unless(std::future::pending::<()>(), told(&over, &looked)));
        assert!(both.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        over.notify_one();
        assert_eq!(both.await, None);
    }
}
