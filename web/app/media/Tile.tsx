import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Participant } from '../../client/index';
import { coverOf, isSilent, type Cover } from '../state/stage';
import { Avatar } from '../ui/Avatar';
import { Icon } from '../ui/Icon';
import { roleName } from '../words/people';
import { stageWords } from '../words/stage';

const words: Record<Exclude<Cover, 'none'>, string> = {
  held: stageWords.onHold,
  lost: stageWords.reconnecting,
  off: stageWords.cameraIsOff,
  missing: stageWords.noCamera,
  paused: stageWords.paused,
  slow: stageWords.slow,
  coming: '',
};

interface Props {
  person: Participant;
  /** makes this person the large one */
  onShow?: (() => void) | undefined;
}

/** One other person: their picture, or why there is none, with name and role. */
export function Tile({ person, onShow }: Props) {
  const element = useRef<HTMLVideoElement>(null);
  const { video, seat, role, name } = person;
  // Not after the next painting: that of a whole new screen is what a picture would wait for.
  useLayoutEffect(() => {
    if (element.current !== null) return video.attach(element.current);
    return undefined;
  }, [video]);
  const cover = coverOf(person);
  return (
    <figure class="tile" data-cover={cover}>
      <video
        ref={element}
        data-testid="remote-video"
        data-seat={seat}
        data-role={role}
        aria-label={name}
        muted
        playsInline
      />
      {cover !== 'none' && (
        <div class="cover">
          <Avatar name={name} />
          {cover === 'lost' && <Icon name="wait" spin />}
          <span>{words[cover]}</span>
          {cover === 'slow' && <span class="cover-why">{stageWords.slowWhy}</span>}
        </div>
      )}
      <figcaption>
        {(isSilent(person) || person.unheard) && <Icon name="microphoneOff" />}
        <span class="tile-name" dir="auto">
          {name}
        </span>
        <span class="tile-role">{roleName[role]}</span>
        {isSilent(person) && <span class="unseen">{stageWords.muted}</span>}
        {person.unheard && <span>{stageWords.unheard}</span>}
      </figcaption>
      {onShow !== undefined && (
        <button
          type="button"
          class="tile-show"
          aria-label={stageWords.show(name)}
          onClick={onShow}
        />
      )}
    </figure>
  );
}
