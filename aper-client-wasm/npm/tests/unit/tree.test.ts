// @vitest-environment jsdom

import { readFile } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import { Tree, brief, equal, oneLine } from '../../src/tree.js';

test('the page of the server draws with the same file', async () => {
  const [package_, page] = await Promise.all(
    ['aper-client-wasm/npm/src/tree.js', 'aper-server/src/inspector/page/tree.js'].map((path) =>
      // From the repository's root, where vitest runs.
      readFile(path, 'utf8'),
    ),
  );
  expect(page).toBe(package_);
});

/** What a tree shows: its lines, each with its mark. */
function shown(value: unknown, before?: unknown): string[] {
  const tree = new Tree('Test');
  tree.show(value, before);
  return lines(tree);
}

function lines(tree: Tree): string[] {
  return [...tree.element.querySelectorAll('.line')].map((line) => {
    const text = [...line.childNodes].filter((node) => !(node instanceof HTMLElement) || !/mark|twist/.test(node.className));
    const kind = line.parentElement!.className;
    return `${kind === '' ? '' : `${kind} `}${text.map((node) => node.textContent).join('')}`;
  });
}

describe('a tree', () => {
  test('shows JSON', () => {
    expect(shown({ title: 'cake', done: false, tags: [], at: null })).toEqual([
      '{4}',
      'title: "cake"',
      'done: false',
      'tags: []',
      'at: null',
    ]);
    expect(shown(undefined)).toEqual(['undefined']);
    expect(shown(12345678901234567890n)).toEqual(['12345678901234567890']);
  });

  test('marks what is another than before', () => {
    expect(shown({ a: 1, b: { c: 2, d: 3 } }, { a: 1, b: { c: 2, d: 4 }, e: 5 })).toEqual([
      'changed {2}',
      'a: 1',
      'changed b: {2}',
      'c: 2',
      'changed d: 3',
      'removed e: 5',
    ]);
    expect(shown({ a: 1 }, { a: 1 })).toEqual(['{1}', 'a: 1']);
  });

  test('finds an element again that has moved', () => {
    const [one, two] = [{ id: 'one', n: 1 }, { id: 'two', n: 2 }];
    expect(shown([two, one, { id: 'three', n: 3 }], [one, two])).toEqual([
      'changed [3]',
      '0: {2}',
      'id: "two"',
      'n: 2',
      '1: {2}',
      'id: "one"',
      'n: 1',
      'changed 2: {2}',
      'changed id: "three"',
      'changed n: 3',
    ]);
    const last = shown([two], [one, two]);
    expect(last).toContain('removed 0: {2}');
  });

  test('draws a long list in parts', () => {
    const tree = new Tree('Test');
    tree.show(Array.from({ length: 130 }, (_, index) => index));
    expect(lines(tree)).toHaveLength(101);
    const rest = tree.element.querySelector<HTMLElement>('.rest')!;
    expect(rest.textContent).toBe('30 more');
    rest.click();
    expect(lines(tree)).toHaveLength(131);
  });

  test('keeps what somebody closed when the value is another', () => {
    const tree = new Tree('Test');
    tree.show({ a: { b: 1 } });
    expect(lines(tree)).toHaveLength(3);
    tree.element.querySelectorAll<HTMLElement>('li')[1]!.click();
    expect(lines(tree)).toEqual(['{1}', 'a: {b: 1}']);
    tree.show({ a: { b: 2 } });
    expect(lines(tree)).toEqual(['{1}', 'a: {b: 2}']);
  });

  test('opens what is another, however deep, and nothing else', () => {
    const deep = (n: number, m: number): unknown => ({ a: { b: { c: { n } } }, d: { e: { f: { m } } } });
    expect(shown(deep(1, 1), deep(0, 1))).toEqual([
      'changed {2}',
      'changed a: {1}',
      'changed b: {1}',
      'changed c: {1}',
      'changed n: 1',
      'd: {1}',
      'e: {f: {m: 1}}',
    ]);
  });

  test('puts a transition into a line that can be read', () => {
    const id = '46758423-eb10-4c23-95e2-f7a1958ec153';
    expect(brief({ addCard: { id, title: 'Paint the banner', tags: [1, null] } })).toBe(
      'addCard {title: "Paint the banner", tags: [1, null], id: 4675…c153}',
    );
    expect([brief('increment'), brief(null), brief({ n: 1 }), brief([])]).toEqual(['"increment"', 'null', '{n: 1}', '[]']);
    expect(brief({ say: { text: 'x'.repeat(900) } }).length).toBeLessThan(80);
    expect(brief(Array.from({ length: 9000 }, () => 'word')).length).toBeLessThan(310);
  });

  test('takes strange keys for nothing but keys', () => {
    const strange = JSON.parse('{"__proto__": 1, "constructor": 2, "a/b": {"": 3}}');
    expect(shown(strange, {})).toEqual([
      'changed {3}',
      'changed __proto__: 1',
      'changed constructor: 2',
      'changed a/b: {1}',
      'changed : 3',
    ]);
    expect(equal(strange, {})).toBe(false);
    expect(oneLine('<b>'.repeat(9), 10)).toBe('"<b><b><b>…');
  });
});
