// What can be known about the widget without running it: its weight, its words, and what it must never contain.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { address, linked } from '../../web/widget/text.js';
import { gz, served } from './fake.js';

const WIDGET = new URL('../../web/widget/', import.meta.url);
const read = (name) => readFileSync(new URL(name, WIDGET), 'utf8');
const modules = readdirSync(WIDGET).filter((name) => name.endsWith('.js'));
const languages = readdirSync(new URL('lang/', WIDGET));

for (const [name, limit] of [['loader.js', 3_000], ['chat.js', 20_000], ...languages.map((name) => [`lang/${name}`, 2_000])]) {
  test(`${name} is at most ${limit} bytes on the wire`, () => {
    const size = gz(served(name));
    process.stdout.write(`size: ${name} ${size} bytes gz\n`);
    assert.ok(size <= limit, `${name} is ${size} bytes`);
  });
}

test('every language has every word, with the same places to fill in', () => {
  const english = JSON.parse(read('lang/en.json'));
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const name of languages) {
    const words = JSON.parse(read(`lang/${name}`));
    assert.deepEqual(Object.keys(words), Object.keys(english), name);
    for (const key of Object.keys(words)) assert.deepEqual(places(words[key]), places(english[key]), `${name}: ${key}`);
  }
});

test('every word is used, and every word used is there', () => {
  const english = JSON.parse(read('lang/en.json'));
  const code = modules.map(read).join('\n');
  // The fields a desk may ask for are named by its configuration.
  const fields = ['name', 'email', 'category'];
  for (const key of Object.keys(english)) assert.ok(fields.includes(key) || new RegExp(`['"\`]${key.replace(/\..*/, '').replace(/_\d$/, '_')}`).test(code), key);
  for (const [, key] of code.matchAll(/\bsay\('(\w+)'/g)) assert.ok(english[key] ?? english[`${key}.other`], key);
});

test('no markup is parsed, no style is set, nothing is evaluated, nobody else is asked', () => {
  for (const name of modules) {
    const code = read(name);
    for (const never of [/\binnerHTML\b/, /\bouterHTML\b/, /insertAdjacentHTML/, /document\.write/, /DOMParser/, /\beval\(/, /new Function/, /\.style\b/, /setAttribute\('style'/, /document\.cookie/, /sessionStorage/, /https?:\/\/(?!www\.w3\.org)[a-z]/])
      assert.doesNotMatch(code, never, name);
  }
});

test('the list of files names what there is', () => {
  const listed = read('FILES').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/)[0]);
  assert.deepEqual([...listed].sort(), [...modules, 'page.css', ...languages.map((name) => `lang/${name}`)].sort());
});

test('addresses in a text become links, and nothing else does', () => {
  const links = (text) => linked(text).filter((_, i) => i % 2).map(address);
  const text = 'See https://a.example/b?c=d, or (http://e.example/f) or ann@example.org.';
  assert.deepEqual(links(text), ['https://a.example/b?c=d', 'http://e.example/f', 'mailto:ann@example.org']);
  assert.equal(linked(text).join(''), text);
  assert.deepEqual(links('javascript:alert(1) data:text/html,x <a href="x"> //host'), []);
});
