// A chat source to try the widget on without the daemon: the desk of desk.js behind HTTP and WebSocket, and pages of companies that
// embed it, kind and hostile. `node tests/web/fake.js 8426` serves it to a person's browser.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { Desk, LIMITS } from './desk.js';

const HERE = new URL('.', import.meta.url);
const WIDGET = new URL('../../web/widget/', HERE);
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', json: 'application/json', html: 'text/html; charset=utf-8' };

// `chat.js` travels as one file with everything it needs, in this order; comment lines and indentation stay at home.
const PARTS = 'text dom outbox session transport words styles thread composer chat'.split(' ');

/** What leaves the server under a name. The daemon does the same; web/widget/FILES has the rule. */
export function served(name) {
  const text = (file) => readFileSync(new URL(file, WIDGET), 'utf8');
  if (!name.endsWith('.js')) return text(name);
  const lines = (file) => text(file).split('\n').map((line) => line.trimStart()).filter((line) => line && !/^(\/\/|\/\*\*|\*[ /])/.test(line));
  if (name !== 'chat.js') return lines(name).join('\n');
  return PARTS.flatMap((part) => lines(`${part}.js`).filter((line) => !line.startsWith('import ')).map((line) => (part === 'chat' ? line : line.replace(/^export /, '')))).join('\n');
}

export const gz = (text) => gzipSync(text, { level: 9 }).length;

