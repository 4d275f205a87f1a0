/**
 * A value as JSON has it, drawn as a tree that is used by pointer and keyboard,
 * with marks on what is another than before. What is in it is text and nothing
 * else. Children are made when they are first seen, so many at a time.
 *
 * The inspector's page and the panel in the packages draw with the same file:
 * `aper-server/src/inspector/page/tree.js` and `aper-client-wasm/npm/src/tree.js`.
 */

/** Children that are shown at once; the next are behind a line of their own. */
const CHILDREN = 100;
/** Characters of a text that are shown. */
const TEXT = 300;
/** Nodes with more children than this begin closed, unless they are the whole. */
const OPEN_CHILDREN = 50;
/** Down to this depth, what is another than before begins open. */
const OPEN_CHANGED = 6;
/** Characters of a text within a line of several. */
const BRIEF_TEXT = 40;

export class Tree {
  /** @param {string} label what a screen reader calls it */
  constructor(label) {
    this.element = document.createElement('ul');
    this.element.className = 'tree';
    this.element.setAttribute('role', 'tree');
    this.element.setAttribute('aria-label', label);
    /**
     * What somebody opened or closed, by its path.
     * @type {Map<string, boolean>}
     */
    this.opened = new Map();
    /**
     * How many children somebody wants to see.
     * @type {Map<string, number>}
     */
    this.most = new Map();
    /** Where the keyboard is. */
    this.focus = '';
    /** @type {unknown} */
    this.value = undefined;
    /** @type {unknown} */
    this.before = undefined;
    this.element.addEventListener('click', (event) => this.clicked(event));
    this.element.addEventListener('keydown', (event) => this.pressed(event));
  }

  /**
   * Draws a value. If there is one from before, marks what is another.
   * @param {unknown} value
   * @param {unknown} [before]
   */
  show(value, before) {
    this.value = value;
    this.before = before;
    this.draw();
  }

  draw() {
    const had = this.element.contains(this.active());
    this.element.replaceChildren(
      this.item({ path: '', name: null, depth: 0, value: this.value, before: this.before, removed: false }),
    );
    const focused = this.find(this.focus) ?? this.items()[0];
    if (focused) {
      this.focus = focused.dataset['path'] ?? '';
      focused.tabIndex = 0;
      if (had) {
        focused.focus({ preventScroll: true });
      }
    }
  }

  /** @returns {Element | null} */
  active() {
    const root = this.element.getRootNode();
    return root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
  }

  /** @param {{ path: string, name: string | null, depth: number, value: unknown, before: unknown, removed: boolean }} node */
  item(node) {
    const { path, name, depth, value, before, removed } = node;
    const item = document.createElement('li');
    item.setAttribute('role', 'treeitem');
    item.dataset['path'] = path;
    item.tabIndex = -1;
    const line = item.appendChild(document.createElement('span'));
    line.className = 'line';
    const changed = removed || (before !== undefined && !equal(value, before));
    if (changed) {
      item.classList.add(removed ? 'removed' : 'changed');
      const mark = line.appendChild(element('span', 'mark', removed ? '−' : '●'));
      mark.title = removed ? 'It is not there any more' : 'It was another before';
      mark.setAttribute('aria-label', removed ? 'removed' : 'changed');
      mark.setAttribute('role', 'img');
    }
    const children = isContainer(value) ? Object.keys(value).length : 0;
    const open = children > 0 && this.isOpen(path, depth, children, changed && before !== NOTHING);
    line.append(element('span', 'twist', children === 0 ? '' : open ? '▾' : '▸'));
    if (name !== null) {
      line.append(element('span', 'name', name), ': ');
    }
    line.append(scalar(value, open));
    if (children === 0) {
      return item;
    }
    item.setAttribute('aria-expanded', String(open));
    if (open && isContainer(value)) {
      const group = item.appendChild(document.createElement('ul'));
      group.setAttribute('role', 'group');
      this.children(group, path, depth + 1, value, changed && !removed ? before : undefined, changed);
    }
    return item;
  }

