import { useEffect, useRef } from 'preact/hooks';
import { Chat } from '../chat/Chat';
import { chatWords } from '../words/stage';
import { PeoplePanel } from './PeoplePanel';
import type { Office } from './office';

/** Who is here, and what they write; both in sight all the time. */
export function SidePanel({ office }: { office: Office }) {
  return (
    <aside class="side">
      <PeoplePanel office={office} />
      <VisitChat office={office} />
    </aside>
  );
}

function VisitChat({ office }: { office: Office }) {
  const box = useRef<HTMLElement>(null);
  const asked = office.writes.value;
  const before = useRef(asked);
  useEffect(() => {
    if (asked !== before.current) box.current?.querySelector('input')?.focus();
    before.current = asked;
  }, [asked]);
  return (
    <section ref={box} class="side-chat" aria-label={chatWords.title}>
      <h2>{chatWords.title}</h2>
      {office.talk.lines.value.length === 0 && <p class="note quiet">{chatWords.empty}</p>}
      <Chat talk={office.talk} />
    </section>
  );
}
