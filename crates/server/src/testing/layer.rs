//! What stands in front of the service in a test.

use super::engine::Inside;
use crate::http::Service;
use crate::http::body::Body;
use crate::http::listen::Handler;
use crate::http::reply::{Facts, Reply};
use std::net::SocketAddr;
use std::sync::Arc;

/// Hands requests to the service.
pub(super) struct Layer {
    service: Service,
}

impl Layer {
    pub(super) fn new(inside: &Arc<Inside>) -> Self {
        Self { service: Service(Arc::clone(&inside.app)) }
    }
}

impl Handler for Layer {
    async fn handle(
        &self,
        request: hyper::Request<Body>,
        facts: &Facts,
        peer: SocketAddr,
    ) -> Reply {
        self.service.handle(request, facts, peer).await
    }
}
