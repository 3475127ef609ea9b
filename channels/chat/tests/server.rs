//! A real server around a chat, and a client for it that minds the schema.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt as _, StreamExt as _};
use guichet_chat::Chat;
use guichet_contract::{Kind as _, Stop};
use guichet_domain::Ids as _;
use guichet_domain::ids::SourceName;
use guichet_testkit::TestIds;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::desk::Core;
use crate::schema;

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A chat as the daemon serves it, with a desk behind it.
pub(crate) struct Server {
    pub(crate) core: Arc<Core>,
    pub(crate) address: SocketAddr,
    pub(crate) stop: Stop,
    _state: tempfile::TempDir,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
        self.stop.cancel();
    }
}

impl Server {
    pub(crate) async fn start(settings: Value) -> Self {
        Self::with(Core::new(), settings).await
    }

    /// A new life of the chat on the same desk.
    pub(crate) async fn with(core: Arc<Core>, settings: Value) -> Self {
        let state = tempfile::tempdir().unwrap();
        let channel = Chat.build(&SourceName::from("site"), settings, state.path()).unwrap();
        let router = Router::new().nest_service("/in/site", channel.routes(core.port()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // As the daemon does: what waits for an acknowledgement would stand still while a paused clock runs.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let stop = Stop::new();
        let (port, ending) = (core.port(), stop.clone());
        tokio::spawn(async move { channel.listen(port, ending).await.unwrap() });
        Self { core, address, stop, _state: state, serving }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/in/site/{path}", self.address)
    }

    /// Opens a WebSocket from this origin.
    pub(crate) async fn upgrade(&self, origin: Option<&str>) -> Result<Client, tungstenite::Error> {
        let mut request = format!("ws://{}/in/site/ws", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "guichet.v1".parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let (ws, response) = connect_async_with_config(request, None, true).await?;
        assert_eq!(response.headers()["sec-websocket-protocol"], "guichet.v1");
        Ok(Client { ws })
    }

    pub(crate) async fn connect(&self) -> Client {
        self.upgrade(Some(&self.origin())).await.unwrap()
    }

    /// Connects, says hello and is welcome.
    pub(crate) async fn visitor(&self, token: &str) -> Client {
        self.resumes(token, json!({})).await.0
    }

    /// The same with cursors; answers the welcome too.
    pub(crate) async fn resumes(&self, token: &str, cursors: Value) -> (Client, Value) {
        let mut client = self.connect().await;
        client.send(json!({"type": "hello", "v": 1, "token": token, "lang": "en", "cursors": cursors})).await;
        let welcome = client.next().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        (client, welcome)
    }
}

/// A program that speaks the protocol.
pub(crate) struct Client {
    pub(crate) ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A secret of its own for each number.
pub(crate) fn token(seed: u64) -> String {
    let mut bytes = [0; 32];
    TestIds::seeded(seed).random(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

impl Client {
    pub(crate) async fn send(&mut self, frame: Value) {
        self.ws.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame.
    pub(crate) async fn next(&mut self) -> Value {
        match self.heard().await {
            Ok(frame) => frame,
            Err(code) => panic!("the server closed with {code:?}"),
        }
    }

    /// The next frame of this type.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame, or the code of the close.
    pub(crate) async fn heard(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.ws.next()).await.unwrap();
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    schema::must_be("server", &frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Close(close))) => return Err(close.map(|close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The code the server closes with, whatever it says before.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.heard().await {
                return code;
            }
        }
    }

    /// Says something; answers its acknowledgement.
    pub(crate) async fn says(&mut self, cid: &str, conv: Option<&str>, text: &str) -> Value {
        let mut frame = json!({"type": "msg", "cid": cid, "text": text});
        if let Some(conv) = conv {
            frame["conv"] = json!(conv);
        }
        schema::must_be("client", &frame);
        self.send(frame).await;
        self.next_of("ack").await
    }

    /// Asks for all of a conversation.
    pub(crate) async fn history(&mut self, conv: &str) -> Vec<Value> {
        self.send(json!({"type": "sync", "conv": conv, "after": 0})).await;
        let mut events = Vec::new();
        loop {
            let frame = self.next().await;
            match frame["type"].as_str() {
                Some("event") => events.push(frame),
                Some("synced") => return events,
                _ => {}
            }
        }
    }
}

/// A UUID of its own for each number.
pub(crate) fn cid(number: u128) -> String {
    uuid::Uuid::from_u128(0x0a3c_bb2e_9a0f_4b2f_9d0e_0000_0000_0000 + number).to_string()
}
