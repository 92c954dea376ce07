import { initials } from '../words/people';

/** Stands for a person whose picture is not there. */
export function Avatar({ name }: { name: string }) {
  return (
    <span class="avatar" aria-hidden="true">
      {initials(name)}
    </span>
  );
}
