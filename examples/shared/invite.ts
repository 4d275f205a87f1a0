/** The invitation: the address of this session, to copy, share, or open. */

import { html, nothing, render } from 'lit-html';

import { toast } from './toast.js';

/** Opens the dialog with the invitation link of this page's session. */
export function invite(title: string): void {
  const dialog = document.createElement('dialog');
  dialog.className = 'invitation';
  dialog.setAttribute('aria-labelledby', 'invitation-title');
  dialog.addEventListener('close', () => dialog.remove());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) {
      dialog.close();
    }
  });
  const link = location.href;
  render(
    html`
      <h2 id="invitation-title">Invite somebody</h2>
      <p>Whoever opens this link shares this page with you, live.</p>
      <input
        class="link"
        readonly
        aria-label="Invitation link"
        .value=${link}
        @focus=${(event: FocusEvent) => (event.target as HTMLInputElement).select()}
      />
      <div class="actions">
        <button type="button" class="primary" @click=${() => copy(dialog, link)}>Copy link</button>
        ${
          'share' in navigator
            ? html`<button type="button" @click=${() => share(dialog, title, link)}>Share…</button>`
            : nothing
        }
        <a class="button" href=${link} target="_blank" rel="noopener" @click=${() => dialog.close()}
          >Open a second window</a
        >
        <button type="button" class="quiet end" @click=${() => dialog.close()}>Close</button>
      </div>
    `,
    dialog,
  );
  document.body.append(dialog);
  dialog.showModal();
}

async function copy(dialog: HTMLDialogElement, link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link);
    dialog.close();
    toast('The link is copied. Send it to somebody.');
  } catch {
    // No clipboard on an insecure address: the link is there to be selected.
    dialog.querySelector<HTMLInputElement>('input')?.select();
    toast('This browser does not let the page copy. The link is selected: copy it yourself.');
  }
}

async function share(dialog: HTMLDialogElement, title: string, url: string): Promise<void> {
  try {
    await navigator.share({ title, url });
    dialog.close();
  } catch {
    // The visitor changed their mind.
  }
}
