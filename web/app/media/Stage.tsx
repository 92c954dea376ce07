import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Participant, Role } from '../../client/index';
import type { Controls } from '../state/controls';
import type { Live } from '../state/live';
import { arrange, coverOf } from '../state/stage';
import { stageWords } from '../words/stage';
import { SelfCorner } from './SelfCorner';
import { Tile } from './Tile';

interface Props {
  live: Live;
  controls: Controls;
  people: readonly Participant[];
  mine: Role;
  children?: ComponentChildren;
}

/** The pictures: one person large, the others in a strip, the own one in a corner. */
export function Stage({ live, controls, people, mine, children }: Props) {
  const chosen = useSignal<string | undefined>(undefined);
  const { main, strip } = arrange(people, mine, chosen.value);
  // One flat list with the large one first: a person keeps their element when they change places.
  const shown = main === undefined ? [] : [main, ...strip];
  const slow = shown.some((person) => coverOf(person) === 'slow');
  return (
    <div class="stage" data-count={shown.length}>
      {main === undefined && <p class="stage-empty">{stageWords.alone}</p>}
      <div class="tiles">
        {shown.map((person) => (
          <Tile
            key={person.seat}
            person={person}
            onShow={
              person === main
                ? undefined
                : () => {
                    chosen.value = person.seat;
                  }
            }
          />
        ))}
      </div>
      <p class="unseen" role="status">
        {slow && `${stageWords.slow}. ${stageWords.slowWhy}`}
      </p>
      <SelfCorner live={live} controls={controls} />
      {children}
    </div>
  );
}
