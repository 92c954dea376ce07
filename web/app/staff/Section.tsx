import type { ComponentChildren } from 'preact';
import { Icon } from '../ui/Icon';

interface Props {
  title: string;
  children: ComponentChildren;
}

/** A part of the waiting room. */
export function Section({ title, children }: Props) {
  return (
    <section class="desk-part" aria-label={title}>
      <h2>{title}</h2>
      <ul class="people">{children}</ul>
    </section>
  );
}

/** A part that is closed until somebody wants to see it. */
export function Fold({ title, count, children }: Props & { count: number }) {
  return (
    <details class="desk-part">
      <summary>
        <h2>{title}</h2>
        <span class="quiet">{count}</span>
        <Icon name="open" />
      </summary>
      <ul class="people">{children}</ul>
    </details>
  );
}
