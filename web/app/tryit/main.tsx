/** Starts the development page that hands out the demo links. */
import { signal } from '@preact/signals';
import { render } from 'preact';
import { TryPage } from './TryPage';
import { readDemo, type Demo } from './demo';

const demo = signal<Demo | undefined>(undefined);
const failed = signal(false);

async function load(): Promise<void> {
  failed.value = false;
  try {
    demo.value = await readDemo();
  } catch {
    failed.value = true;
  }
}

const root = document.getElementById('app');
if (root !== null)
  render(<TryPage demo={demo} failed={failed} onAgain={() => void load()} />, root);
void load();
// The demo visit may have ended in another tab: links are fresh whenever this one is looked at.
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void load();
});
