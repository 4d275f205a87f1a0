/**
 * Short messages at the bottom of the window, read out by screen readers:
 * above all, why something did not happen.
 */

export type Kind = 'refusal' | 'info';

/** Something that the message offers to do. */
export interface Action {
  label: string;
  run: () => void;
}

/** How long a message stays, in milliseconds, unless somebody points at it. */
const STAYS = 7_000;

/** Most messages at a time: the oldest gives way. */
const AT_ONCE = 3;

let list: HTMLElement | undefined;

/** Shows a message. The same text again renews the one that is shown. */
export function toast(text: string, kind: Kind = 'info', action?: Action): void {
  const shown = toasts();
  for (const old of [...shown.children]) {
    if (old instanceof HTMLElement && old.dataset['text'] === text) {
      old.remove();
    }
  }
  while (shown.children.length >= AT_ONCE) {
    shown.firstElementChild?.remove();
  }
  shown.append(element(text, kind, action));
}

function element(text: string, kind: Kind, action: Action | undefined): HTMLElement {
  const message = document.createElement('div');
  message.className = 'toast';
  message.dataset['kind'] = kind;
  message.dataset['text'] = text;
  const paragraph = document.createElement('p');
  paragraph.textContent = text;
  message.append(paragraph);
  if (action) {
    message.append(
      button(action.label, '', () => {
        message.remove();
        action.run();
      }),
    );
  }
  const close = button('×', 'icon quiet', () => message.remove());
  close.setAttribute('aria-label', 'Close message');
  message.append(close);

  let timer = setTimeout(() => message.remove(), STAYS);
  const stay = () => clearTimeout(timer);
  const go = () => {
    stay();
    timer = setTimeout(() => message.remove(), STAYS);
  };
  message.addEventListener('pointerenter', stay);
  message.addEventListener('pointerleave', go);
  message.addEventListener('focusin', stay);
  message.addEventListener('focusout', go);
  return message;
}

function button(label: string, classes: string, run: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = classes;
  made.textContent = label;
  made.addEventListener('click', run);
  return made;
}

/** The live region has to be there before the first message, to be heard. */
export function toasts(): HTMLElement {
  if (!list) {
    list = document.createElement('div');
    list.className = 'toasts';
    list.setAttribute('role', 'status');
    list.setAttribute('aria-live', 'polite');
    list.setAttribute('aria-label', 'Messages');
    document.body.append(list);
  }
  return list;
}
