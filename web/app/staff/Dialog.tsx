import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

interface Props {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialog that is open as long as it is drawn. Focus goes to [data-focus], and back at the end. */
export function Dialog({ title, onClose, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>('[data-focus]')?.focus();
    return () => {
      // The dialog is gone from the page by now and cannot give the focus back by itself.
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // Only the backdrop is outside of the sheet.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div class="dialog-sheet stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
