// The real daemon with a chat source, in a folder of its own.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.GUICHET_BINARY ?? new URL('../../target/debug/guichet', import.meta.url).pathname;
export const missing = existsSync(program) ? null : 'target/debug/guichet is not built (cargo build)';

/** Starts it; resolves to {url, source, guichet(...words), kill(), start(), stop()}. */
export async function daemon({ origins = [], more = '' } = {}) {
  const place = mkdtempSync(join(tmpdir(), 'guichet-web.'));
  const port = await freePort();
  const config = join(place, 'guichet.toml');
  const url = `http://127.0.0.1:${port}`;
  const limits = '{ messages = 0, messages_hour = 0, tickets = 0, tickets_address = 0, connects = 0, uploads = 0, uploads_address = 0 }';
  writeFileSync(config, `[http]\nlisten = "127.0.0.1:${port}"\n[[source]]\nname = "web"\nchannel = "chat"\norigins = ${JSON.stringify(origins)}\nemail = "help@desk.example"\nprivacy_url = "https://desk.example/privacy"\nlimits = ${limits}\n${more}\n`);
  const state = join(place, 'state');
  const made = { url, source: `${url}/in/web` };
  let child;
  let said = '';
  made.start = async () => {
    child = spawn(program, ['--config', config, '--state', state, 'run'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stderr.on('data', (part) => (said += part));
    for (let i = 0; ; i++) {
      if (await fetch(`${url}/health/live`).then(({ ok }) => ok, () => false)) return;
      if (child.exitCode != null || i > 600) throw new Error(`the daemon does not start: ${said}`);
      await new Promise((go) => setTimeout(go, 50));
    }
  };
  made.kill = (signal = 'SIGKILL') => new Promise((go) => (child.exitCode != null || child.signalCode ? go() : (child.once('exit', go), child.kill(signal))));
  made.stop = async () => {
    await made.kill('SIGTERM');
    rmSync(place, { recursive: true, force: true });
  };
  made.guichet = (...words) => new Promise((go, no) => execFile(program, ['--config', config, '--state', state, ...words], (error, out, err) => (error ? no(new Error(err)) : go(out))));
  await made.start();
  return made;
}

function freePort() {
  return new Promise((go) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => go(port));
    });
  });
}
