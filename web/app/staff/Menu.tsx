import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

interface Props {
  label: string;
  /** what the button shows */
  face: ComponentChildren;
  kind?: string;
  children: ComponentChildren;
}

/** A button that unfolds a menu. It closes by Escape, when the focus goes elsewhere, and when something is chosen. */
export function Menu({ label, face, kind = '', children }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current !== null) menu.current.open = false;
  };
  /** Before the focus would be lost with what has it; a dialog that is opened gives it back to here. */
  const closeFromInside = () => {
    menu.current?.querySelector('summary')?.focus();
    close();
  };
  return (
    <details
      ref={menu}
      class={`menu ${kind}`}
      onFocusOut={({ relatedTarget }) => {
        if (menu.current?.contains(relatedTarget as Node | null) !== true) close();
      }}
      onKeyDown={({ key }) => {
        if (key === 'Escape') closeFromInside();
      }}
    >
      <summary class="tool" aria-label={label} title={label}>
        {face}
      </summary>
      <div
        class="menu-sheet"
        // Safari gives a pressed button no focus; the sheet takes it and stays open.
        tabIndex={-1}
        onClickCapture={({ target }) => {
          if (target instanceof Element && target.closest('button, a') !== null) closeFromInside();
        }}
      >
        {children}
      </div>
    </details>
  );
}
