//! Wake-ups: one permit a topic and process. Some never arrive while the script says so; nothing may depend on them.

use crate::world::{Inner, Link};
use bw_domain::port::Fut;
use bw_domain::port::wake::{Topic, Wake};
use std::collections::BTreeMap;
use std::task::{Poll, Waker};

/// The topics of one process.
#[derive(Debug, Default)]
pub struct Bells(BTreeMap<Topic, Bell>);

#[derive(Debug, Default)]
struct Bell {
    rung: bool,
    listener: Option<Waker>,
}

impl Bells {
    fn ring(&mut self, topic: Topic) {
        let bell = self.0.entry(topic).or_default();
        bell.rung = true;
        if let Some(listener) = bell.listener.take() {
            listener.wake();
        }
    }
}

impl Wake for Link {
    fn notify(&self, topic: Topic) {
        let mut inner = self.world.lock();
        if inner.mood.wakes_lost && inner.chance.permille(700) {
            return;
        }
        // Those of other nodes come by way of the store.
        let Inner { lives, bells, .. } = &mut *inner;
        for life in lives.all() {
            bells.entry(life).or_default().ring(topic);
        }
    }

    fn wait(&self, topic: Topic) -> Fut<'_, ()> {
        Box::pin(std::future::poll_fn(move |context| {
            let mut inner = self.world.lock();
            let bell = inner.bells.entry(self.life).or_default().0.entry(topic).or_default();
            if std::mem::take(&mut bell.rung) {
                return Poll::Ready(());
            }
            bell.listener = Some(context.waker().clone());
            Poll::Pending
        }))
    }
}
