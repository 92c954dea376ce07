import { Button } from '../ui/Button';
import { Notice } from '../ui/Notice';
import { stageWords } from '../words/stage';
import type { Session } from './session';

/** Shown only where the browser or a telephone call silenced the page: one tap brings it back. */
export function SoundGate({ session }: { session: Session }) {
  const { audioPlayback, interruption } = session.live.get();
  if (interruption === 'needs_tap') {
    return (
      <Notice kind="warning" role="alert">
        <strong>{stageWords.interrupted}</strong>
        <Button kind="primary" onPress={session.resume}>
          {stageWords.resume}
        </Button>
      </Notice>
    );
  }
  if (audioPlayback === 'playing') return null;
  return (
    <Notice kind="warning">
      <strong>{stageWords.soundBlocked}</strong>
      <Button kind="primary" icon="sound" onPress={session.resume}>
        {stageWords.soundOn}
      </Button>
    </Notice>
  );
}
