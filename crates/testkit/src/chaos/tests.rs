use super::*;

/// A server that answers each byte with three of its kind.
async fn echo_thrice() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut byte = [0];
                while stream.read_exact(&mut byte).await.is_ok() {
                    if stream.write_all(&[byte[0]; 3]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

async fn rest(stream: &mut TcpStream) -> (String, Option<io::ErrorKind>) {
    let mut all = Vec::new();
    let end = stream.read_to_end(&mut all).await.err().map(|error| error.kind());
    (String::from_utf8(all).unwrap(), end)
}

#[tokio::test]
async fn bytes_pass_until_somebody_closes() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"ab").await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(rest(&mut stream).await, ("aaabbb".to_owned(), None));
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_refused_connection_fails_at_once_and_the_port_comes_back() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    let mut open = TcpStream::connect(proxy.address()).await.unwrap();
    open.write_all(b"a").await.unwrap();
    let mut answer = [0; 3];
    open.read_exact(&mut answer).await.unwrap();

    proxy.set(Chaos::Refuse).await;
    let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(rest(&mut open).await, (String::new(), Some(io::ErrorKind::ConnectionReset)));

    proxy.set(Chaos::Pass).await;
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    again.write_all(b"b").await.unwrap();
    again.shutdown().await.unwrap();
    assert_eq!(rest(&mut again).await, ("bbb".to_owned(), None));
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_takes_the_connection_and_says_nothing() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    proxy.set(Chaos::BlackHole).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"a").await.unwrap();
    let answer = tokio::time::timeout(Duration::from_hours(1), stream.read_u8()).await;
    assert!(answer.is_err(), "it answered {answer:?}");
}

#[tokio::test]
async fn it_resets_after_so_many_bytes_of_the_answer() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    proxy.set(Chaos::ResetAfter(Way::Down, 4)).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"ab").await.unwrap();
    // What was on its way may be lost with the reset; nothing behind the fourth byte ever comes.
    let (got, end) = rest(&mut stream).await;
    assert!("aaab".starts_with(&got), "{got}");
    assert_eq!(end, Some(io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn it_closes_in_order_after_so_many_bytes() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    proxy.set(Chaos::FinAfter(Way::Down, 4)).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"ab").await.unwrap();
    assert_eq!(rest(&mut stream).await, ("aaab".to_owned(), None));
}

#[tokio::test]
async fn what_the_server_gets_can_be_cut_too() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    proxy.set(Chaos::FinAfter(Way::Up, 1)).await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    stream.write_all(b"ab").await.unwrap();
    assert_eq!(rest(&mut stream).await, ("aaa".to_owned(), None));
}

#[tokio::test(start_paused = true)]
async fn it_is_late_or_drips_by_the_byte() {
    let proxy = ChaosProxy::before(echo_thrice().await).await.unwrap();
    for (chaos, at_least) in [
        (Chaos::Latency(Duration::from_secs(2)), Duration::from_secs(4)),
        (Chaos::Drip(Duration::from_secs(1)), Duration::from_secs(4)),
    ] {
        proxy.set(chaos).await;
        let began = tokio::time::Instant::now();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        stream.write_all(b"a").await.unwrap();
        let mut answer = [0; 3];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"aaa");
        assert!(began.elapsed() >= at_least, "{chaos:?}: {:?}", began.elapsed());
    }
}