/** Starts a source; resolves to {url, desk, requests, stop(), …}. */
export async function fake({ port = 0, config = {}, desk = new Desk(), pages = {} } = {}) {
  const state = { desk, requests: [], sockets: true, streams: true, up: true, config, pages };
  const links = new Set();
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://fake');
    state.requests.push(`${request.method} ${url.pathname}`);
    if (!state.up) return request.socket.destroy();
    const cors = { 'Access-Control-Allow-Origin': request.headers.origin ?? '*', 'Access-Control-Allow-Headers': 'authorization, content-type, guichet-identity', 'Access-Control-Max-Age': '600', Vary: 'Origin' };
    const give = (status, body, type = 'application/json', more = {}) => response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...cors, ...more }).end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
    if (request.method === 'OPTIONS') return give(204, '');
    const { pathname } = url;
    const page = state.pages[pathname];
    if (page) return give(200, page.body, TYPES.html, page.headers);
    const file = /^\/in\/web\/widget\/([\w./-]+)$/.exec(pathname)?.[1];
    if (file) {
      try {
        return give(200, served(file), TYPES[file.split('.').at(-1)]);
      } catch {
        return give(404, {});
      }
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const cursors = Object.fromEntries((url.searchParams.get('after') || '').split(',').filter(Boolean).map((pair) => pair.split(':')).map(([id, seq]) => [id, +seq]));
    if (pathname === '/in/web') return give(200, hosted(url.searchParams.get('lang') ?? 'en'), TYPES.html, HOSTED);
    if (pathname === '/in/web/config')
      return give(200, { v: 1, source: 'web', lang: 'en', texts: {}, form: [], identity: 'optional', limits: LIMITS, desk: desk.status, email: desk.email, ...(typeof state.config === 'function' ? state.config(url) : state.config) });
    if (pathname === '/in/web/frames') {
      return body(request, (bytes) => {
        const frames = [];
        const peer = desk.join({ send: (frame) => frames.push(frame), close() {}, session: createHash('sha256').update(token).digest('hex') });
        peer.live = new Map([...desk.convs.values()].map((conv) => [conv.id, conv.events.length]));
        for (const frame of [JSON.parse(bytes)].flat()) desk.frames(peer, frame);
        desk.leave(peer);
        give(200, { frames: frames.filter(({ type }) => type !== 'event' || frames.some((other) => other.type === 'synced')) });
      });
    }
    if (pathname === '/in/web/events') {
      if (!state.streams) return give(502, {});
      response.writeHead(200, { 'Content-Type': 'text/event-stream', ...cors });
      const peer = { send: (frame) => response.write(`data: ${JSON.stringify(frame)}\n\n`), close: (code) => response.end(`event: close\ndata: {"code":${code}}\n\n`) };
      desk.join(peer, { token, cursors });
      const link = { cut: () => response.destroy() };
      links.add(link);
      return response.on('close', () => (desk.leave(peer), links.delete(link)));
    }
    if (pathname === '/in/web/poll') {
      const frames = [];
      const finish = () => (desk.leave(peer), response.writableEnded || give(200, { frames }));
      const peer = { send: (frame) => (frames.push(frame), setTimeout(finish, 5)), close: finish };
      peer.session = createHash('sha256').update(token).digest('hex');
      desk.join({ send: (frame) => (frame.type !== 'welcome' || frame.convs.some(({ conv }) => cursors[conv] == null)) && peer.send(frame), close: finish }, { token, cursors });
      const made = [...desk.peers].at(-1);
      const end = setTimeout(() => (desk.leave(made), finish()), +url.searchParams.get('wait') * 1_000);
      return response.on('close', () => (clearTimeout(end), desk.leave(made)));
    }
    if (pathname === '/in/web/uploads') {
      return body(request, (bytes) => {
        const told = desk.upload(bytes, url.searchParams.get('name'), request.headers['content-type'] ?? 'application/octet-stream');
        if (told.code) give(413, { frames: [{ type: 'error', fatal: false, ...told }] });
        else give(200, told);
      });
    }
    give(404, { frames: [{ type: 'error', code: 'not_found', message: 'Not found.', fatal: false }] });
  });

  server.on('upgrade', (request, socket) => {
    state.requests.push('WS');
    if (!state.up || !state.sockets) return socket.destroy();
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: guichet.v1\r\n\r\n`);
    const peer = {
      send: (frame) => socket.writable && socket.write(framed(1, Buffer.from(JSON.stringify(frame)))),
      close: (code) => socket.end(framed(8, Buffer.from([code >> 8, code & 255]))),
    };
    desk.join(peer);
    const link = { cut: () => socket.destroy() };
    links.add(link);
    let rest = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => (desk.leave(peer), links.delete(link)));
    socket.on('data', (part) => {
      rest = Buffer.concat([rest, part]);
      for (let read; (read = unframed(rest)); rest = read.rest) {
        if (read.code === 8) return socket.end(framed(8, read.data.subarray(0, 2)));
        if (read.code === 1) desk.frames(peer, JSON.parse(read.data));
      }
    });
  });
  await new Promise((go) => server.listen(port, '127.0.0.1', go));
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.cut = () => [...links].forEach((link) => link.cut());
  state.stop = () => new Promise((go) => (state.cut(), server.close(go), server.closeAllConnections()));
  return state;
}

const HOSTED = { 'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'" };
const hosted = (lang) => readFileSync(new URL('page.html', WIDGET), 'utf8').replaceAll('{{lang}}', lang).replaceAll('{{name}}', 'Support').replaceAll('{{base}}', '/in/web/').replaceAll('{{noscript}}', 'This chat needs JavaScript. Write to help@desk.example.');

function body(request, then) {
  const parts = [];
  request.on('data', (part) => parts.push(part)).on('end', () => then(Buffer.concat(parts)));
}

function framed(code, data) {
  const head = data.length < 126 ? [0x80 | code, data.length] : data.length < 65_536 ? [0x80 | code, 126, data.length >> 8, data.length & 255] : [0x80 | code, 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (data.length >>> by) & 255)];
  return Buffer.concat([Buffer.from(head), data]);
}

function unframed(bytes) {
  if (bytes.length < 6) return null;
  let [at, size] = [2, bytes[1] & 127];
  if (size === 126) [at, size] = [4, bytes.readUInt16BE(2)];
  else if (size === 127) [at, size] = [10, Number(bytes.readBigUInt64BE(2))];
  if (bytes.length < at + 4 + size) return null;
  const mask = bytes.subarray(at, at + 4);
  const data = Buffer.from(bytes.subarray(at + 4, at + 4 + size)).map((byte, i) => byte ^ mask[i & 3]);
  return { code: bytes[0] & 15, data, rest: bytes.subarray(at + 4 + size) };
}

/** A company's page with the documented snippet in it. */
export const company = (source, { head = '', attributes = '', lang = 'en', text = 'Some company', headers, nonce = '' } = {}) => ({
  headers,
  body: `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${text}</title>${head}</head><body>
<header>${text}</header><main><h1>${text}</h1><p>We sell things. <a href="#more">More about us</a></p></main>
<script type="module" src="${source}/in/web/widget/loader.js" ${attributes} ${nonce && `nonce="${nonce}"`}></script>
<noscript><a href="${source}/in/web">Contact us</a></noscript></body></html>`,
});

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const source = await fake({ port: +(process.argv[2] ?? 8426), pages: { '/': company('') }, config: { form: [{ name: 'name', type: 'text', required: false }, { name: 'email', type: 'email', required: true }] } });
  process.stdout.write(`${source.url}\n`);
}