  /**
   * @param {HTMLElement} group
   * @param {string} path
   * @param {number} depth
   * @param {Record<string, unknown>} value
   * @param {unknown} before
   * @param {boolean} changed
   */
  children(group, path, depth, value, before, changed) {
    const most = this.most.get(path) ?? CHILDREN;
    const keys = Object.keys(value);
    const matches = counterparts(value, before);
    for (const name of keys.slice(0, most)) {
      const child = value[name];
      // Without anything that corresponds it is new, if anything is known at all.
      const was = !changed || before === undefined ? undefined : (matches.of(name) ?? NOTHING);
      group.append(this.item({ path: below(path, name), name, depth, value: child, before: was, removed: false }));
    }
    for (const [name, gone] of matches.gone().slice(0, CHILDREN)) {
      group.append(
        this.item({ path: `${below(path, name)}−`, name, depth, value: gone, before: undefined, removed: true }),
      );
    }
    if (keys.length > most) {
      const rest = group.appendChild(element('li', 'rest', `${keys.length - most} more`));
      rest.setAttribute('role', 'treeitem');
      rest.dataset['path'] = `${path}…`;
      rest.dataset['more'] = path;
      rest.tabIndex = -1;
    }
  }

  /**
   * @param {string} path
   * @param {number} depth
   * @param {number} children
   * @param {boolean} changed
   */
  isOpen(path, depth, children, changed) {
    const begins = depth < (changed ? OPEN_CHANGED : 2) && children <= OPEN_CHILDREN;
    return this.opened.get(path) ?? (depth === 0 || begins);
  }

  /** Brings the first part that is another than before into view. */
  reveal() {
    const [box, leaf] = [this.element.parentElement, this.element.querySelector('.changed:not(:has(.changed)), .removed')];
    if (box && leaf) {
      const [inner, outer] = [leaf.getBoundingClientRect(), box.getBoundingClientRect()];
      if (inner.top < outer.top || inner.bottom > outer.bottom) {
        box.scrollTop += inner.top - outer.top - outer.height / 3;
      }
    }
  }

  /** @returns {HTMLElement[]} what is to be seen, from the top */
  items() {
    return [...this.element.querySelectorAll('li')];
  }

  /** @param {string} path */
  find(path) {
    return this.items().find((item) => item.dataset['path'] === path);
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const item = event.target instanceof Element ? event.target.closest('li') : null;
    if (item instanceof HTMLElement) {
      this.focus = item.dataset['path'] ?? '';
      // A text that is being selected is not clicked.
      if (String(getSelection()) === '') {
        this.toggle(item);
      }
      this.find(this.focus)?.focus({ preventScroll: true });
    }
  }

  /** @param {HTMLElement} item */
  toggle(item) {
    const { more, path = '' } = item.dataset;
    if (more !== undefined) {
      this.most.set(more, (this.most.get(more) ?? CHILDREN) + CHILDREN);
    } else if (item.hasAttribute('aria-expanded')) {
      this.opened.set(path, item.getAttribute('aria-expanded') !== 'true');
    }
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const items = this.items();
    const at = items.findIndex((item) => item.dataset['path'] === this.focus);
    const item = items[at];
    if (!item || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const expanded = item.getAttribute('aria-expanded');
    const parent = item.parentElement?.closest('li') ?? null;
    /** @type {HTMLElement | null | undefined} */
    let next;
    switch (event.key) {
      case 'ArrowDown':
        next = items[at + 1];
        break;
      case 'ArrowUp':
        next = items[at - 1];
        break;
      case 'Home':
        next = items[0];
        break;
      case 'End':
        next = items.at(-1);
        break;
      case 'ArrowRight':
        if (expanded === 'false') {
          this.toggle(item);
        } else if (expanded === 'true') {
          next = items[at + 1];
        }
        break;
      case 'ArrowLeft':
        if (expanded === 'true') {
          this.toggle(item);
        } else {
          next = parent;
        }
        break;
      case 'Enter':
      case ' ':
        this.toggle(item);
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (next) {
      item.tabIndex = -1;
      next.tabIndex = 0;
      this.focus = next.dataset['path'] ?? '';
      next.focus();
    }
  }
}

/** In the place of what was not there, which is equal to nothing. */
const NOTHING = Symbol('nothing');

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isContainer(value) {
  return typeof value === 'object' && value !== null;
}

/**
 * @param {string} path
 * @param {string} name
 */
function below(path, name) {
  return `${path}/${encodeURIComponent(name)}`;
}

/**
 * What was in the place of each child before. An element of a list is compared
 * with the one that had its `id`, or its key in a list of pairs, wherever it was.
 * @param {Record<string, unknown>} value
 * @param {unknown} before
 */
function counterparts(value, before) {
  const had = isContainer(before) && Array.isArray(before) === Array.isArray(value) ? before : {};
  /** @type {Map<unknown, string>} */
  const byKey = new Map();
  if (Array.isArray(had)) {
    had.forEach((element, index) => byKey.set(keyOf(element), String(index)));
  }
  /** @type {Set<string>} */
  const used = new Set();
  /** @param {string} name */
  const place = (name) => {
    const key = Array.isArray(value) ? keyOf(value[Number(name)]) : undefined;
    return key === undefined ? name : byKey.get(key);
  };
  for (const name of Object.keys(value)) {
    const at = place(name);
    if (at !== undefined && Object.hasOwn(had, at)) {
      used.add(at);
    }
  }
  return {
    /** @param {string} name */
    of(name) {
      const at = place(name);
      return at !== undefined && Object.hasOwn(had, at) ? had[at] : undefined;
    },
    /** @returns {[string, unknown][]} */
    gone: () => Object.entries(had).filter(([name]) => !used.has(name)),
  };
}

/** @param {unknown} element */
function keyOf(element) {
  if (!isContainer(element)) {
    return undefined;
  }
  const key = Array.isArray(element) && element.length === 2 ? element[0] : element['id'];
  return typeof key === 'string' || typeof key === 'number' ? key : undefined;
}

/**
 * Whether two values are the same JSON.
 * @param {unknown} one
 * @param {unknown} other
 * @returns {boolean}
 */
export function equal(one, other) {
  if (Object.is(one, other)) {
    return true;
  }
  if (!isContainer(one) || !isContainer(other) || Array.isArray(one) !== Array.isArray(other)) {
    return false;
  }
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equal(one[key], other[key]))
  );
}

