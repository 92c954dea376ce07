import type { ComponentChildren } from 'preact';
import { Icon } from '../ui/Icon';
import { joinWords } from '../words/join';
import { stageWords } from '../words/stage';
import type { Session } from './session';

interface Props {
  session: Session;
  children: ComponentChildren;
}

/** What surrounds every screen outside the visit: the clinic's name above, its telephone below. */
export function Shell({ session, children }: Props) {
  const clinic = session.live.get().view?.clinic;
  return (
    <div class="shell">
      <header class="masthead">
        <span class="clinic" dir="auto">
          {clinic?.name}
        </span>
      </header>
      {session.line.value !== 'good' && (
        <p class="line-lost" role="alert">
          <Icon name="wait" spin />
          {stageWords.lineLost}
        </p>
      )}
      <main class="content">{children}</main>
      <footer class="help">
        {clinic !== undefined && clinic.phone !== '' && <Ring phone={clinic.phone} />}
      </footer>
    </div>
  );
}

export function Ring({ phone, words = joinWords.trouble }: { phone: string; words?: string }) {
  return (
    <p class="ring">
      <Icon name="phone" />
      <span>
        {words} <a href={`tel:${phone.replace(/\s/g, '')}`}>{phone}</a>
      </span>
    </p>
  );
}
