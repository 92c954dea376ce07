import type { ComponentChildren } from 'preact';
import type { ClosedCode } from '../../client/index';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import type { IconName } from '../ui/icons';
import { linkWords } from '../words/problems';
import { staffClosed, staffWords } from '../words/staff';
import type { Office } from './office';

interface Props {
  icon: IconName;
  title: string;
  text: string;
  code: string;
  children?: ComponentChildren;
}

/** A page of its own for what keeps the waiting room from opening. */
function Full({ icon, title, text, code, children }: Props) {
  return (
    <main class="full">
      <div class="stack" data-testid="error" data-code={code} role="alert">
        <span class="big-icon">
          <Icon name={icon} />
        </span>
        <h1>{title}</h1>
        <p>{text}</p>
        {children}
      </div>
    </main>
  );
}

export function Opening() {
  return (
    <p class="opening" role="status">
      <Icon name="wait" spin />
      {staffWords.opening}
    </p>
  );
}

/** The link could not be opened: why, and what to do. */
export function LinkProblem({ office }: { office: Office }) {
  const code = office.problem.value ?? 'internal';
  const again = code === 'offline' || code === 'internal' || code === 'too_many';
  return (
    <Full icon="danger" code={code} {...linkWords[code]}>
      {again && (
        <Button kind="primary" icon="reload" onPress={() => void office.start()}>
          {staffWords.again}
        </Button>
      )}
    </Full>
  );
}

/** The server does not have this page any more, or not without a word. */
export function Closed({ office, code }: { office: Office; code: ClosedCode }) {
  return (
    <Full icon={code === 'removed' ? 'remove' : 'info'} code={code} {...staffClosed[code]}>
      {(code === 'seat_in_use' || code === 'taken_over') && (
        <Button kind="primary" onPress={office.takeOver}>
          {staffWords.useThis}
        </Button>
      )}
      {code === 'outdated' && (
        <Button kind="primary" icon="reload" onPress={office.reload}>
          {staffWords.reload}
        </Button>
      )}
    </Full>
  );
}
