import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
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
  const content = useRef<HTMLElement>(null);
  const screen = session.screen.value;
  // A new screen begins at its top, for eyes and for screen readers.
  useEffect(() => {
    scrollTo(0, 0);
    content.current?.focus({ preventScroll: true });
  }, [screen]);
  return (
    <div class="shell">
      <header class="masthead">
        {screen === 'preview' && (
          <button type="button" class="back" onClick={session.back}>
            <Icon name="back" />
            {joinWords.back}
          </button>
        )}
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
      <main ref={content} class="content" tabIndex={-1}>
        {children}
      </main>
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
        {words}{' '}
        <a href={`tel:${phone.replace(/\s/g, '')}`} dir="ltr">
          {phone}
        </a>
      </span>
    </p>
  );
}
