import { useEffect, useRef } from 'preact/hooks';
import type { Conversation, Line } from '../state/chat';
import { Icon } from '../ui/Icon';
import { roleName } from '../words/people';
import { chatWords } from '../words/stage';
import { clockTime } from '../words/time';

/** One message, its sender named, so that sent and received differ by more than colour. */
function Message({ line }: { line: Line }) {
  const who = line.mine ? chatWords.you : line.name;
  return (
    <li class={`message ${line.mine ? 'mine' : ''}`}>
      <span class="message-who">
        <bdi>{who}</bdi>
        {!line.mine && line.role !== undefined && ` · ${roleName[line.role]}`}
        {line.at !== undefined && ` · ${clockTime(line.at)}`}
        {line.pending && ` · ${chatWords.pending}`}
      </span>
      <p dir="auto">{line.text}</p>
    </li>
  );
}

interface Props {
  talk: Conversation;
  label?: string;
  /** outside tests look for these; only one conversation of a page has them */
  tests?: boolean;
}

/** A conversation and the field to write in. */
export function Chat({ talk, label = chatWords.label, tests = true }: Props) {
  const log = useRef<HTMLDivElement>(null);
  const lines = talk.lines.value;
  const test = (id: string) => (tests ? id : undefined);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [lines.length]);
  return (
    <div class="chat">
      <div
        ref={log}
        class="chat-log"
        role="log"
        aria-label={chatWords.title}
        tabIndex={0}
        data-testid={test('chat-log')}
      >
        {lines.length > 0 && (
          <ol class="messages">
            {lines.map((line) => (
              <Message key={line.key} line={line} />
            ))}
          </ol>
        )}
      </div>
      {talk.failed.value && <p role="alert">{chatWords.failed}</p>}
      <form
        class="chat-form"
        onSubmit={(event) => {
          event.preventDefault();
          talk.send();
        }}
      >
        <input
          class="input"
          aria-label={label}
          placeholder={label}
          dir="auto"
          autocomplete="off"
          enterkeyhint="send"
          data-testid={test('chat-input')}
          value={talk.draft.value}
          onInput={(event) => {
            talk.write(event.currentTarget.value);
          }}
        />
        <button
          type="submit"
          class="send"
          aria-label={chatWords.send}
          data-testid={test('chat-send')}
        >
          <Icon name="send" />
        </button>
      </form>
    </div>
  );
}
