import { h } from 'preact';
import { icons, type IconName } from './icons';

const turning: ReadonlySet<IconName> = new Set<IconName>(['back', 'send', 'leave', 'return']);

/** Decoration only: the words are beside it or in the control's label. */
export function Icon({ name, spin = false }: { name: IconName; spin?: boolean }) {
  const classes = ['icon', turning.has(name) && 'turns', spin && 'spinner'];
  return (
    <svg
      class={classes.filter(Boolean).join(' ')}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {icons[name].map(([tag, attributes], key) => h(tag, { ...attributes, key }))}
    </svg>
  );
}
