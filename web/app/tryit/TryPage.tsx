import type { ReadonlySignal } from '@preact/signals';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import type { IconName } from '../ui/icons';
import { Notice } from '../ui/Notice';
import { tryWords } from '../words/tryit';
import type { Demo, DemoPerson } from './demo';

interface CardProps {
  icon: IconName;
  title: string;
  text: string;
  open: string;
  person: DemoPerson | undefined;
  test: string;
}

function PersonCard({ icon, title, text, open, person, test }: CardProps) {
  return (
    <li class="card">
      <span class="card-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p>
        {text} {person !== undefined && <span class="quiet">{tryWords.as(person.name)}</span>}
      </p>
      <a
        class="button primary"
        {...(person === undefined ? {} : { href: person.link })}
        target="_blank"
        rel="noopener"
        data-testid={test}
      >
        {open}
      </a>
    </li>
  );
}

function BuildCard() {
  const { title, text, api, library, docs } = tryWords.build;
  return (
    <li class="card">
      <span class="card-icon">
        <Icon name="code" />
      </span>
      <h2>{title}</h2>
      <p>{text}</p>
      <ul class="links">
        <li>
          <a href="/docs">{api}</a>
        </li>
        <li>
          <a href="/example.html">{library}</a>
        </li>
        <li class="quiet">{docs}</li>
      </ul>
    </li>
  );
}

interface Props {
  demo: ReadonlySignal<Demo | undefined>;
  failed: ReadonlySignal<boolean>;
  onAgain: () => void;
}

/** Everybody of a demo visit, one card each. */
export function TryPage({ demo, failed, onAgain }: Props) {
  const now = demo.value;
  return (
    <main class="try">
      <div class="try-head">
        <h1>{tryWords.title}</h1>
        <p class="quiet">{now === undefined ? tryWords.loading : tryWords.intro(now.clinic)}</p>
      </div>
      {failed.value && (
        <Notice kind="danger" role="alert">
          <p>{tryWords.failed}</p>
          <span>
            <Button onPress={onAgain}>{tryWords.again}</Button>
          </span>
        </Notice>
      )}
      <ul class="cards">
        <PersonCard icon="person" {...tryWords.patient} person={now?.patient} test="try-patient" />
        <PersonCard
          icon="people"
          {...tryWords.clinician}
          person={now?.clinician}
          test="try-clinician"
        />
        <PersonCard
          icon="specialist"
          {...tryWords.specialist}
          person={now?.specialist}
          test="try-specialist"
        />
        <BuildCard />
      </ul>
    </main>
  );
}
