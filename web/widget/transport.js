// The ways to the server. Both take `handlers {up(), frame(f), lost({code, opened})}` and give `{send(frames), close()}`; the session
// decides which one, and when again. The secret goes into `hello` or a header, never into an address.
const SILENCE = 45_000;

export function webSocket(base, handlers) {
  let opened = false;
  let ended = false;
  const lost = (code) => ended || ((ended = true), handlers.lost({ code, opened }));
  let socket;
  try {
    socket = new WebSocket(base.replace(/^http/, 'ws') + 'ws', ['guichet.v1']);
  } catch {
    setTimeout(lost);
    return { send() {}, close: () => (ended = true) };
  }
  socket.onopen = () => ((opened = true), handlers.up());
  socket.onmessage = ({ data }) => ended || handlers.frame(JSON.parse(data));
  socket.onclose = ({ code }) => lost(code);
  return {
    send: (frames) => frames.forEach((frame) => socket.readyState === 1 && socket.send(JSON.stringify(frame))),
    close: () => ((ended = true), socket.close(1000)),
  };
}

/** POST for up; a streamed answer for down, or, where proxies hold streams back, long polls. */
export function http(base, session, handlers) {
  const over = new AbortController();
  let queue = Promise.resolve();
  const lost = (code) => over.signal.aborted || (over.abort(), handlers.lost({ code, opened: true }));
  const call = (path, more) => ask(base + path, session, { signal: over.signal, ...more });
  const give = (frames) => frames?.forEach((frame) => over.signal.aborted || handlers.frame(frame));

  async function post(frames) {
    const answer = await call('frames', { method: 'POST', body: new Blob([JSON.stringify(frames)], { type: 'application/json' }) });
    give((await answer.json()).frames);
  }
  const send = (frames) => (queue = queue.then(() => over.signal.aborted || post(frames)).catch(() => lost()));
  const query = () => new URLSearchParams({ after: Object.entries(session.cursors).map((pair) => pair.join(':')).join(), lang: session.env.hello().lang });

  async function stream() {
    if (session.pollOnly) return false;
    const answer = await call(`events?${query()}`);
    if (!answer.ok || !answer.body) return false;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const part = await within(SILENCE, reader.read());
      if (!part) return reader.cancel(), !(session.pollOnly = true);
      if (part.done) return lost(), true;
      const blocks = (text + part.value.replace(/\r/g, '')).split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        const data = /^data: ?(.*)$/m.exec(block)?.[1];
        if (!data) continue;
        const frame = JSON.parse(data);
        if (/^event: ?close$/m.test(block)) return lost(frame.code), true;
        give([frame]);
      }
    }
  }

  async function poll() {
    while (!over.signal.aborted) {
      const answer = await within(SILENCE, call(`poll?wait=25&${query()}`));
      if (!answer?.ok) return lost();
      give((await answer.json()).frames);
    }
  }

  // A first POST brings `welcome`; only then is it known which conversations to listen to.
  Promise.resolve()
    .then(() => over.signal.aborted || (handlers.up(), queue))
    .then(() => over.signal.aborted || stream().catch(() => false).then((done) => done || poll())).catch(() => lost());
  return { send, close: () => over.abort() };
}

/** Puts one file on the server; resolves to {id, name, type, size} or throws the server's error frame. */
export async function upload(base, session, file, signal) {
  const answer = await ask(`${base}uploads?name=${encodeURIComponent(file.name)}`, session, { method: 'POST', body: file, signal });
  const told = await answer.json();
  if (!answer.ok) throw told.frames[0];
  return told;
}

function ask(url, { token, identity }, more) {
  const headers = { Authorization: `Bearer ${token}`, ...(identity && { 'Guichet-Identity': identity }) };
  return fetch(url, { headers, cache: 'no-store', credentials: 'omit', ...more });
}

function within(ms, promise) {
  let timer;
  return Promise.race([promise, new Promise((go) => (timer = setTimeout(go, ms)))]).finally(() => clearTimeout(timer));
}
