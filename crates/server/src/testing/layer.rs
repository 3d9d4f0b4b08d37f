//! What stands in front of the service in a test: faults, the list of requests, and `/_test/...`
//! where that is on. It is no part of the service's table, so no other server has any of it.

use super::control;
use super::faults::{Kind, Seen};
use super::inside::Inside;
use crate::error::Error;
use crate::http::body::{self, Body};
use crate::http::listen::Handler;
use crate::http::reply::{Reply, RequestMeta};
use crate::rest::Service;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::sleep;

/// Hands requests to the service, or sees to them itself.
pub(super) struct Layer {
    service: Service,
    inside: Arc<Inside>,
    /// Whether `/_test/...` is answered.
    control: bool,
}

impl Layer {
    pub(super) fn new(service: Service, inside: Arc<Inside>, control: bool) -> Self {
        Self { service, inside, control }
    }

    /// The answer of the service, unless a fault strikes.
    async fn serve(
        &self,
        request: hyper::Request<Body>,
        meta: &RequestMeta,
        peer: SocketAddr,
    ) -> Reply {
        let Some(fault) = self.inside.faults.strike(&request) else {
            return self.service.handle(request, meta, peer).await;
        };
        tracing::info!(?fault, path = request.uri().path(), "a test asked for a fault");
        if let Some(reply) = fault.instead() {
            let (head, body) = request.into_parts();
            body::discard(&head.headers, body).await;
            return reply;
        }
        if let Kind::Delay(time) = fault {
            sleep(time).await;
        }
        let method = request.method().clone();
        let reply = self.service.handle(request, meta, peer).await;
        fault.strike(reply, &method)
    }
}

impl Handler for Layer {
    async fn handle(
        &self,
        request: hyper::Request<Body>,
        meta: &RequestMeta,
        peer: SocketAddr,
    ) -> Reply {
        if self.control && !control::is_loopback(request.headers()) {
            let (head, body) = request.into_parts();
            body::discard(&head.headers, body).await;
            return Error::Forbidden.into();
        }
        if self.control && control::is_for_it(request.uri().path()) {
            return control::answer(&self.inside, request).await;
        }
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let reply = self.serve(request, meta, peer).await;
        let status = (!reply.is_broken()).then(|| reply.status.as_u16());
        let time = self.inside.clock.now();
        self.inside.requests.add(Seen { time, method, path, status });
        reply
    }
}