/**
 * A value in one line.
 * @param {unknown} value
 * @param {number} [most] characters
 */
export function oneLine(value, most = TEXT) {
  const text = JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? String(part) : part));
  return shortened(text ?? String(value), most);
}

/**
 * A value in one line for a person: what is long in it is cut, and so are the
 * ids that nobody reads. An enum's variant, an object of one key, comes first.
 * @param {unknown} value
 * @param {number} [most] characters
 * @returns {string}
 */
export function brief(value, most = TEXT) {
  const keys = isContainer(value) && !Array.isArray(value) ? Object.keys(value) : [];
  const [key] = keys;
  if (isContainer(value) && keys.length === 1 && key !== undefined && isContainer(value[key])) {
    return shortened(`${key} ${inner(idsLast(value[key]), most)}`, most);
  }
  return shortened(inner(value, most), most);
}

const ID = /^([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})$/i;

/**
 * What somebody wants is seldom in an id.
 * @param {Record<string, unknown>} value
 */
function idsLast(value) {
  /** @param {unknown} part */
  const isId = (part) => typeof part === 'string' && ID.test(part);
  const parts = Object.entries(value);
  const sorted = [...parts.filter(([, part]) => !isId(part)), ...parts.filter(([, part]) => isId(part))];
  return Array.isArray(value) ? value : Object.fromEntries(sorted);
}

/**
 * @param {unknown} value
 * @param {number} most
 * @returns {string}
 */
function inner(value, most) {
  if (typeof value === 'string') {
    const id = ID.exec(value);
    if (id !== null) {
      return `${id[1]}…${id[2]}`;
    }
    return JSON.stringify(shortened(value, BRIEF_TEXT));
  }
  if (!isContainer(value)) {
    return String(value);
  }
  const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  /** @type {string[]} */
  const parts = [];
  let length = 0;
  for (const [name, part] of Object.entries(value)) {
    if (length > most) {
      parts.push('…');
      break;
    }
    const text = inner(part, most - length);
    parts.push(Array.isArray(value) ? text : `${name}: ${text}`);
    length += text.length + name.length;
  }
  return `${begin}${parts.join(', ')}${end}`;
}

/**
 * @param {string} text
 * @param {number} most
 */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/**
 * @param {unknown} value
 * @param {boolean} open
 */
function scalar(value, open) {
  if (isContainer(value)) {
    const count = Object.keys(value).length;
    const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
    if (count === 0) {
      return element('span', 'empty', `${begin}${end}`);
    }
    const text = open ? `${begin}${count}${end}` : shortened(inner(value, 90), 90);
    return element('span', 'preview', text);
  }
  const kind = value === null ? 'null' : typeof value;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return element('span', kind, shortened(text, TEXT));
}

/**
 * @param {string} tag
 * @param {string} kind its class
 * @param {string} text
 */
function element(tag, kind, text) {
  const made = document.createElement(tag);
  made.className = kind;
  made.textContent = text;
  return made;
}
