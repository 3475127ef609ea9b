//! The limit to measure the chat against: axum's WebSocket with the same buffers, which sends back what it gets.
//!
//! `echo 127.0.0.1:PORT`

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8499".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, Router::new().route("/in/site/ws", get(upgrade))).await
}

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["guichet.v1"]).read_buffer_size(4096).write_buffer_size(4096);
    upgrade.max_write_buffer_size(2 << 20).on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
